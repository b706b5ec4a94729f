//! The command `quipu-gateway`: reads the usage out of a recorded response,
//! and plays the provider for gateways that are tried offline.

#![forbid(unsafe_code)]

mod command;
mod mock;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}
