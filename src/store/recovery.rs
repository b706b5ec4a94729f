//! From the last writer's ring to a new one.

use std::path::{Path, PathBuf};

use super::aggregate::Aggregate;
use super::commit::CommitBlock;
use super::load::Loaded;
use super::open::OpenOptions;
use crate::bucket::now_nanos;
use crate::error::OpenError;
use crate::ledger::Ledger;
use crate::names::{ModelId, NameKind, Names, TenantId};
use crate::record::UsageRecord;
use crate::ring::{Ring, RingFile, RingId};

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

/// Creates the ring that the store is used with from now on, and puts it into
/// `block`.
pub(super) fn new_ring(
    store: &Path,
    aggregate: &Aggregate,
    loaded: &mut Loaded,
    block: &mut CommitBlock,
    options: &OpenOptions,
) -> Result<(RingFile, Ring), OpenError> {
    let number = block.rings + 1;
    let id = RingId::new(aggregate.identity.store, aggregate.file(), number)
        .map_err(|error| OpenError::io("look at", aggregate.path(), error))?;
    let (dir, (file, ring)) = match &options.ring_dir {
        Some(dir) => {
            let dir = absolute(dir)?;
            let created = RingFile::create(&dir, id, options.geometry)?;
            (dir, created)
        }
        None => {
            let shared = PathBuf::from(SHARED_MEMORY);
            match RingFile::create(&shared, id, options.geometry) {
                Ok(created) => (shared, created),
                // No shared memory, or too little, as in many containers.
                Err(_) => {
                    let dir = absolute(store)?;
                    let created = RingFile::create(&dir, id, options.geometry)?;
                    (dir, created)
                }
            }
        }
    };
    let dir = dir.to_str().ok_or_else(|| OpenError::Setting {
        name: "ring_dir",
        what: "must be a path in UTF-8".into(),
    })?;
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
    block.shard_capacity = options.geometry.capacity as u64;
    block.positions = vec![0; options.geometry.shards];
    Ok((file, ring))
}

fn absolute(path: &Path) -> Result<PathBuf, OpenError> {
    path.canonicalize()
        .map_err(|error| OpenError::io("find", path, error))
}
