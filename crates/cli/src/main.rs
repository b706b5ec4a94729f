//! The quipu command: replays traces, reports, checks and watches usage
//! stores.

#![forbid(unsafe_code)]

mod args;
mod error;
mod format;
mod replay;
mod report;
mod salvage;
mod screen;
mod signals;
mod stats;
mod synth;
mod table;
mod tail;
mod text;
mod top;
mod trace;
mod values;
mod verify;
mod watch;

use std::process::ExitCode;

use args::Command;
use error::CliError;

fn main() -> ExitCode {
    let done = args::parse().and_then(|command| command.map_or(Ok(()), run));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Replay(args) => replay::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Stats(args) => stats::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Salvage(args) => salvage::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Tail(args) => tail::run(&args),
    }
}
