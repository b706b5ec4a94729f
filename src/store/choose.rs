//! What of that which lies in the directory the store goes on with: its live
//! file, the checkpoint in its place, or a new one. What can't be used is set
//! aside, never overwritten (I11), once the file in its place has a commit.

use std::path::Path;

use super::aggregate::{Aggregate, View};
use super::commit::CommitBlock;
use super::draft::Draft;
use super::identity::Identity;
use super::load::{Loaded, load_names};
use super::{AGGREGATE, CHECKPOINT};
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
    /// Where it is still to be put into its place.
    pub(super) draft: Option<Draft>,
    /// What the file that was set aside last said, where that could be read.
    pub(super) before: Option<Before>,
}

/// What is known of a live file that is set aside.
#[derive(Debug)]
pub(super) struct Before {
    /// Its inode, by which its ring is found.
    pub(super) inode: u64,
    /// What it said last; `None` where the file that takes its place says more.
    pub(super) last: Option<Last>,
}

/// The last commit of a live file that is set aside.
#[derive(Debug)]
pub(super) struct Last {
    pub(super) store: StoreId,
    pub(super) block: CommitBlock,
    pub(super) names: Arc<Names>,
}

pub(super) fn choose(dir: &Path, bucket: Bucket, ring_dirs: &[&Path]) -> Result<Chosen, OpenError> {
    let live_path = dir.join(AGGREGATE);
    let mut unfit = None;
    let mut before = None;
    let live = load(&live_path);
    // What may not be touched refuses the store before anything is changed.
    let checkpoint = checkpoint(dir)?;
    match live {
        Ok((aggregate, loaded)) => match newer(checkpoint.as_ref(), &aggregate, &loaded.view)? {
            None => {
                return Ok(Chosen {
                    aggregate,
                    loaded,
                    draft: None,
                    before,
                });
            }
            Some(_) => {
                let inode = aggregate.inode()?.1;
                before = Some(Before { inode, last: None });
                unfit = Some("older than the checkpoint".to_owned());
            }
        },
        Err(error) if error.is_not_found() => {
            if let Some(chosen) = left_over(dir, checkpoint.as_ref())? {
                return Ok(chosen);
            }
        }
        Err(OpenError::Damaged { what, .. }) => {
            before = Some(Before::of(&live_path)?);
            unfit = Some(what);
        }
        Err(other) => return Err(other),
    }
    let mut draft = Draft::begin(dir, ring_dirs)?;
    if let Some(what) = unfit {
        draft.replace(live_path, what);
    }
    let path = draft.path();
    match restore(dir, &path) {
        Ok(()) => {}
        Err(error) if error.is_not_found() => create(&path, bucket)?,
        Err(OpenError::Damaged { what, .. }) => {
            draft.replace(dir.join(CHECKPOINT), what);
            create(&path, bucket)?;
        }
        Err(other) => return Err(other),
    }
    let (aggregate, loaded) = load(&path)?;
    Ok(Chosen {
        aggregate,
        loaded,
        draft: Some(draft),
        before,
    })
}

/// The draft of somebody who was killed after setting the live file aside, or
/// while writing it anew. It has all that was counted.
fn left_over(dir: &Path, checkpoint: Option<&Aggregate>) -> Result<Option<Chosen>, OpenError> {
    let draft = Draft::left_over(dir);
    let Some((aggregate, loaded)) = if_sound(|| load(&draft.path()).map(Some))? else {
        return Ok(None);
    };
    let is_ours = checkpoint.is_none_or(|there| there.identity.store == aggregate.identity.store);
    let is_committed = loaded.view.generation > 0;
    if !is_ours || !is_committed || newer(checkpoint, &aggregate, &loaded.view)?.is_some() {
        return Ok(None);
    }
    Ok(Some(Chosen {
        aggregate,
        loaded,
        draft: Some(draft),
        before: None,
    }))
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
fn newer(
    checkpoint: Option<&Aggregate>,
    live: &Aggregate,
    view: &View,
) -> Result<Option<Loaded>, OpenError> {
    let Some(aggregate) = checkpoint else {
        return Ok(None);
    };
    if_sound(|| {
        let checkpoint = aggregate.view_at_rest()?.unwrap_or_default();
        let is_ours = aggregate.identity.store == live.identity.store;
        let is_newer = checkpoint.generation > view.generation
            && checkpoint.block.covered() >= view.block.covered();
        // Reading all of it comes last: nearly always it is the older one.
        let newer = (is_ours && is_newer).then(|| Loaded::load(aggregate, false));
        newer.transpose()
    })
}

/// `None` for what is not there or not sound. What the system can't read at
/// the moment is an error: it must not pass for damaged.
fn if_sound<T>(
    read: impl FnOnce() -> Result<Option<T>, OpenError>,
) -> Result<Option<T>, OpenError> {
    match read() {
        Err(error @ OpenError::Io { .. }) if !error.is_not_found() => Err(error),
        other => Ok(other.ok().flatten()),
    }
}

/// Makes `draft` a copy of the checkpoint.
fn restore(dir: &Path, draft: &Path) -> Result<(), OpenError> {
    let source = Aggregate::open(&dir.join(CHECKPOINT), false)?;
    Loaded::load(&source, false)?;
    let file = files::create_new(draft)?;
    source.copy_to(&file, draft)?;
    point!("restore: before the rename");
    Ok(())
}

/// Creates an empty file.
fn create(draft: &Path, bucket: Bucket) -> Result<(), OpenError> {
    let random = StoreId::random().map_err(|error| OpenError::io("create", draft, error))?;
    Aggregate::create(draft, Identity::new(random, now_nanos(), bucket))?;
    Ok(())
}

impl Before {
    /// What a damaged file still says.
    fn of(path: &Path) -> Result<Self, OpenError> {
        use std::os::unix::fs::MetadataExt;
        let there = std::fs::symlink_metadata(path)
            .map_err(|error| OpenError::io("look at", path, error))?;
        Ok(Self {
            inode: there.ino(),
            last: if_sound(|| Self::last(path))?,
        })
    }

    /// Its last commit, if that and the names are sound.
    fn last(path: &Path) -> Result<Option<Last>, OpenError> {
        let aggregate = Aggregate::open(path, false)?;
        let Some(view) = aggregate.view_at_rest()? else {
            return Ok(None);
        };
        aggregate.check_blocks(view.generation)?;
        let names = load_names(&aggregate)?;
        Ok(Some(Last {
            store: aggregate.identity.store,
            block: view.block,
            names,
        }))
    }
}
