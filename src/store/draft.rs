//! The draft: a file that is to take the place of the live one. It does so
//! when it has a commit of its own. Whoever is killed before that leaves
//! everything as it was, and whoever is killed in between leaves a draft with
//! all the counts, for the next open to go on with.

use std::path::{Path, PathBuf};

use super::aggregate::Aggregate;
use super::set_aside::{SetAside, set_aside};
use super::{AGGREGATE, DRAFT};
use crate::disk::files;
use crate::error::OpenError;
use crate::fault::point;
use crate::ring::{RingFile, RingId};

/// Removed when it is dropped, unless it has the counts by then.
#[derive(Debug)]
pub(super) struct Draft {
    dir: PathBuf,
    /// What can't be used, and why.
    unfit: Vec<(PathBuf, String)>,
    has_counts: bool,
}

impl Draft {
    /// One that is about to be written, in place of one that was not finished.
    /// That may have a ring in one of `ring_dirs`, which goes with it unless
    /// somebody recorded on it.
    pub(super) fn begin(dir: &Path, ring_dirs: &[&Path]) -> Result<Self, OpenError> {
        let draft = Self {
            dir: dir.to_owned(),
            unfit: Vec::new(),
            has_counts: false,
        };
        if !ring_dirs.is_empty()
            && let Ok(before) = Aggregate::open(&draft.path(), false)
        {
            let id = RingId::new(before.identity.store, before.inode()?.1, 0);
            for dir in ring_dirs {
                RingFile::remove_unused(dir, id);
            }
        }
        files::remove(&draft.path())?;
        Ok(draft)
    }

    /// One that somebody who was killed had all but put into its place.
    pub(super) fn left_over(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            unfit: Vec::new(),
            has_counts: true,
        }
    }

    /// What is at `path`, if anything, is to be set aside.
    pub(super) fn replace(&mut self, path: PathBuf, reason: impl Into<String>) {
        self.unfit.push((path, reason.into()));
    }

    pub(super) fn path(&self) -> PathBuf {
        self.dir.join(DRAFT)
    }

    /// Whether it is needed from now on.
    pub(super) const fn has_counts(&self) -> bool {
        self.has_counts
    }

    /// Sets aside what can't be used, and makes the draft the live file.
    pub(super) fn put_in_place(&mut self) -> Result<Vec<SetAside>, OpenError> {
        let mut aside = Vec::new();
        for (path, reason) in std::mem::take(&mut self.unfit) {
            match set_aside(&path, reason) {
                Err(error) if error.is_not_found() => {}
                other => {
                    aside.push(other?);
                    self.has_counts = true;
                }
            }
        }
        let place = self.dir.join(AGGREGATE);
        point!("create: before the rename");
        files::rename(&self.path(), &place)
            .map_err(|error| OpenError::io("create", &place, error))?;
        self.has_counts = true;
        point!("create: after the rename");
        Ok(aside)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.has_counts {
            // Best effort: the error that is on its way says more.
            let _ = files::remove(&self.path());
        }
    }
}
