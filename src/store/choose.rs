//! What of that which lies in the directory the store goes on with: its live
//! file, the checkpoint in its place, or a new one. What can't be used is set
//! aside, never overwritten (I11).

use std::path::Path;

use super::aggregate::{Aggregate, View};
use super::identity::Identity;
use super::load::Loaded;
use super::set_aside::{SetAside, set_aside};
use super::{AGGREGATE, CHECKPOINT, DRAFT};
use crate::bucket::{Bucket, now_nanos};
use crate::disk::files;
use crate::disk::format::StoreId;
use crate::error::OpenError;
use crate::fault::point;
use crate::names::Names;
use crate::sync::Arc;

/// The file that the store goes on with.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) aggregate: Aggregate,
    pub(super) loaded: Loaded,
    /// What was set aside for it.
    pub(super) set_aside: Vec<SetAside>,
    /// What the file that was set aside last said, where that could be read.
    pub(super) before: Option<Before>,
}

/// What is known of a live file that was set aside.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) aggregate: Aggregate,
    pub(super) view: View,
    pub(super) names: Arc<Names>,
}

pub(super) fn choose(dir: &Path, bucket: Bucket) -> Result<Chosen, OpenError> {
    let live_path = dir.join(AGGREGATE);
    let mut aside = Vec::new();
    let mut before = None;
    let live = load(&live_path);
    // What may not be touched refuses the store before anything is set aside.
    let checkpoint = checkpoint(dir)?;
    match live {
        Ok((aggregate, loaded)) => match newer(checkpoint.as_ref(), &aggregate, &loaded.view) {
            None => {
                return Ok(Chosen {
                    aggregate,
                    loaded,
                    set_aside: aside,
                    before,
                });
            }
            Some(_) => {
                let reason = "older than the checkpoint";
                aside.push(set_aside(&live_path, reason)?);
                before = Some(Before {
                    aggregate,
                    view: loaded.view,
                    names: loaded.names,
                });
            }
        },
        Err(error) if error.is_not_found() => {}
        Err(OpenError::Damaged { what, .. }) => {
            before = Before::of(&live_path);
            aside.push(set_aside(&live_path, what)?);
        }
        Err(other) => return Err(other),
    }
    match restore(dir) {
        Ok(()) => {}
        Err(error) if error.is_not_found() => create(dir, bucket)?,
        Err(OpenError::Damaged { what, .. }) => {
            aside.push(set_aside(&dir.join(CHECKPOINT), what)?);
            create(dir, bucket)?;
        }
        Err(other) => return Err(other),
    }
    let (aggregate, loaded) = load(&live_path)?;
    Ok(Chosen {
        aggregate,
        loaded,
        set_aside: aside,
        before,
    })
}

fn load(path: &Path) -> Result<(Aggregate, Loaded), OpenError> {
    let aggregate = Aggregate::open(path, true)?;
    let loaded = Loaded::load(&aggregate, true)?;
    Ok((aggregate, loaded))
}

/// What lies there as the checkpoint, if it can be read.
fn checkpoint(dir: &Path) -> Result<Option<Aggregate>, OpenError> {
    match Aggregate::open(&dir.join(CHECKPOINT), false) {
        Ok(there) => Ok(Some(there)),
        Err(OpenError::Damaged { .. }) => Ok(None),
        Err(error) if error.is_not_found() => Ok(None),
        Err(other) => Err(other),
    }
}

/// The checkpoint, where it is sound and covers more than the live file: after
/// a power cut the disk has old pages of the live file, and every page of the
/// checkpoint.
fn newer(checkpoint: Option<&Aggregate>, live: &Aggregate, view: &View) -> Option<Loaded> {
    let aggregate = checkpoint?;
    let checkpoint = aggregate.view().ok()??;
    let is_ours = aggregate.identity.store == live.identity.store;
    let is_newer = checkpoint.generation > view.generation
        && checkpoint.block.covered() >= view.block.covered();
    // Reading all of it comes last: nearly always it is the older one.
    (is_ours && is_newer).then(|| Loaded::load(aggregate, false).ok())?
}

/// Makes a copy of the checkpoint the live file.
fn restore(dir: &Path) -> Result<(), OpenError> {
    let from = dir.join(CHECKPOINT);
    let source = Aggregate::open(&from, false)?;
    Loaded::load(&source, false)?;
    let draft = dir.join(DRAFT);
    files::remove(&draft)?;
    let file = files::create_new(&draft)?;
    source
        .copy_to(&file, &draft)
        .and_then(|()| {
            point!("restore: before the rename");
            let to = dir.join(AGGREGATE);
            files::rename(&draft, &to).map_err(|error| OpenError::io("create", &to, error))
        })
        .inspect_err(|_| {
            // Best effort: the error that is on its way says more.
            let _ = files::remove(&draft);
        })
}

/// Creates an empty live file. It is built under another name and renamed when
/// it is whole: what is killed in here is not a store.
fn create(dir: &Path, bucket: Bucket) -> Result<(), OpenError> {
    let (draft, place) = (dir.join(DRAFT), dir.join(AGGREGATE));
    files::remove(&draft)?;
    let random = StoreId::random().map_err(|error| OpenError::io("create", &place, error))?;
    let identity = Identity::new(random, now_nanos(), bucket);
    let created = Aggregate::create(&draft, identity).and_then(|_| {
        point!("create: before the rename");
        files::rename(&draft, &place).map_err(|error| OpenError::io("create", &place, error))
    });
    point!("create: after the rename");
    created.inspect_err(|_| {
        // Best effort: the error that is on its way says more.
        let _ = files::remove(&draft);
    })
}

impl Before {
    /// Where the last ring is, as far as a damaged file still says so: the
    /// commit and the names must be sound.
    fn of(path: &Path) -> Option<Self> {
        let aggregate = Aggregate::open(path, false).ok()?;
        let view = aggregate.view().ok()??;
        aggregate.check_blocks(view.generation).ok()?;
        let names = super::load::load_names(&aggregate).ok()?;
        Some(Self {
            aggregate,
            view,
            names,
        })
    }
}
