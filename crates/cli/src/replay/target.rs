//! Where a replay records to: the store that was named, or one of its own
//! that is gone afterwards. Either is a real store with files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quipu::Recorder;
use tempfile::TempDir;

use crate::error::CliError;
use crate::screen::note;

/// How long somebody who can't wait waits for the last commit.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// An open store.
pub(super) struct Target {
    pub(super) recorder: Recorder,
    pub(super) path: PathBuf,
    is_temporary: bool,
    cleanup: Cleanup,
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
            let recorder = Recorder::open(path)?;
            for aside in recorder.set_aside() {
                note(&aside.to_string());
            }
            return Ok(Self {
                recorder,
                path: path.to_owned(),
                is_temporary: false,
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
            is_temporary: true,
            cleanup,
        })
    }

    /// What the report calls it.
    pub(super) fn name(&self) -> &Path {
        if self.is_temporary {
            Path::new("a temporary store")
        } else {
            &self.path
        }
    }

    pub(super) const fn is_temporary(&self) -> bool {
        self.is_temporary
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

impl Drop for Target {
    fn drop(&mut self) {
        // Where an error came before the end.
        self.cleanup.run();
    }
}
