//! Request traces: files that tell which calls were made, when, and how large
//! they were. Each format becomes the same [`Event`]s, read as a stream.

mod azure;
mod burstgpt;
mod claude_code;
mod claude_session;
mod diagnose;
mod field;
mod format;
mod lines;
mod mooncake;
mod native;
mod ragpulse;
mod recorded_calls;
mod rows;
mod source;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use quipu::{Outcome, TokenKind};

pub(crate) use field::parse_time;
pub(crate) use format::Format;
use rows::Rows;

/// The model of a row for which neither the trace nor `--model` names one.
pub(crate) const UNNAMED: &str = "unnamed";

/// One call, as one line of a trace tells it. `None` is what the line doesn't
/// say, which is not the same as zero.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event<'a> {
    /// Nanoseconds since the Unix epoch.
    pub(crate) at: u64,
    pub(crate) provider: Cow<'a, str>,
    pub(crate) model: Cow<'a, str>,
    /// Empty where the trace has none.
    pub(crate) tenant: Cow<'a, str>,
    /// By [`TokenKind`], disjoint.
    pub(crate) tokens: [Option<u64>; TokenKind::ALL.len()],
    pub(crate) cost_nanos: Option<u64>,
    pub(crate) latency: Option<Duration>,
    pub(crate) time_to_first_token: Option<Duration>,
    pub(crate) outcome: Outcome,
    pub(crate) streamed: bool,
    pub(crate) estimated: bool,
    /// Why some of the tokens are not what was reported.
    pub(crate) doubt: Option<Doubt>,
}

/// What a trace leaves to the reader. Such calls count as estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The trace has no cache reads; something else stands in for them.
    StandIn,
    /// A part was larger than the total that contains it, and was cut.
    Excess,
}

impl Doubt {
    pub(crate) const ALL: [Self; 2] = [Self::StandIn, Self::Excess];

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl<'a> Event<'a> {
    pub(crate) fn new(
        at: u64,
        provider: impl Into<Cow<'a, str>>,
        model: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            at,
            provider: provider.into(),
            model: model.into(),
            tenant: Cow::Borrowed(""),
            tokens: [None; TokenKind::ALL.len()],
            cost_nanos: None,
            latency: None,
            time_to_first_token: None,
            outcome: Outcome::Ok,
            streamed: false,
            estimated: false,
            doubt: None,
        }
    }

    fn tokens(mut self, kind: TokenKind, tokens: Option<u64>) -> Self {
        self.tokens[kind.index()] = tokens;
        self
    }
}

/// A provider and a model, as `--model` gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelName {
    pub(crate) provider: String,
    pub(crate) model: String,
}

/// What stands in for what a trace leaves out.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    /// The moment that relative times count from, and that rows without any
    /// time are booked to; nanoseconds since the Unix epoch.
    pub(crate) start: u64,
    /// For rows that name no model.
    pub(crate) model: Option<ModelName>,
}

impl Defaults {
    /// The moment `nanos` after the start.
    fn after_start(&self, nanos: u64) -> Result<u64, String> {
        self.start
            .checked_add(nanos)
            .ok_or_else(|| "the time is after the year 2554".to_owned())
    }

    /// The name for all rows of a trace without models.
    fn model_or(&self, provider: &str) -> ModelName {
        self.model.clone().unwrap_or_else(|| ModelName {
            provider: provider.to_owned(),
            model: UNNAMED.to_owned(),
        })
    }
}

/// Where a trace is read from.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Standard input, which can be read once.
    Stdin,
    /// A file.
    File(PathBuf),
    /// A copy of what could be read only once.
    Spool {
        /// What it is a copy of.
        name: String,
        /// Has no name in the file system, so that nothing stays behind.
        file: Arc<File>,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Spool { name, .. } => f.write_str(name),
        }
    }
}

/// Why a trace could not be opened or read on.
#[derive(Debug)]
pub(crate) enum TraceError {
    /// The operating system, or the decompressor, refused something.
    Io { place: Place, source: io::Error },
    /// There is nothing in it.
    Empty { place: Place },
    /// It isn't in a known format.
    Unrecognised { place: Place, found: String },
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { place, source } => write!(f, "can't read the trace {place}: {source}"),
            Self::Empty { place } => write!(f, "the trace {place} is empty: nothing to replay"),
            Self::Unrecognised { place, found } => write!(
                f,
                "{place} is not a trace that quipu knows: {found}; known are {}",
                Format::list()
            ),
        }
    }
}

impl std::error::Error for TraceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A line that could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadLine {
    pub(crate) line: u64,
    /// How many lines are lost with it, itself included.
    pub(crate) lines: u64,
    pub(crate) reason: String,
}

/// What [`Trace::next`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A line that was read.
    Read,
    /// A line, or several that belong together, that was skipped.
    Bad(BadLine),
    /// The end.
    End,
}

/// A trace, open at some line.
pub(crate) struct Trace {
    place: Place,
    rows: Rows,
}

impl Trace {
    /// Opens a trace and recognises its format by its first line.
    pub(crate) fn open(place: &Place, defaults: &Defaults) -> Result<Self, TraceError> {
        let source = source::open(place).map_err(|source| TraceError::Io {
            place: place.clone(),
            source,
        })?;
        Self::from_source(source, place.clone(), defaults)
    }

    /// The format that was recognised.
    pub(crate) fn format(&self) -> Format {
        self.rows.format()
    }

    /// Reads the next line, handing its calls to `each`.
    pub(crate) fn next(&mut self, each: &mut dyn FnMut(Event<'_>)) -> Result<Step, TraceError> {
        self.rows.next(each).map_err(|source| TraceError::Io {
            place: self.place.clone(),
            source,
        })
    }

    /// Whether the next line is not here yet, as on a pipe.
    pub(crate) fn may_wait(&self) -> bool {
        self.rows.may_wait()
    }

    fn from_source(
        source: source::Source,
        place: Place,
        defaults: &Defaults,
    ) -> Result<Self, TraceError> {
        let rows = match Rows::recognise(source, defaults) {
            Ok(rows) => rows,
            Err(source::Refusal::Io(source)) => return Err(TraceError::Io { place, source }),
            Err(source::Refusal::Empty) => return Err(TraceError::Empty { place }),
            Err(source::Refusal::Unrecognised(found)) => {
                return Err(TraceError::Unrecognised { place, found });
            }
        };
        Ok(Self { place, rows })
    }
}
