//! The command `quipu-gateway`: the reference gateway, a provider to try it
//! with offline, and the usage in a recorded response.

#![forbid(unsafe_code)]

mod command;
mod mock;
mod proxy;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}
