//! The settings of a recorder, as planned.

use std::path::{Path, PathBuf};
use std::time::Duration;

use quipu::{Builder, Durability, Recorder};

use crate::plan::Plan;

/// Between checkpoints of a writer that makes them: the shortest there is.
const CHECKPOINTS: Duration = Duration::from_millis(10);
/// More than any store here has, so that no bucket is added to `older`.
const BUCKETS: u32 = 1 << 20;

/// Where the store is.
pub(crate) fn store(place: &Path) -> PathBuf {
    place.join("usage.quipu")
}

/// Where its ring is.
pub(crate) fn ring_dir(place: &Path) -> PathBuf {
    place.join("ring")
}

/// The recorder of a writer.
pub(crate) fn builder(place: &Path, plan: &Plan) -> Builder {
    let (store, ring) = (&plan.store, &plan.ring);
    let durability = if plan.checkpoints {
        Durability::Checkpoint(CHECKPOINTS)
    } else {
        Durability::Process
    };
    Recorder::builder()
        .ring_dir(ring_dir(place))
        .shards(ring.shards)
        .shard_capacity(ring.capacity)
        .flush_interval(ring.flush_interval)
        .flush_records(ring.flush_records)
        .durability(durability)
        .bucket(store.width)
        .buckets_kept(BUCKETS)
        .max_rows(store.max_rows)
        .max_models(store.max_models)
        .max_tenants(store.max_tenants)
}
