//! How a command ends when it doesn't end well: one line and an exit code.

use std::fmt;
use std::io;
use std::process::ExitCode;

use quipu::{OpenError, ReadError};

use crate::signals::Signal;
use crate::text;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum CliError {
    /// The command line can't be obeyed: exit code 2.
    Usage(String),
    /// Something else went wrong: exit code 1.
    Failed(String),
    /// The store is damaged: exit code 3.
    Damaged(String),
    /// A signal stopped it; what was to be said has been said: the exit code
    /// is the signal's, 130 for Ctrl-C.
    Interrupted(Signal),
    /// Whoever read the output has had enough, as in `quipu report … | head`:
    /// not an error, exit code 0.
    ClosedPipe,
}

impl CliError {
    /// Signals can't be listened for.
    #[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
    pub(crate) fn deaf(error: io::Error) -> Self {
        Self::Failed(format!("can't listen for Ctrl-C: {error}"))
    }

    /// Says on stderr what went wrong and returns the process's exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let message = self.to_string();
        if !message.is_empty() {
            // With stderr closed there is nobody left to tell.
            let _ = io::Write::write_fmt(
                &mut io::stderr(),
                format_args!("quipu: {}\n", text::visible_message(&message)),
            );
        }
        ExitCode::from(self.exit_code())
    }

    const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
            Self::Damaged(_) => 3,
            Self::Interrupted(signal) => signal.exit_code(),
            Self::ClosedPipe => 0,
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Failed(message) | Self::Damaged(message) => {
                f.write_str(message)
            }
            Self::Interrupted(_) | Self::ClosedPipe => Ok(()),
        }
    }
}

impl std::error::Error for CliError {}

impl From<OpenError> for CliError {
    fn from(error: OpenError) -> Self {
        let message = error.to_string();
        if error.is_damage() {
            Self::Damaged(message)
        } else if error.is_not_found() {
            Self::Failed(format!(
                "{message}; check the path, or let the gateway or `quipu replay --store` make \
                 the store first"
            ))
        } else if matches!(error, OpenError::Setting { .. }) {
            Self::Usage(message)
        } else {
            Self::Failed(message)
        }
    }
}

impl From<ReadError> for CliError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Open(error) => error.into(),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// The library's errors that have only one exit code.
macro_rules! failed {
    ($($error:ty),+) => {
        $(impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::Failed(error.to_string())
            }
        })+
    };
}

failed!(
    quipu::NameError,
    quipu::RecordError,
    quipu::FlushError,
    quipu::CloseError
);

/// Errors of writing to stdout; other files' errors need the path that only
/// their callers know.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::Failed(format!("can't write to standard output: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn damage_is_told_from_a_missing_store() {
        let damaged = CliError::from(OpenError::Damaged {
            path: PathBuf::from("a"),
            what: "row 3".into(),
        });
        let missing = CliError::from(OpenError::Io {
            action: "open",
            path: PathBuf::from("a"),
            source: io::ErrorKind::NotFound.into(),
        });
        assert_eq!(damaged.exit_code(), 3);
        assert_eq!(missing.exit_code(), 1);
        assert!(missing.to_string().contains("check the path"));
    }

    #[test]
    fn a_closed_pipe_is_quiet() {
        let error = CliError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(error.exit_code(), 0);
        assert_eq!(error.to_string(), "");
    }
}
