//! Where a replay records to: the store that was named, or one of its own
//! that is gone afterwards. Either is a real store with files.

use std::io::Write;
use std::path::{Path, PathBuf};

use quipu::Recorder;
use tempfile::TempDir;

use crate::error::CliError;
use crate::text;

/// An open store.
pub(super) struct Target {
    pub(super) recorder: Recorder,
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Target {
    pub(super) fn open(store: Option<PathBuf>) -> Result<Self, CliError> {
        if let Some(path) = store {
            let recorder = Recorder::open(&path)?;
            for aside in recorder.set_aside() {
                let line = text::visible_message(&aside.to_string()).to_string();
                // With stderr closed there is nobody left to tell.
                let _ = writeln!(std::io::stderr(), "quipu: {line}");
            }
            return Ok(Self {
                recorder,
                path,
                temporary: None,
            });
        }
        let directory = TempDir::with_prefix("quipu-replay-").map_err(|error| {
            CliError::Failed(format!(
                "can't make a temporary store: {error}; name one with --store"
            ))
        })?;
        let path = directory.path().join("usage.quipu");
        Ok(Self {
            recorder: Recorder::open(&path)?,
            path,
            temporary: Some(directory),
        })
    }

    /// What the report calls it.
    pub(super) fn name(&self) -> &Path {
        match self.temporary {
            Some(_) => Path::new("a temporary store"),
            None => &self.path,
        }
    }

    pub(super) const fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// Gives up the store, which must be closed.
    pub(super) fn end(self) -> Result<(), CliError> {
        drop(self.recorder);
        let Some(directory) = self.temporary else {
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
