//! What can go wrong: each error says what, where and what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a record was not accepted. It was counted in
/// [`Stats::rejected`](crate::Stats::rejected).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// Every shard of the ring is full of records that aren't committed yet.
    /// Try again later, wait with
    /// [`record_timeout`](crate::Recorder::record_timeout), or give the ring
    /// more capacity.
    Full,
    /// The recorder was closed, or this process is a fork of the one that
    /// opened it.
    Closed,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => {
                "the ring is full: the record was not accepted; retry, wait with \
                 record_timeout, or open the recorder with more shard_capacity"
            }
            Self::Closed => "the recorder is closed: the record was not accepted",
        })
    }
}

impl std::error::Error for RecordError {}

/// Why a name could not be interned. Names beyond a limit are not errors: they
/// become `__other__`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// The recorder was closed.
    Closed,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the recorder is closed: no new names can be interned")
    }
}

impl std::error::Error for NameError {}

/// Why [`flush`](crate::Recorder::flush) could not confirm a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlushError {
    /// The commit did not happen in time; it still will.
    Timeout,
    /// The recorder was closed before the call.
    Closed,
    /// The records are counted in memory, but the store can't be written.
    Degraded(String),
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str(
                "the flush was not confirmed in time; nothing is lost and the commit still \
                 follows: wait longer, or look at Stats::in_ring",
            ),
            Self::Closed => f.write_str("the recorder is closed: there is nothing to flush"),
            Self::Degraded(reason) => write!(
                f,
                "the store can't be written, counts go on in memory: {reason}"
            ),
        }
    }
}

impl std::error::Error for FlushError {}

/// Why [`close`](crate::Recorder::close) could not confirm the last commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseError {
    /// The last commit did not happen in time. No more records are accepted;
    /// those that were are counted now or when the store is opened again.
    Timeout,
    /// Not all is safe, for the reason given: the store, or its checkpoint,
    /// can't be written. What the store lacks is replayed when it is opened
    /// again as far as the ring still has it; the rest is then counted in
    /// [`Stats::lost`](crate::Stats::lost).
    Degraded(String),
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str(
                "the last commit was not confirmed in time; what was accepted is counted \
                 when it ends or when the store is opened again",
            ),
            Self::Degraded(reason) => write!(
                f,
                "the recorder is closed, but not all is safe; what the store doesn't have is \
                 counted at the next open as far as the ring still has it, and the rest is \
                 then counted as lost: {reason}"
            ),
        }
    }
}

impl std::error::Error for CloseError {}

/// Why a store could not be opened. Nothing in it was changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The operating system refused something.
    Io {
        /// What was attempted, for example `create`.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Another process, or another recorder of this one, writes to the store.
    InUse {
        /// The store.
        path: PathBuf,
        /// The process that holds it; `None` where the system can't tell.
        pid: Option<u32>,
    },
    /// There is no store, or the file is not one of quipu's.
    NotAStore {
        /// The file or directory.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// The store was written by an incompatible version.
    Incompatible {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// The store's content contradicts itself.
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which part, and how.
        what: String,
    },
    /// The store's file is no longer where it was opened.
    Gone {
        /// The file.
        path: PathBuf,
        /// What became of it.
        what: String,
    },
    /// A setting of the builder is out of range.
    Setting {
        /// The builder's method.
        name: &'static str,
        /// The range.
        what: String,
    },
}

impl OpenError {
    pub(crate) fn io(action: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source: source.into(),
        }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            what: what.into(),
        }
    }

    /// Whether the store is there but damaged or incompatible, as opposed to
    /// missing, in use, or out of reach.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Incompatible { .. })
    }

    /// Whether there is nothing at the path.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io {
                action,
                path,
                source,
            } => write!(f, "can't {action} {}: {source}", path.display()),
            Self::InUse {
                path,
                pid: Some(pid),
            } => write!(
                f,
                "{} is in use by process {pid}: one process at a time may write to a store; \
                 stop it or give this one its own store",
                path.display()
            ),
            Self::InUse { path, pid: None } => write!(
                f,
                "{} is in use by another process: one process at a time may write to a store",
                path.display()
            ),
            Self::NotAStore { path, found } => write!(
                f,
                "{} is not a quipu store: {found}; nothing was changed",
                path.display()
            ),
            Self::Incompatible { path, what } => write!(
                f,
                "{} can't be read by this version of quipu: {what}; nothing was changed",
                path.display()
            ),
            Self::Damaged { path, what } => write!(
                f,
                "{} is damaged: {what}; nothing was changed: run `quipu verify` on the store \
                 for the whole list",
                path.display()
            ),
            Self::Gone { path, what } => write!(f, "{} is gone: {what}", path.display()),
            Self::Setting { name, what } => {
                write!(f, "the recorder's setting {name} {what}")
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why a snapshot could not be read from a store.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// The store could not be opened again after its file was replaced or has
    /// grown.
    Open(OpenError),
    /// The writer committed faster than a consistent view could be copied.
    /// Try again.
    Busy {
        /// How many attempts were made.
        attempts: u32,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Busy { attempts } => write!(
                f,
                "the writer commits faster than a consistent view can be copied \
                 ({attempts} attempts): try again"
            ),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open(error) => error.source(),
            Self::Busy { .. } => None,
        }
    }
}

impl From<OpenError> for ReadError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

/// Why nothing was salvaged.
#[derive(Debug)]
#[non_exhaustive]
pub enum SalvageError {
    /// The damaged file can't be read, or the store can't be written.
    Open(OpenError),
    /// Nothing in the file is sound.
    Nothing {
        /// The file.
        path: PathBuf,
        /// What is damaged, part by part.
        notes: Vec<String>,
    },
    /// The store has these counts already.
    Refused {
        /// The store.
        into: PathBuf,
        /// How it came to have them.
        why: String,
    },
}

impl fmt::Display for SalvageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Nothing { path, notes } => {
                write!(f, "nothing can be recovered from {}", path.display())?;
                match notes.as_slice() {
                    [] => write!(f, ": it counts nothing"),
                    notes => write!(f, ": {}", notes.join("; ")),
                }
            }
            Self::Refused { into, why } => {
                write!(f, "nothing was added to {}: {why}", into.display())
            }
        }
    }
}

impl std::error::Error for SalvageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open(error) => error.source(),
            _ => None,
        }
    }
}

impl From<OpenError> for SalvageError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}
