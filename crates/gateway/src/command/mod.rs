//! The command line: one file for each sub-command.

mod args;
mod error;
mod mock;
mod run;
mod usage;

use args::Command;
use error::CommandError;

/// Does what the command line says.
pub(crate) fn run() -> Result<(), CommandError> {
    match args::parse()? {
        Some(Command::Usage(args)) => usage::run(&args),
        Some(Command::Run(args)) => run::run(args),
        Some(Command::Mock(args)) => mock::run(args),
        None => Ok(()),
    }
}
