//! Reading a store from any process, without a trace in it (I6).

mod load;
mod status;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use status::{Status, Writer};
pub use verify::{Problem, Verification, verify};

use crate::error::{OpenError, ReadError};
use crate::snapshot::Snapshot;
use crate::stats::Stats;
use crate::store::layout::live;
use crate::store::{AGGREGATE, Aggregate, CHECKPOINT, Trouble};
use crate::sync::{Mutex, Ordering, lock};
use load::Loader;

/// Reads a store, read-only: while a writer is at work, after it closed, and
/// after it died.
///
/// A reader takes no lock that a writer could feel and writes nothing. It
/// keeps what it has copied, so that the next snapshot costs by what changed.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("usage.quipu");
/// # let recorder = quipu::Recorder::open(&path)?;
/// let reader = quipu::Reader::open(&path)?;
/// let snapshot = reader.snapshot()?;
/// println!("{} requests", snapshot.total().requests);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reader {
    store: PathBuf,
    loader: Mutex<Loader>,
}

impl Reader {
    /// Opens the store at `path`.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let store = path.as_ref().to_owned();
        let loader = Loader::open(&aggregate_of(&store)?)?;
        Ok(Self {
            store,
            loader: Mutex::new(loader),
        })
    }

    /// The newest committed view. The first call costs by rows held, later
    /// ones by rows changed.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, ReadError> {
        let mut loader = lock(&self.loader);
        self.renew(&mut loader)?;
        loader.snapshot()
    }

    /// What the last commit says of the recorder, and what has been claimed on
    /// the ring since.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn stats(&self) -> Result<Stats, ReadError> {
        let snapshot = self.snapshot()?;
        let loader = lock(&self.loader);
        let in_ring = loader.in_ring(&snapshot);
        let mut stats = Stats::of(&snapshot, in_ring);
        let nanos = loader.aggregate().live(live::COMMIT_NANOS);
        stats.set_last_commit(nanos.load(Ordering::Relaxed));
        let degraded = loader.aggregate().live(live::DEGRADED);
        // Relaxed: a word that says something by itself.
        stats.degraded = Trouble::explain(degraded.load(Ordering::Relaxed));
        let checkpoint = Aggregate::open(&self.store.join(CHECKPOINT), false);
        let checkpoint = checkpoint.and_then(|file| file.view());
        stats.checkpoint = checkpoint.ok().flatten().map_or(0, |view| view.generation);
        Ok(stats)
    }

    /// Whether a writer is at work, and how old the data is.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn status(&self) -> Result<Status, ReadError> {
        let snapshot = self.snapshot()?;
        let loader = lock(&self.loader);
        Ok(Status::of(&self.store, loader.aggregate(), &snapshot))
    }

    /// Opens the file anew where another one has taken its place.
    fn renew(&self, loader: &mut Loader) -> Result<(), ReadError> {
        match loader.aggregate().check_present() {
            Err(OpenError::Gone { .. }) => {
                *loader = Loader::open(&aggregate_of(&self.store)?)?;
                Ok(())
            }
            // What is mapped must not be touched.
            Err(cut @ OpenError::Damaged { .. }) => Err(cut.into()),
            // Where it can't be looked at, what is mapped is still good.
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// The aggregate file of the store at `path`, which must be a directory.
fn aggregate_of(path: &Path) -> Result<PathBuf, OpenError> {
    let metadata =
        std::fs::metadata(path).map_err(|error| OpenError::io("open the store", path, error))?;
    if !metadata.is_dir() {
        return Err(OpenError::NotAStore {
            path: path.to_owned(),
            found: "a store is a directory, and this is none".into(),
        });
    }
    let aggregate = path.join(AGGREGATE);
    match std::fs::symlink_metadata(&aggregate) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(OpenError::NotAStore {
            path: path.to_owned(),
            found: format!("there is no file `{AGGREGATE}` in it"),
        }),
        _ => Ok(aggregate),
    }
}
