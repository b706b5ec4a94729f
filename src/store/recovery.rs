//! From the last writer's ring to a new one.

use std::path::Path;

use super::aggregate::Aggregate;
use super::choose::Before;
use super::commit::CommitBlock;
use super::load::Loaded;
use super::set_aside::{SetAside, set_aside};
use crate::bucket::now_nanos;
use crate::disk::{boot_id, is_same_boot};
use crate::error::OpenError;
use crate::fault::point;
use crate::ledger::Ledger;
use crate::names::{ModelId, NameKind, Names, TenantId};
use crate::pricing::Pricing;
use crate::record::UsageRecord;
use crate::ring::{Geometry, Ring, RingFile, RingId, Survivors};
use crate::sync::Arc;

/// Where rings go unless the caller chose: memory that outlives the process.
const SHARED_MEMORY: &str = "/dev/shm";

/// What became of the last writer's ring.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    /// Its file, to be removed when all that was in it is committed.
    pub(super) file: Option<RingFile>,
    /// Or where it was set aside.
    pub(super) set_aside: Option<SetAside>,
}

/// Folds what the last writer's ring holds beyond the last commit, and takes
/// the ring out of `block`. Where the live file was set aside, `before` says
/// what the ring continues.
pub(super) fn replay(
    aggregate: &Aggregate,
    loaded: &mut Loaded,
    before: Option<&Before>,
    block: &mut CommitBlock,
    ledger: &mut Ledger,
    pricing: Option<&mut Pricing>,
) -> Result<Replayed, OpenError> {
    point!("recovery: before the replay");
    let names = Arc::clone(&loaded.names);
    let known_last = before
        .and_then(|before| before.last.as_ref())
        .filter(|last| !last.block.is_behind(block));
    let (store, last) = match known_last {
        Some(last) => {
            take_over_names(aggregate, loaded, &last.names)?;
            (last.store, last.block.clone())
        }
        None => (aggregate.identity.store, block.clone()),
    };
    if before.is_some() && known_last.is_none() && block.ring == 0 {
        // Whether there was one, nobody can say any more.
        block.rings_lost += 1;
    }
    // What the file that was set aside had counted and this one has not.
    let covered = last.covered();
    block.lost = block
        .lost
        .wrapping_add(covered.wrapping_sub(block.covered()));
    block.earlier_positions = covered;
    block.positions = Vec::new();
    block.ring = 0;
    if last.ring == 0 {
        return Ok(Replayed::default());
    }
    let inode = match before {
        Some(before) => before.inode,
        None => aggregate.inode()?.1,
    };
    let id = RingId::new(store, inode, last.ring);
    let Some(dir) = last.ring_dir(&names) else {
        // Only a file that was set aside says so: one that is loaded has it.
        block.rings_lost += 1;
        return Ok(Replayed::default());
    };
    let dir = Path::new(dir.as_str());
    let opened = if is_same_boot(last.boot(), boot_id()) {
        RingFile::open(dir, id)
    } else {
        Err(RingFile::unfit(
            dir,
            id,
            "it was written before the last reboot",
        ))
    };
    match opened {
        Ok(Some((file, ring))) if ring.goes_on_from(&last.positions) => {
            let now = now_nanos();
            let mut priced = pricing.map(|pricing| pricing.batch(&names));
            for (shard, position) in ring.shards().iter().zip(&last.positions) {
                let Survivors { lost, records } = shard.survivors(*position);
                block.lost = block.lost.wrapping_add(lost);
                let mut survived = lost;
                for survivor in records {
                    survived += 1;
                    match survivor {
                        Some(record) => {
                            let record = known(record, &names);
                            let record = match &mut priced {
                                Some(priced) => priced.price(&record),
                                None => record,
                            };
                            ledger.fold(&record, now);
                            block.replayed += 1;
                        }
                        None => block.holes += 1,
                    }
                    point!("recovery: mid replay");
                }
                block.earlier_positions = block.earlier_positions.wrapping_add(survived);
            }
            Ok(Replayed {
                file: Some(file),
                set_aside: None,
            })
        }
        Ok(None) => {
            // Shared memory is empty after a reboot: what was in the ring and
            // not committed is gone, and nobody can say how much it was.
            block.rings_lost += 1;
            Ok(Replayed::default())
        }
        Ok(Some((_, ring))) => {
            let what = if ring.shards().len() == last.positions.len() {
                "it is an older copy: more is committed than was ever on it"
            } else {
                "it has another number of shards than was committed"
            };
            unfit(block, RingFile::unfit(dir, id, what))
        }
        Err(error) => unfit(block, error),
    }
}

/// Adds the names that the file that was set aside had and this one has not:
/// the records on the ring go by their ids. A checkpoint has the first of them,
/// a new file none.
fn take_over_names(
    aggregate: &Aggregate,
    loaded: &mut Loaded,
    names: &Names,
) -> Result<(), OpenError> {
    for (kind, id, name) in names.all() {
        if loaded.names.next_id(kind) == id {
            loaded.names_log.append(aggregate, kind, id, &name)?;
            loaded.names.add(kind, &name);
        }
    }
    Ok(())
}

/// Sets a ring aside that can't be replayed.
fn unfit(block: &mut CommitBlock, error: OpenError) -> Result<Replayed, OpenError> {
    let OpenError::Damaged { path, what } = error else {
        return Err(error);
    };
    block.rings_lost += 1;
    Ok(Replayed {
        file: None,
        set_aside: match set_aside(&path, what) {
            Err(error) if error.is_not_found() => None,
            other => Some(other?),
        },
    })
}

/// The record with ids that the store knows. Ids are in the file before they
/// are given out, so only a damaged slot has others.
fn known(mut record: UsageRecord, names: &Names) -> UsageRecord {
    if u32::from(record.model) >= names.next_id(NameKind::Model { provider: 0 }) {
        record.model = ModelId::OTHER.0;
    }
    if record.tenant >= names.next_id(NameKind::Tenant) {
        record.tenant = TenantId::OTHER.0;
    }
    record
}

/// Where the new ring may be.
#[derive(Debug)]
pub(super) struct RingPlace {
    /// Whether shared memory is tried first.
    shared: bool,
    dir: String,
}

impl RingPlace {
    /// The directory that the caller chose; otherwise shared memory and, in
    /// its place, the directory that holds the store.
    pub(super) fn find(chosen: Option<&Path>, store: &Path) -> Result<Self, OpenError> {
        let dir = chosen.unwrap_or(store);
        let absolute = dir
            .canonicalize()
            .and_then(|absolute| {
                if absolute.is_dir() {
                    Ok(absolute)
                } else {
                    Err(std::io::ErrorKind::NotADirectory.into())
                }
            })
            .map_err(|error| OpenError::io("find the directory", dir, error))?;
        let dir = absolute.to_str().ok_or_else(|| OpenError::Setting {
            name: "ring_dir",
            what: "must be a path in UTF-8".into(),
        })?;
        Ok(Self {
            shared: chosen.is_none(),
            dir: dir.to_owned(),
        })
    }

    /// All directories in which a ring may be created.
    pub(super) fn dirs(&self) -> Vec<&Path> {
        let shared = self.shared.then(|| Path::new(SHARED_MEMORY));
        shared.into_iter().chain([Path::new(&self.dir)]).collect()
    }
}

/// Creates the ring that the store is used with from now on, and puts it into
/// `block`.
pub(super) fn new_ring(
    place: &RingPlace,
    aggregate: &Aggregate,
    loaded: &mut Loaded,
    block: &mut CommitBlock,
    geometry: Geometry,
) -> Result<(RingFile, Ring), OpenError> {
    let number = block.rings + 1;
    let id = RingId::new(aggregate.identity.store, aggregate.inode()?.1, number);
    let shared = place
        .shared
        .then(|| RingFile::create(Path::new(SHARED_MEMORY), id, geometry).ok())
        .flatten();
    let (dir, (file, ring)) = match shared {
        Some(created) => (SHARED_MEMORY, created),
        // Chosen by the caller; or there is no shared memory or too little of
        // it, as in many containers.
        None => {
            let dir = place.dir.as_str();
            (dir, RingFile::create(Path::new(dir), id, geometry)?)
        }
    };
    point!("recovery: ring created");
    let ring_dir = match loaded.names.find(NameKind::RingDir, dir) {
        Some(known) => known,
        None => {
            let next = loaded.names.next_id(NameKind::RingDir);
            loaded
                .names_log
                .append(aggregate, NameKind::RingDir, next, dir)
                .inspect_err(|_| {
                    // Best effort: nothing was accepted on it.
                    let _ = file.remove();
                })?;
            loaded.names.add(NameKind::RingDir, dir).id
        }
    };
    block.ring = number;
    block.rings = number;
    block.ring_dir = u64::from(ring_dir);
    block.shard_capacity = geometry.capacity as u64;
    block.positions = vec![0; geometry.shards];
    Ok((file, ring))
}
