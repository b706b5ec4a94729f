//! `quipu verify`: whether a store is sound, and where it is not.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::error::CliError;
use crate::format::{Count, plural};
use crate::screen;
use crate::text::visible_message;

const EXAMPLES: &str = "\
Examples:
  quipu verify usage.quipu
  quipu verify usage.quipu && cp -r usage.quipu backup/

Exit codes: 0 sound, 3 damaged, 1 the store could not be read.";

/// Check a store: every checksum, name and row, and that the numbers balance.
///
/// Nothing is changed, and the writer may go on writing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// The store
    #[arg(value_name = "STORE")]
    store: PathBuf,
}

/// Runs `quipu verify`.
pub(crate) fn run(args: &VerifyArgs) -> Result<(), CliError> {
    let found = quipu::verify(&args.store)?;
    let store = args.store.display().to_string();
    let mut out = screen::stdout();
    for problem in &found.problems {
        writeln!(
            out,
            "{}: {}",
            visible_message(&problem.place),
            visible_message(&problem.what)
        )?;
    }
    if found.is_sound() {
        writeln!(
            out,
            "{}: sound, {} in {}, {}, generation {}",
            visible_message(&store),
            plural(found.records, "record"),
            plural(found.rows, "row"),
            plural(found.names, "name"),
            Count(found.generation)
        )?;
    }
    out.flush()?;
    if found.is_sound() {
        return Ok(());
    }
    Err(CliError::Damaged(format!(
        "{store} is damaged ({}): a recorder that opens it sets the file aside, bytes \
         unchanged, and goes on with the checkpoint if there is one; `quipu salvage {store} \
         --into NEW` recovers what is sound",
        plural(found.problems.len() as u64, "problem")
    )))
}
