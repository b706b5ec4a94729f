//! Entering a store's directory as the one writer, and leaving it as it was
//! where the opening then fails.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::lock::StoreLock;
use super::{AGGREGATE, DRAFT, LOCK};
use crate::disk::files;
use crate::error::OpenError;
use crate::sync::Arc;

/// How often somebody else may undo a failed creation between our steps.
const ATTEMPTS: u32 = 100;

/// A store's directory whose lock is held.
#[derive(Debug)]
pub(super) struct Entry {
    path: PathBuf,
    pub(super) lock: Arc<StoreLock>,
    made_directory: bool,
    /// There was no aggregate file when the lock was taken, nor one that only
    /// had to be put into its place.
    is_new: bool,
}

impl Entry {
    /// Creates the directory where there is none, and takes the lock.
    pub(super) fn enter(path: &Path) -> Result<Self, OpenError> {
        let mut attempts = 0;
        loop {
            let made_directory = create_directory(path)?;
            let is_undone =
                |error: &OpenError| matches!(error, OpenError::Gone { .. }) || error.is_not_found();
            match StoreLock::take(path, &path.join(LOCK)) {
                Err(error) if is_undone(&error) && attempts < ATTEMPTS => attempts += 1,
                lock => {
                    let is_missing = |name| {
                        fs::symlink_metadata(path.join(name))
                            .is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
                    };
                    return Ok(Self {
                        path: path.to_owned(),
                        lock: Arc::new(lock?),
                        made_directory,
                        is_new: is_missing(AGGREGATE) && is_missing(DRAFT),
                    });
                }
            }
        }
    }

    /// Removes what wasn't there before. The lock is still held, so nobody else
    /// is at work in the directory (I7).
    pub(super) fn undo(self) {
        if !self.is_new {
            return;
        }
        // Best effort: the error that is on its way says more.
        let _ = files::remove(&self.path.join(LOCK));
        if self.made_directory {
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Whether the directory had to be created.
fn create_directory(path: &Path) -> Result<bool, OpenError> {
    match files::create_directory(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let is_directory = fs::metadata(path).is_ok_and(|metadata| metadata.is_dir());
            if is_directory {
                return Ok(false);
            }
            Err(OpenError::NotAStore {
                path: path.to_owned(),
                found: "it is there, but not a directory".into(),
            })
        }
        Err(error) => Err(OpenError::io("create the directory", path, error)),
    }
}
