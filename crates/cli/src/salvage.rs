//! `quipu salvage`: what is still sound of a damaged file, into a store.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use quipu::SalvageError;

use crate::error::CliError;
use crate::format::plural;
use crate::screen;
use crate::text::visible_message;

const EXAMPLES: &str = "\
Examples:
  quipu salvage usage.quipu/aggregate.2026-03-01T101500Z.row-12-is-not-sound --into usage.quipu
  quipu salvage damaged.quipu --into recovered.quipu

Exit codes: 0 everything was recovered, 3 a part of it, or nothing was sound, 1 failed.";

/// Recover what is still sound of a damaged store or of a file that was set
/// aside: every row whose checksum holds.
///
/// The damaged file is only read. What is recovered is added to a store by one
/// commit, and never twice.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SalvageArgs {
    /// The damaged store, or a file of one that was set aside
    #[arg(value_name = "DAMAGED")]
    damaged: PathBuf,

    /// The store that the counts are added to; created where there is none
    #[arg(long, value_name = "STORE")]
    into: PathBuf,
}

/// Runs `quipu salvage`.
pub(crate) fn run(args: &SalvageArgs) -> Result<(), CliError> {
    let damaged = if args.damaged.is_dir() {
        args.damaged.join("aggregate")
    } else {
        args.damaged.clone()
    };
    let found = quipu::salvage(&damaged, &args.into)?;
    let mut out = screen::stdout();
    for note in &found.notes {
        writeln!(out, "{}", visible_message(note))?;
    }
    let into = args.into.display().to_string();
    writeln!(out, "{}: {found}", visible_message(&into))?;
    out.flush()?;
    if found.notes.is_empty() {
        return Ok(());
    }
    Err(CliError::Damaged(format!(
        "{} was damaged: {} lost, {} only as of an earlier commit, {} lost",
        damaged.display(),
        plural(found.lost_rows, "row"),
        plural(found.older_rows, "row"),
        plural(found.lost_names, "name"),
    )))
}

impl From<SalvageError> for CliError {
    fn from(error: SalvageError) -> Self {
        match error {
            SalvageError::Open(error) => error.into(),
            SalvageError::Nothing { .. } => Self::Damaged(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}
