//! The reading side of the ring. There is one drainer for each ring; it owns
//! the cursors.

use super::{Ring, Shard, distance};
use crate::record::UsageRecord;
use crate::sync::Arc;

/// Reads published records in bulk and hands their slots back after a commit.
#[derive(Debug)]
pub(crate) struct Drainer {
    ring: Arc<Ring>,
    cursors: Box<[u64]>,
}

impl Drainer {
    /// A drainer of `ring` that goes on at the given positions.
    pub(crate) fn new(ring: Arc<Ring>, positions: &[u64]) -> Self {
        assert_eq!(ring.shards().len(), positions.len());
        Self {
            ring,
            cursors: positions.into(),
        }
    }

    /// Goes back to positions that are not released yet.
    pub(crate) fn go_back(&mut self, positions: &[u64]) {
        self.cursors.copy_from_slice(positions);
    }

    /// Hands up to `most` records of each shard to `take`; gives how many.
    #[inline]
    pub(crate) fn drain(&mut self, most: u64, mut take: impl FnMut(&UsageRecord)) -> u64 {
        let mut drained = 0;
        for (shard, cursor) in self.ring.shards().iter().zip(&mut self.cursors) {
            let next = shard.drain(*cursor, most, &mut take);
            drained += distance(*cursor, next);
            *cursor = next;
        }
        drained
    }

    /// Where all that is claimed now ends: a drain target. After `close` it is
    /// exact.
    pub(crate) fn target(&self) -> Box<[u64]> {
        self.ring.shards().iter().map(Shard::claimed).collect()
    }

    /// Whether everything before `target` is drained.
    pub(crate) fn has_reached(&self, target: &[u64]) -> bool {
        // A cursor beyond its target shows as a distance of nearly 2^63.
        let capacity = self.ring.shards()[0].capacity();
        self.cursors
            .iter()
            .zip(target)
            .all(|(cursor, target)| match distance(*cursor, *target) {
                0 => true,
                left => left > capacity,
            })
    }

    /// The next position of each shard: what the next commit covers.
    pub(crate) fn positions(&self) -> &[u64] {
        &self.cursors
    }

    /// Hands all drained slots back to the producers; only after the commit
    /// that covers them (I4).
    pub(crate) fn release(&self) {
        for (shard, cursor) in self.ring.shards().iter().zip(&self.cursors) {
            shard.release(*cursor);
        }
    }
}
