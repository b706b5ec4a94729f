//! Where a replay records to: the store that was named, or one of its own
//! that is gone afterwards. Either is a real store with files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io};

use quipu::Recorder;
use tempfile::TempDir;

use crate::error::CliError;
use crate::format::plural;
use crate::screen::note;

/// How long somebody who can't wait waits for the last commit.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// An open store.
pub(super) struct Target {
    pub(super) recorder: Recorder,
    pub(super) path: PathBuf,
    origin: Origin,
    cleanup: Cleanup,
}

/// What was at the store's place before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Nothing, and nothing will be.
    Temporary,
    Nothing,
    EmptyDirectory,
    Store,
}

/// What must not stay behind, however the process ends.
#[derive(Clone, Default)]
pub(super) struct Cleanup(Arc<Mutex<Option<Temporary>>>);

struct Temporary {
    recorder: Recorder,
    directory: TempDir,
}

impl Cleanup {
    /// Closes and removes a temporary store at once. What can't be removed
    /// stays: the process ends and nobody waits for it.
    pub(super) fn run(&self) {
        if let Some(temporary) = self.take() {
            // Closing removes the ring, which is not in the directory.
            let _ = temporary.recorder.close(IMPATIENCE);
            let _ = temporary.directory.close();
        }
    }

    fn take(&self) -> Option<Temporary> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, temporary: Temporary) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(temporary);
    }
}

impl Target {
    pub(super) fn open(store: Option<&Path>, cleanup: Cleanup) -> Result<Self, CliError> {
        if let Some(path) = store {
            let origin = Origin::of(path);
            let recorder = Recorder::open(path)?;
            for aside in recorder.set_aside() {
                note(&aside.to_string());
            }
            return Ok(Self {
                recorder,
                path: path.to_owned(),
                origin,
                cleanup,
            });
        }
        let directory = TempDir::with_prefix("quipu-replay-").map_err(|error| {
            CliError::Failed(format!(
                "can't make a temporary store: {error}; name one with --store"
            ))
        })?;
        let path = directory.path().join("usage.quipu");
        let recorder = Recorder::open(&path)?;
        cleanup.put(Temporary {
            recorder: recorder.clone(),
            directory,
        });
        Ok(Self {
            recorder,
            path,
            origin: Origin::Temporary,
            cleanup,
        })
    }

    /// What the report calls it.
    pub(super) fn name(&self) -> &Path {
        if self.is_temporary() {
            Path::new("a temporary store")
        } else {
            &self.path
        }
    }

    pub(super) const fn is_temporary(&self) -> bool {
        matches!(self.origin, Origin::Temporary)
    }

    /// Makes undone what a replay did that failed after so many records, if it
    /// can be, and says what became of them. The store must be closed.
    pub(super) fn undo(&self, failure: &CliError, records: u64) -> CliError {
        let store = self.path.display();
        let removed = match self.origin {
            Origin::Temporary => return CliError::Failed(failure.to_string()),
            Origin::Store => {
                let records = plural(records, "record");
                let before = format!("{records} had been recorded in {store} before that");
                return CliError::Failed(format!("{failure}; {before}"));
            }
            Origin::Nothing => fs::remove_dir_all(&self.path),
            Origin::EmptyDirectory => clear(&self.path),
        };
        CliError::Failed(match removed {
            Ok(()) => format!("{failure}; the new store {store} was removed again"),
            Err(error) => format!("{failure}; the new store {store} can't be removed: {error}"),
        })
    }

    /// Gives up the store, which must be closed.
    pub(super) fn end(&self) -> Result<(), CliError> {
        let Some(Temporary { directory, .. }) = self.cleanup.take() else {
            return Ok(());
        };
        let path = directory.path().to_owned();
        directory.close().map_err(|error| {
            CliError::Failed(format!(
                "can't remove the temporary store {}: {error}; remove it by hand",
                path.display()
            ))
        })
    }
}

impl Origin {
    fn of(path: &Path) -> Self {
        match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
            Ok(true) => Self::EmptyDirectory,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Nothing,
            // Whatever it is, it was there before.
            Ok(false) | Err(_) => Self::Store,
        }
    }
}

fn clear(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}

impl Drop for Target {
    fn drop(&mut self) {
        // Where an error came before the end.
        self.cleanup.run();
    }
}
