//! The ring: all shards. Producers push on one side, the one [`Drainer`]
//! reads in bulk on the other.

#[cfg(not(loom))]
mod affinity;
mod drain;
#[cfg(not(loom))]
mod file;
mod shard;
mod slot;
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(all(test, not(loom)))]
mod wrap_tests;

use crate::disk::PlacedOne;
use crate::record::UsageRecord;
use crate::sync::{AtomicU64, Ordering};

pub(crate) use drain::Drainer;
#[cfg(all(test, not(loom)))]
pub(crate) use file::word;
#[cfg(not(loom))]
pub(crate) use file::{Geometry, MAX_SHARD_CAPACITY, RingFile, RingId};
#[cfg(not(loom))]
pub(crate) use shard::Survivors;
pub(crate) use shard::{Refused, Shard, distance};

/// The most shards that a ring can have.
pub(crate) const MAX_SHARDS: usize = 64;

/// All shards of a recorder.
#[derive(Debug)]
pub(crate) struct Ring {
    /// The shard that each home prefers: every shard as often as there is
    /// room. Within this struct, for `record` waits for each pointer that it
    /// has to follow.
    homes: [Shard; MAX_SHARDS],
    /// The first so many homes are the shards, each once.
    count: usize,
    /// Slots in use in one shard from which on the consumer is woken.
    high_water: u64,
    /// Slots of a shard in the process that opened the ring, and 0 in a forked
    /// child, which shares the shards and must not touch them: for it, no
    /// shard has room.
    room: PlacedOne<AtomicU64>,
}

impl Ring {
    /// A ring of the given shards: a power of two of them, all of one size.
    pub(crate) fn new(shards: &[Shard]) -> std::io::Result<Self> {
        assert!(shards.len().is_power_of_two() && shards.len() <= MAX_SHARDS);
        let room: PlacedOne<AtomicU64> = PlacedOne::wiped_on_fork()?;
        // Relaxed: the threads that use the ring get it by other means.
        room.store(shards[0].capacity(), Ordering::Relaxed);
        Ok(Self {
            homes: std::array::from_fn(|home| shards[home % shards.len()].clone()),
            count: shards.len(),
            high_water: shards[0].capacity() / 2,
            room,
        })
    }

    /// The ring as a forked child has it: the same shards, and no room.
    #[cfg(loom)]
    pub(crate) fn forked(&self) -> std::io::Result<Self> {
        Ok(Self {
            homes: self.homes.clone(),
            room: PlacedOne::wiped_on_fork()?,
            ..*self
        })
    }

    /// A ring in memory of this process.
    pub(crate) fn in_memory(shards: usize, capacity: usize) -> std::io::Result<Self> {
        let shards: std::io::Result<Vec<_>> =
            (0..shards).map(|_| Shard::in_memory(capacity, 0)).collect();
        Self::new(&shards?)
    }

    /// Slots over all shards.
    pub(crate) fn capacity(&self) -> u64 {
        self.shards().iter().map(Shard::capacity).sum()
    }

    /// The shards, in the order of their positions in a commit.
    pub(crate) fn shards(&self) -> &[Shard] {
        &self.homes[..self.count]
    }

    /// Publishes a record on shard `home`, where that goes at once. `Some(true)`
    /// says that the consumer should be woken; `None` that nothing was done.
    #[inline]
    pub(crate) fn try_push(&self, home: usize, record: &UsageRecord) -> Option<bool> {
        let fill = self.homes[home & (MAX_SHARDS - 1)].try_push(record, self.room())?;
        Some(fill >= self.high_water)
    }

    /// Whether shard `home` takes records: who was refused there at once, met
    /// another thread.
    pub(crate) fn has_room(&self, home: usize) -> bool {
        self.homes[home & (MAX_SHARDS - 1)].has_room(self.room())
    }

    /// Publishes a record on shard `home` or, when that is full, on the first
    /// other that isn't. `Ok(true)` says that the consumer should be woken.
    pub(crate) fn push(&self, home: usize, record: &UsageRecord) -> Result<bool, Refused> {
        if let Some(wake) = self.try_push(home, record) {
            return Ok(wake);
        }
        let room = self.room();
        match self.homes[home & (MAX_SHARDS - 1)].push(record, room) {
            Ok(fill) => return Ok(fill >= self.high_water),
            Err(Refused::Closed) => return Err(Refused::Closed),
            Err(Refused::Full) => {}
        }
        for shard in self.neighbours(home) {
            match shard.push(record, room) {
                // The home shard is full: the consumer should know.
                Ok(_) => return Ok(true),
                Err(Refused::Closed) => return Err(Refused::Closed),
                Err(Refused::Full) => {}
            }
        }
        Err(Refused::Full)
    }

    /// Publishes as many of `records` as fit, from the first on: one claim on
    /// the home shard, and one on each other while some are left. Gives their
    /// number, whether the consumer should be woken, and why the rest was
    /// refused.
    #[inline]
    pub(crate) fn push_batch(
        &self,
        home: usize,
        records: &[UsageRecord],
    ) -> (usize, bool, Option<Refused>) {
        let room = self.room();
        let mut done = 0;
        let mut wake = false;
        let home_shard = &self.homes[home & (MAX_SHARDS - 1)];
        for shard in std::iter::once(home_shard).chain(self.neighbours(home)) {
            if done == records.len() {
                return (done, wake, None);
            }
            match shard.push_batch(&records[done..], room) {
                Ok((count, fill)) => {
                    done += count;
                    wake |= fill >= self.high_water;
                }
                Err(Refused::Closed) => return (done, wake, Some(Refused::Closed)),
                Err(Refused::Full) => wake = true,
            }
        }
        let refused = (done < records.len()).then_some(Refused::Full);
        (done, wake, refused)
    }

    fn neighbours(&self, home: usize) -> impl Iterator<Item = &Shard> {
        let mask = self.count - 1;
        (1..self.count).map(move |n| &self.homes[home.wrapping_add(n) & mask])
    }

    /// Whether this is the process that opened the ring, not a fork of it.
    #[inline]
    pub(crate) fn is_owned(&self) -> bool {
        self.room() != 0
    }

    #[inline]
    fn room(&self) -> u64 {
        // Relaxed: it changes at a fork only, in a process of one thread.
        self.room.load(Ordering::Relaxed)
    }

    /// Takes no more records.
    pub(crate) fn close(&self) {
        for shard in self.shards() {
            shard.close();
        }
    }

    /// Whether the ring takes no more records from this process.
    pub(crate) fn is_closed(&self) -> bool {
        !self.is_owned() || self.shards()[0].is_closed()
    }

    /// Slots that are claimed and, by the positions of a commit, not yet
    /// committed.
    pub(crate) fn in_use(&self, committed: &[u64]) -> u64 {
        self.shards()
            .iter()
            .zip(committed)
            .map(|(shard, committed)| distance(*committed, shard.claimed()))
            .sum()
    }

    /// Whether this may be the ring of which so much was committed.
    pub(crate) fn goes_on_from(&self, committed: &[u64]) -> bool {
        self.shards().len() == committed.len()
            && !self
                .shards()
                .iter()
                .zip(committed)
                .any(|(shard, committed)| shard.is_behind(*committed))
    }

    /// Slots that are not released.
    pub(crate) fn held(&self) -> u64 {
        self.shards().iter().map(Shard::held).sum()
    }

    /// Whether a shard is filled up to the high-water mark.
    pub(crate) fn is_pressed(&self) -> bool {
        self.shards()
            .iter()
            .any(|shard| shard.held() >= self.high_water)
    }
}

#[cfg(not(loom))]
pub(crate) use affinity::{home, home_so_far, move_on};
