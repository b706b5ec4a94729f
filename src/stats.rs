//! What a recorder says about itself.

use std::time::Duration;

use crate::snapshot::Snapshot;

/// The state of a recorder or a store. Counts are over the life of the store,
/// across restarts. `attempted = accepted + rejected` and
/// `accepted = committed + in_ring`, always (I1).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Records offered.
    pub attempted: u64,
    /// Records accepted: `record` returned `Ok`.
    pub accepted: u64,
    /// Records refused, for any reason.
    pub rejected: u64,
    /// Of those, because every shard was full.
    pub rejected_full: u64,
    /// Of those, because the recorder was closed.
    pub rejected_closed: u64,
    /// Records accepted and not yet committed.
    pub in_ring: u64,
    /// Records counted and visible to readers.
    pub committed: u64,
    /// Of those, counted in this process's memory only, because the store
    /// can't be written at the moment: see `degraded`.
    pub unwritten: u64,
    /// Records that were accepted and are in no total: counted in memory only
    /// when the process died, or counted in a file that was set aside. Not in
    /// `accepted` any more.
    pub lost: u64,
    /// Of those, recovered from the ring of a writer that died.
    pub replayed: u64,
    /// Slots that were claimed by a writer that died before it filled them.
    pub holes: u64,
    /// Rings that were gone or unfit when the store was opened again after its writer
    /// had died, for example after a reboot: what they held is lost.
    pub rings_lost: u64,
    /// Commits that counted records.
    pub flushes: u64,
    /// Records that the last such commit counted.
    pub records_per_flush_last: u64,
    /// The most records that one commit counted.
    pub records_per_flush_max: u64,
    /// Mean over all such commits.
    pub records_per_flush_mean: f64,
    /// Slots of the ring, over all shards; 0 where there is no ring.
    pub ring_capacity: u64,
    /// The most slots that were in use when the consumer looked.
    pub ring_high_water: u64,
    /// The last commit.
    pub generation: u64,
    /// How long the last commit took, publication included; zero before the
    /// first.
    pub commit_last: Duration,
    /// The longest that a commit took.
    pub commit_max: Duration,
    /// Rows in use or free.
    pub rows: u64,
    /// Models that have a name.
    pub models: u64,
    /// Tenants that have a name.
    pub tenants: u64,
    /// The generation of the newest checkpoint, 0 where there is none.
    pub checkpoint: u64,
    /// Of `committed`, records that were taken over from a damaged file: see
    /// [`salvage`](crate::salvage).
    pub salvaged: u64,
    /// How often the consumer began again after a panic.
    pub restarts: u64,
    /// Calls that got `__other__` instead of a name of their own.
    pub names_refused: u64,
    /// What keeps the store from being written, if anything does; counts go on
    /// in memory. It goes away by itself with its reason.
    pub degraded: Option<String>,
}

impl Stats {
    /// What a commit says, with `in_ring` records on top of it.
    pub(crate) fn of(snapshot: &Snapshot, in_ring: u64) -> Self {
        let block = &snapshot.block;
        let (models, tenants) = snapshot.names.counts();
        let mut stats = Self {
            accepted: block
                .covered()
                .saturating_sub(block.holes)
                .saturating_sub(block.lost)
                + in_ring,
            in_ring,
            committed: block.records,
            replayed: block.replayed,
            holes: block.holes,
            rings_lost: block.rings_lost,
            lost: block.lost,
            restarts: block.restarts,
            salvaged: block.salvaged,
            flushes: block.flushes,
            records_per_flush_last: block.last_flush,
            records_per_flush_max: block.greatest_flush,
            records_per_flush_mean: block.flushed_records as f64 / block.flushes.max(1) as f64,
            ring_capacity: block.positions.len() as u64 * block.shard_capacity,
            ring_high_water: block.high_water,
            generation: snapshot.generation,
            commit_last: Duration::from_nanos(block.last_commit_nanos),
            commit_max: Duration::from_nanos(block.longest_commit_nanos),
            rows: block.rows,
            models,
            tenants,
            ..Self::default()
        };
        stats.set_refusals([
            block.rejected_full,
            block.rejected_closed,
            block.names_refused,
        ]);
        stats
    }

    /// How long the last commit took, which it can't say itself.
    pub(crate) fn set_last_commit(&mut self, nanos: u64) {
        if nanos > 0 {
            self.commit_last = Duration::from_nanos(nanos);
            self.commit_max = self.commit_max.max(self.commit_last);
        }
    }

    pub(crate) const fn set_refusals(&mut self, [full, closed, names]: [u64; 3]) {
        self.rejected_full = full;
        self.rejected_closed = closed;
        self.names_refused = names;
        self.rejected = full + closed;
        self.attempted = self.accepted + self.rejected;
    }
}
