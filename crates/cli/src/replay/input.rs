//! What is replayed: a trace, or the synthetic day; read as often as needed.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::batch::IN_MEMORY;
use super::pace::Order;
use super::speed::Speed;
use crate::error::CliError;
use crate::synth::Synth;
use crate::trace::{BadLine, Defaults, Event, Format, Place, Step, Trace, TraceError};

/// What is replayed.
// There is one of it, and it is never moved in bulk.
#[allow(clippy::large_enum_variant)]
pub(super) enum Input {
    Trace(TraceInput),
    Synth {
        seed: u64,
        requests: u64,
        start: u64,
    },
}

/// A trace that can be opened again.
pub(super) struct TraceInput {
    place: Place,
    defaults: Defaults,
    format: Format,
    /// Open, and not yet read from: opening a pipe again would lose what it
    /// has given.
    first: Option<Trace>,
}

impl TraceInput {
    /// Opens the trace and recognises its format. With `is_reread` it will be
    /// opened more than once, so that what comes from a pipe is kept in a
    /// temporary file.
    pub(super) fn open(
        mut place: Place,
        defaults: Defaults,
        is_reread: bool,
    ) -> Result<Self, CliError> {
        if is_reread && let Err(source) = spool(&mut place) {
            return Err(TraceError::Io { place, source }.into());
        }
        let trace = Trace::open(&place, &defaults)?;
        Ok(Self {
            format: trace.format(),
            place,
            defaults,
            first: Some(trace),
        })
    }

    /// Reads the whole trace without recording anything; fails at the first
    /// line that can't be read.
    pub(super) fn require_sound(&mut self) -> Result<(), CliError> {
        let Some(mut trace) = self.first.take() else {
            return Ok(());
        };
        loop {
            match trace.next(&mut |_| ())? {
                Step::Read => {}
                Step::End => return Ok(()),
                Step::Bad(BadLine { line, reason, .. }) => {
                    return Err(CliError::Failed(format!(
                        "line {line} of {}: {reason}; nothing was recorded, because of --strict",
                        self.place
                    )));
                }
            }
        }
    }
}

impl Input {
    /// For the summary.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Trace(trace) => format!("{}, {}", trace.place, trace.format),
            Self::Synth { seed, .. } => format!("a synthetic day, seed {seed}"),
        }
    }

    /// How many calls one pass has, where that is known before.
    pub(super) fn calls(&self) -> Option<u64> {
        match self {
            Self::Trace(_) => None,
            Self::Synth { requests, .. } => Some(*requests),
        }
    }

    /// In which order its calls come.
    pub(super) const fn order(&self) -> Order {
        match self {
            Self::Trace(trace) if !trace.format.is_in_order() => Order::Any,
            Self::Trace(_) | Self::Synth { .. } => Order::Time,
        }
    }

    /// How many calls are to be read before anything is made of them.
    pub(super) fn lookahead(&self, speed: Speed) -> usize {
        match (self, speed, self.order()) {
            // Nothing can be wrong with it.
            (Self::Synth { .. }, ..) => 0,
            (_, Speed::Max, _) => IN_MEMORY,
            (_, Speed::Times(_), Order::Any) => Order::Any.window(),
            (_, Speed::Times(_), Order::Time) => 1,
        }
    }

    /// The calls from the first on.
    pub(super) fn start(&mut self) -> Result<Calls, TraceError> {
        Ok(match self {
            Self::Trace(trace) => Calls::Trace(match trace.first.take() {
                Some(first) => first,
                None => Trace::open(&trace.place, &trace.defaults)?,
            }),
            Self::Synth {
                seed,
                requests,
                start,
            } => Calls::Synth(Synth::new(*seed, *requests, *start)),
        })
    }
}

/// One pass over the input.
// There is one of it, and it is never moved in bulk.
#[allow(clippy::large_enum_variant)]
pub(super) enum Calls {
    Trace(Trace),
    Synth(Synth),
}

impl Calls {
    /// Hands the calls of the next line to `each`.
    pub(super) fn next(&mut self, each: &mut dyn FnMut(Event<'_>)) -> Result<Step, TraceError> {
        match self {
            Self::Trace(trace) => trace.next(each),
            Self::Synth(synth) => Ok(match synth.next() {
                Some(event) => {
                    each(event);
                    Step::Read
                }
                None => Step::End,
            }),
        }
    }

    /// Whether the next line may be one that has to be waited for.
    pub(super) fn may_wait(&self) -> bool {
        match self {
            Self::Trace(trace) => trace.may_wait(),
            Self::Synth(_) => false,
        }
    }
}

/// Copies what can be read only once into a temporary file.
fn spool(place: &mut Place) -> io::Result<()> {
    let mut source: Box<dyn io::Read> = match place {
        Place::Stdin => Box::new(io::stdin().lock()),
        Place::File(path) => {
            let kind = path.metadata()?.file_type();
            if kind.is_file() || kind.is_dir() {
                return Ok(());
            }
            Box::new(File::open(&path)?)
        }
        Place::Spool { .. } => return Ok(()),
    };
    let mut file = tempfile::tempfile()?;
    io::copy(&mut source, &mut file)?;
    *place = Place::Spool {
        name: place.to_string(),
        file: Arc::new(file),
    };
    Ok(())
}

impl From<TraceError> for CliError {
    fn from(error: TraceError) -> Self {
        Self::Failed(error.to_string())
    }
}
