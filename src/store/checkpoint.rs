//! Checkpoints: whole, synced copies of what was committed, for when the live
//! file doesn't survive (a power cut writes its pages back in any order).
//!
//! A checkpoint is an aggregate file that nobody writes to any more. It is
//! built beside the last one, synced, and renamed over it; then the directory
//! is synced. So there is the old one or the new one, whole, at any instant.

use std::path::PathBuf;

use super::CHECKPOINT;
use super::aggregate::{Aggregate, View};
use super::identity::Identity;
use super::image::write_image;
use super::load::Loaded;
use super::lock::StoreLock;
use super::set_aside::{SetAside, set_aside};
use crate::disk::files;
use crate::error::OpenError;
use crate::fault::point;
use crate::ledger::Row;
use crate::names::Names;
use crate::sync::Arc;

/// Writes checkpoints of one store.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    dir: PathBuf,
    identity: Identity,
    /// The generation of the newest that is safe; 0 for none.
    newest: u64,
    /// Held as long as this may write.
    _lock: Arc<StoreLock>,
}

impl Checkpoints {
    /// Takes over the store's directory. What lies there as a checkpoint and
    /// is none of this store, or isn't whole, is set aside: it is safe only as
    /// far as it could be restored. Gives what was.
    pub(crate) fn new(
        dir: PathBuf,
        identity: Identity,
        lock: Arc<StoreLock>,
    ) -> Result<(Self, Option<SetAside>), OpenError> {
        let path = dir.join(CHECKPOINT);
        let there = Aggregate::open(&path, false)
            .and_then(|there| Ok((Loaded::load(&there, false)?, there.identity.store)));
        let (newest, aside) = match there {
            Ok((loaded, store)) if store == identity.store => (loaded.view.generation, None),
            Ok(_) => (0, Some(set_aside(&path, "of another store")?)),
            Err(error) if error.is_not_found() => (0, None),
            Err(OpenError::Damaged { what, .. }) => (0, Some(set_aside(&path, what)?)),
            Err(other) => return Err(other),
        };
        let checkpoints = Self {
            dir,
            identity,
            newest,
            _lock: lock,
        };
        Ok((checkpoints, aside))
    }

    /// The generation of the newest that is safe; 0 for none.
    pub(crate) const fn newest(&self) -> u64 {
        self.newest
    }

    /// Makes what `view` and `each` say survive a power cut. When this returns,
    /// it does; on an error the last checkpoint still stands.
    pub(crate) fn write(
        &mut self,
        mut view: View,
        names: &Names,
        each: impl FnOnce(&mut dyn FnMut(u32, &mut Row)),
    ) -> Result<(), OpenError> {
        let (draft, place) = (self.dir.join("checkpoint.new"), self.dir.join(CHECKPOINT));
        // Always a new file: pages whose sync failed once are not tried again.
        let image = write_image(&draft, self.identity, names, &mut view, each)?;
        point!("checkpoint: written");
        image
            .aggregate
            .sync()
            .and_then(|()| {
                files::rename(&draft, &place)
                    .map_err(|error| OpenError::io("rename", &draft, error))
            })
            .inspect_err(|_| {
                // Best effort: the error that is on its way says more.
                let _ = files::remove(&draft);
            })?;
        point!("checkpoint: renamed");
        files::sync_directory(&self.dir)
            .map_err(|error| OpenError::io("sync the directory", &self.dir, error))?;
        if self.newest == 0
            && let Some(parent) = self.dir.parent().filter(|dir| !dir.as_os_str().is_empty())
        {
            // The store's own name. Best effort: a directory that nobody here
            // may open was synced long ago.
            let _ = files::sync_directory(parent);
        }
        self.newest = view.generation;
        Ok(())
    }
}
