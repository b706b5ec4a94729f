//! Following a store: through restarts of its writer, and before it is there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use quipu::{Label, OpenError, ReadError, Reader, Snapshot, Stats, Status, Totals};

use crate::error::CliError;
use crate::signals;

/// A store that can't be read may be one that is just being replaced; after so
/// long, and so many looks, it is one that can't be read.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOKS: u32 = 3;

/// What a look at the store found.
#[derive(Debug)]
pub(crate) enum Sight {
    /// There is nothing to read yet, or not at this moment.
    Nothing {
        /// Why.
        reason: String,
    },
    /// The store's state.
    Store(Box<View>),
}

/// A store at one moment.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) stats: Stats,
    pub(crate) status: Status,
    /// Shared with the view before it where nothing was committed.
    pub(crate) snapshot: Arc<Snapshot>,
}

/// A store that is looked at again and again.
#[derive(Debug)]
pub(crate) struct Watch {
    path: PathBuf,
    open: Option<Open>,
    /// Since when it can't be read, and how often that was seen.
    failing: Option<(Instant, u32)>,
}

#[derive(Debug)]
struct Open {
    reader: Reader,
    /// Device and inode of the store's directory.
    place: Option<(u64, u64)>,
    last: Option<Arc<Snapshot>>,
}

impl Watch {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            open: None,
            failing: None,
        }
    }

    /// Looks at the store now. An error is one that waiting won't cure.
    pub(crate) fn look(&mut self) -> Result<Sight, CliError> {
        match self.try_look() {
            Ok(view) => {
                self.failing = None;
                Ok(Sight::Store(Box::new(view)))
            }
            Err(error) => self.bear(error),
        }
    }

    fn try_look(&mut self) -> Result<View, ReadError> {
        let place = place(&self.path);
        // A store that was moved away or made anew is another store.
        let mut open = match self.open.take() {
            Some(open) if open.place == place => open,
            _ => Open {
                reader: Reader::open(&self.path)?,
                place,
                last: None,
            },
        };
        let status = open.reader.status()?;
        let stats = open.reader.stats()?;
        let snapshot = match &open.last {
            Some(last) if last.generation() == stats.generation => Arc::clone(last),
            _ => open.reader.snapshot()?,
        };
        open.last = Some(Arc::clone(&snapshot));
        self.open = Some(open);
        Ok(View {
            stats,
            status,
            snapshot,
        })
    }

    fn bear(&mut self, error: ReadError) -> Result<Sight, CliError> {
        let not_yet = match &error {
            ReadError::Open(error) if error.is_not_found() => Some("there is no store yet"),
            // A directory is made before what is in it.
            ReadError::Open(OpenError::NotAStore { .. }) if self.path.is_dir() => {
                Some("there is a directory, but no store in it yet")
            }
            _ => None,
        };
        if let Some(reason) = not_yet {
            self.failing = None;
            return Ok(Sight::Nothing {
                reason: reason.to_owned(),
            });
        }
        let hopeless = matches!(error, ReadError::Open(OpenError::Incompatible { .. }));
        let (since, looks) = self.failing.unwrap_or((Instant::now(), 0));
        self.failing = Some((since, looks + 1));
        if hopeless || looks >= LOOKS && since.elapsed() >= PATIENCE {
            return Err(error.into());
        }
        Ok(Sight::Nothing {
            reason: error.to_string(),
        })
    }
}

fn place(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Totals by provider and model, to be compared with later ones.
#[derive(Debug, Default)]
pub(crate) struct ByModel(BTreeMap<(Label, Label), Totals>);

impl ByModel {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let models = snapshot.by_model().into_iter();
        Self(models.map(|m| ((m.provider, m.model), m.totals)).collect())
    }

    /// Each model's totals with what was added since `earlier`.
    pub(crate) fn since<'a>(
        &'a self,
        earlier: &'a Self,
    ) -> impl Iterator<Item = (&'a Label, &'a Label, &'a Totals, Added)> {
        self.0.iter().map(|(key, totals)| {
            let added = match earlier.0.get(key) {
                Some(before) => Added::between(before, totals),
                None => Added::between(&Totals::default(), totals),
            };
            (&key.0, &key.1, totals, added)
        })
    }
}

/// What was added to totals between two looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) records: u64,
    pub(crate) errors: u64,
    /// Tokens of all kinds.
    pub(crate) tokens: u64,
    pub(crate) cost_nanos: u64,
    /// How many of the records had a cost.
    pub(crate) priced: u64,
}

impl Added {
    pub(crate) fn between(before: &Totals, after: &Totals) -> Self {
        Self {
            records: after.requests.saturating_sub(before.requests),
            errors: after.errors.saturating_sub(before.errors),
            tokens: after.all_tokens().saturating_sub(before.all_tokens()),
            cost_nanos: after.cost_nanos.saturating_sub(before.cost_nanos),
            priced: after.priced.saturating_sub(before.priced),
        }
    }

    /// The cost, unless no record had one.
    pub(crate) const fn cost(&self) -> Option<u64> {
        if self.priced == 0 {
            None
        } else {
            Some(self.cost_nanos)
        }
    }
}

/// The user's wish to stop: Ctrl-C, or a polite kill.
#[derive(Debug)]
pub(crate) struct Stop(Receiver<()>);

impl Stop {
    /// Listens from now on; once per process.
    pub(crate) fn listen() -> Result<Self, CliError> {
        let (sender, receiver) = mpsc::channel();
        signals::listen(move |_| {
            // Nobody listens any more when the command is ending anyway.
            let _ = sender.send(());
        })
        .map_err(CliError::deaf)?;
        Ok(Self(receiver))
    }

    /// Waits, and says whether the user stopped it meanwhile.
    pub(crate) fn within(&self, wait: Duration) -> bool {
        !matches!(self.0.recv_timeout(wait), Err(RecvTimeoutError::Timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shrank_added_nothing() {
        let before = Totals {
            requests: 5,
            cost_nanos: 7,
            priced: 1,
            ..Totals::default()
        };
        let added = Added::between(&before, &Totals::default());
        assert_eq!(added, Added::default());
        assert_eq!(added.cost(), None);
    }
}
