//! The command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

/// Kills writers of a quipu store, again and again, and checks that every
/// record was counted exactly once.
///
/// Each writer is a process with several producers. It is killed with SIGKILL,
/// at a random instant or when it comes by a named point of a protocol, while
/// it creates, recovers, records, commits or checkpoints. What its producers
/// were told is accepted they note outside the store. After each kill the
/// store must be sound, and sooner or later, often after further kills in the
/// middle of recovery, it is opened and must hold:
///
///   acknowledged <= counted <= attempted, and nothing twice.
///
/// What is done at a kill follows from the seed and the kill's number; only
/// the scheduling of threads differs when it is repeated.
#[derive(Debug, Parser)]
#[command(
    name = "quipu-torture",
    version,
    verbatim_doc_comment,
    args_conflicts_with_subcommands = true,
    after_help = "\
Exit codes: 0 every record was counted once, 1 one was not, 2 the command line is wrong.

Examples:
  quipu-torture --kills 20000 --seed 1                    a long run
  quipu-torture --seed 1 --only 4711                      repeats the failure at kill 4711
  quipu-torture --kills 100 --point 'commit: mid row'     looks at one point"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// How many writers to kill
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) kills: u64,

    /// What the random choices follow from [default: another one each time]
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,

    /// Where stores are made; that of a failure is left there [default: a new
    /// directory in the system's place for temporary files]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Repeat this kill only, with those before it in the same round
    #[arg(long, value_name = "KILL", conflicts_with = "kills")]
    pub(crate) only: Option<u64>,

    /// Let every writer die at this point
    #[arg(
        long,
        value_name = "NAME",
        hide_possible_values = true,
        value_parser = PossibleValuesParser::new(quipu::fault::POINTS)
    )]
    pub(crate) point: Option<String>,

    /// Print the names of the points
    #[arg(long)]
    pub(crate) list_points: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What this program starts and kills.
    #[command(hide = true)]
    Writer(Assignment),
}

/// What a writer is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Assignment {
    /// The directory with the store, the ring's directory and the notes.
    pub(crate) place: PathBuf,
    #[arg(long)]
    pub(crate) seed: u64,
    #[arg(long)]
    pub(crate) kill: u64,
    #[arg(long)]
    pub(crate) point: Option<String>,
}

/// The command line, or the end with code 2.
pub(crate) fn parse() -> Args {
    Args::parse()
}
