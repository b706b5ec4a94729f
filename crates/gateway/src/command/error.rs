//! How a command ends when it doesn't end well: one line and exit code 1.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use quipu::{CloseError, OpenError};
use quipu_gateway::prices::PriceError;
use quipu_gateway::usage::Unreadable;

use crate::proxy::ConfigError;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// A file can't be read.
    Input { name: PathBuf, source: io::Error },
    /// What is in it isn't a response.
    Body { name: PathBuf, why: Unreadable },
    /// The system gives no threads, or no signals.
    Start(io::Error),
    /// Nothing can be accepted there.
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    /// What was served can't be written down.
    Report { name: PathBuf, source: io::Error },
    /// The configuration is no use.
    Config(ConfigError),
    /// A price list can't be read.
    Prices(PriceError),
    /// The store can't be opened.
    Store(OpenError),
    /// The system's certificates can't be read.
    Certificates(io::Error),
    /// The last counts can't be committed.
    Close(CloseError),
    /// Standard output can't be written.
    Output(io::Error),
}

impl CommandError {
    /// Says on stderr what went wrong; gives the process's exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if let Self::Output(error) = self
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            // Whoever read the output has had enough.
            return ExitCode::SUCCESS;
        }
        say(&self.to_string());
        ExitCode::FAILURE
    }
}

/// Writes one line for people.
pub(super) fn say(message: &str) {
    // With stderr closed there is nobody left to tell.
    let _ = io::Write::write_fmt(
        &mut io::stderr(),
        format_args!("quipu-gateway: {message}\n"),
    );
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Debug form: a name can't move the cursor.
            Self::Input { name, source } => write!(
                f,
                "can't read {name:?}: {source}; give the path of a recorded body, or - for \
                 standard input"
            ),
            Self::Body { name, why } => write!(f, "can't read usage from {name:?}: {why}"),
            Self::Start(source) => write!(f, "can't start: {source}"),
            Self::Listen { address, source } => write!(
                f,
                "can't listen on {address}: {source}; --listen with port 0 takes any that is free"
            ),
            Self::Report { name, source } => write!(f, "can't write {name:?}: {source}"),
            Self::Config(source) => write!(f, "{source}"),
            Self::Prices(source) => write!(f, "{source}"),
            Self::Store(source) => write!(f, "{source}"),
            Self::Certificates(source) => write!(
                f,
                "can't read the system's certificates: {source}; install the package \
                 ca-certificates, or name a file in SSL_CERT_FILE"
            ),
            Self::Close(source) => write!(f, "not everything could be committed: {source}"),
            Self::Output(source) => write!(f, "can't write to standard output: {source}"),
        }
    }
}

impl std::error::Error for CommandError {}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
