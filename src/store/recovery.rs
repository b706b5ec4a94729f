//! From the last writer's ring to a new one.

use std::path::Path;

use super::aggregate::Aggregate;
use super::commit::CommitBlock;
use super::load::Loaded;
use crate::bucket::now_nanos;
use crate::error::OpenError;
use crate::ledger::Ledger;
use crate::names::{ModelId, NameKind, Names, TenantId};
use crate::record::UsageRecord;
use crate::ring::{Geometry, Ring, RingFile, RingId};

/// Where rings go unless the caller chose: memory that outlives the process.
const SHARED_MEMORY: &str = "/dev/shm";

/// Folds what the last writer's ring holds beyond the last commit, and takes
/// the ring out of `block`. Gives the ring's file, to be removed later.
pub(super) fn replay(
    aggregate: &Aggregate,
    names: &Names,
    block: &mut CommitBlock,
    ledger: &mut Ledger,
) -> Result<Option<RingFile>, OpenError> {
    if block.ring == 0 {
        return Ok(None);
    }
    let io = |error| OpenError::io("look at", aggregate.path(), error);
    let id = RingId::new(aggregate.identity.store, aggregate.file(), block.ring).map_err(io)?;
    let dir = names
        .ring_dir(block.ring_dir as u32)
        .ok_or_else(|| aggregate.damaged("the name of the ring's directory is missing"))?;
    let opened = RingFile::open(Path::new(dir.as_str()), id)?;
    let covered = block.covered();
    let mut survived = 0;
    let file = match opened {
        None => {
            // Shared memory is empty after a reboot: what was in the ring and
            // not committed is gone, and nobody can say how much it was.
            block.rings_lost += 1;
            None
        }
        Some((file, ring)) => {
            if ring.shards().len() != block.positions.len() {
                let what = "the ring has another number of shards than was committed";
                return Err(aggregate.damaged(what));
            }
            let now = now_nanos();
            for (shard, position) in ring.shards().iter().zip(&block.positions) {
                for survivor in shard.survivors(*position) {
                    survived += 1;
                    match survivor {
                        Some(record) => {
                            ledger.fold(&known(record, names), now);
                            block.replayed += 1;
                        }
                        None => block.holes += 1,
                    }
                }
            }
            Some(file)
        }
    };
    block.earlier_positions = covered.wrapping_add(survived);
    block.ring = 0;
    block.positions = Vec::new();
    Ok(file)
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
    let id = RingId::new(aggregate.identity.store, aggregate.file(), number)
        .map_err(|error| OpenError::io("look at", aggregate.path(), error))?;
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
    let ring_dir = match loaded.names.find(NameKind::RingDir, dir) {
        Some(known) => known,
        None => {
            let next = loaded.names.next_id(NameKind::RingDir);
            loaded
                .names_log
                .append(aggregate, NameKind::RingDir, next, dir)?;
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
