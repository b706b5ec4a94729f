//! Opening a store for writing: take the lock, choose the file to go on with,
//! replay what was not committed, and go into business with a new ring, all by
//! one commit.
//!
//! Nothing that a reader or another recovery could see is written before that
//! commit, so that opening can be killed and repeated at any point (I2).

use std::path::{Path, PathBuf};

use super::choose::{Chosen, choose};
use super::commit::CommitBlock;
use super::entry::Entry;
use super::load::Loaded;
use super::lock::StoreLock;
use super::names_log::NamesLog;
use super::recovery::{RingPlace, new_ring, replay};
use super::set_aside::SetAside;
use super::writer::{Store, write_commit};
use super::{AGGREGATE, DRAFT};
use crate::bucket::Bucket;
use crate::disk::{boot_id, files};
use crate::error::OpenError;
use crate::fault::point;
use crate::ledger::{Ledger, LedgerLimits};
use crate::names::Names;
use crate::pricing::Pricing;
use crate::ring::{Geometry, Ring};
use crate::sync::Arc;

/// What the caller wants of a store.
#[derive(Clone, Debug)]
pub(crate) struct OpenOptions {
    pub(crate) bucket: Option<Bucket>,
    pub(crate) geometry: Geometry,
    pub(crate) limits: LedgerLimits,
    pub(crate) ring_dir: Option<PathBuf>,
}

/// The parts of an open store, each for the one that works with it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) block: CommitBlock,
    pub(crate) ring: Ring,
    pub(crate) names: Arc<Names>,
    pub(crate) names_log: NamesLog,
    pub(crate) bucket: Bucket,
    pub(crate) set_aside: Vec<SetAside>,
}

/// Opens the store at `path` for writing, and creates it where there is none.
/// On an error, nothing that wasn't there is there.
pub(crate) fn open(
    path: &Path,
    options: &OpenOptions,
    pricing: Option<&mut Pricing>,
) -> Result<Opened, OpenError> {
    if let Some(chosen) = &options.ring_dir {
        // Before anything is created.
        RingPlace::find(Some(chosen), path)?;
    }
    let entry = Entry::enter(path)?;
    let lock = Arc::clone(&entry.lock);
    go_on(path, options, pricing, lock).inspect_err(|_| entry.undo())
}

fn go_on(
    path: &Path,
    options: &OpenOptions,
    pricing: Option<&mut Pricing>,
    lock: Arc<StoreLock>,
) -> Result<Opened, OpenError> {
    let place = RingPlace::find(options.ring_dir.as_deref(), path)?;
    let Chosen {
        mut aggregate,
        mut loaded,
        mut draft,
        before,
    } = choose(path, options.bucket.unwrap_or_default(), &place.dirs())?;
    let bucket = aggregate.identity.bucket;
    if options.bucket.is_some_and(|wanted| wanted != bucket) {
        return Err(OpenError::Setting {
            name: "bucket",
            what: format!("is fixed when a store is created, and this store has {bucket:?}"),
        });
    }
    let generation = loaded.view.generation;
    let mut block = loaded.view.block.clone();
    let rows_in_use = block.rows;
    let ledger_rows = std::mem::take(&mut loaded.ledger_rows);
    let mut ledger = Ledger::new(bucket, options.limits, ledger_rows, block.records);
    let replayed = replay(
        &aggregate,
        &mut loaded,
        before.as_ref(),
        &mut block,
        &mut ledger,
        pricing,
    )?;

    let geometry = options.geometry;
    let (ring_file, ring) = new_ring(&place, &aggregate, &mut loaded, &mut block, geometry)?;
    let Loaded {
        names,
        mut rows,
        names_log,
        ..
    } = loaded;
    block.set_boot(boot_id());
    point!("recovery: before the commit");
    rows.reserve(&aggregate, ledger.rows().len())
        .and_then(|()| {
            aggregate.scrub(generation);
            rows.scrub(generation);
            rows.clear_from(rows_in_use);
            write_commit(&aggregate, &rows, generation, &mut ledger, &mut block)
        })
        .inspect_err(|_| {
            // Best effort: nothing was accepted on it.
            let _ = ring_file.remove();
        })?;
    ledger.settle();
    let mut set_aside = Vec::new();
    if let Some(draft) = &mut draft {
        set_aside = draft.put_in_place().inspect_err(|_| {
            if !draft.has_counts() {
                // Best effort, as above.
                let _ = ring_file.remove();
            }
        })?;
        aggregate.set_path(&path.join(AGGREGATE));
    } else {
        // Best effort: what is left of another attempt is in nobody's way.
        let _ = files::remove(&path.join(DRAFT));
    }
    set_aside.extend(replayed.set_aside);
    point!("recovery: after the commit");
    if let Some(earlier) = replayed.file {
        // Best effort, as below: all that was in it is committed now.
        let _ = earlier.remove();
    }
    ring_file.remove_others();
    let store = Store {
        dir: path.to_owned(),
        aggregate: Arc::new(aggregate),
        rows,
        generation: generation + 1,
        ring_file,
        lock,
        last_heartbeat: 0,
        is_gone: false,
    };
    store.show(std::process::id());
    Ok(Opened {
        store,
        ledger,
        block,
        ring,
        names,
        names_log,
        bucket,
        set_aside,
    })
}
