//! A shard: one bounded lock-free queue for many producers.
//!
//! ```text
//!          head                        cursor              tail
//!           |  committed by next commit  |  to be drained    |
//!   --------+----------------------------+-------------------+---------
//!   released|  drained, slots still held | published/claimed | free
//!           |<------------------- at most capacity --------->|
//! ```
//!
//! Producers move `tail` (claim), the consumer moves `head` (release), once
//! for each commit (I4). The consumer's cursor is its own.
//!
//! # Orderings
//!
//! - `tail` is only ever changed by read-modify-writes; which claim got which
//!   position, and whether a claim came before the close, follows from its
//!   modification order alone: `Relaxed`.
//! - `head` is stored with `Release` after the consumer read the slots, and
//!   loaded with `Acquire` before a producer overwrites them.

use super::slot::Slot;
use crate::disk::{Mappable, Placed, PlacedOne};
use crate::fault::point;
use crate::record::UsageRecord;
use crate::sync::{AtomicU64, Backoff, Ordering};

/// Set in `tail` when the shard takes no more records.
const CLOSED: u64 = 1 << 63;

/// Positions are counted modulo 2^63; the top bit of the word is `CLOSED`.
const POSITION_MASK: u64 = CLOSED - 1;

/// How many slots ahead of the claim the line is asked for.
const PREFETCH_AHEAD: u64 = 8;

/// The distance from position `from` on to position `to`.
#[inline]
pub(crate) const fn distance(from: u64, to: u64) -> u64 {
    to.wrapping_sub(from) & POSITION_MASK
}

/// A word on cache lines of its own; two, since lines are fetched in pairs.
#[derive(Debug, Default)]
#[repr(C, align(128))]
struct Lined(AtomicU64);

/// The two words that producers and consumer share.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Control {
    tail: Lined,
    head: Lined,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Control>() == 256);

// SAFETY: atomics and unread padding, any bits, no drop, alignment 128 (I6).
unsafe impl Mappable for Control {}

/// Why a claim was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// All slots hold records that aren't committed yet.
    Full,
    /// The recorder was closed.
    Closed,
}

/// What a dead process left in a shard.
pub(crate) struct Survivors<R> {
    /// Positions that were released without having been committed.
    pub(crate) lost: u64,
    /// The positions after those up to which a producer may have claimed, and
    /// the record at each; `None` is a hole.
    pub(crate) records: R,
}

/// A run of claimed positions.
struct Claim {
    first: u64,
    count: u64,
    /// Slots in use with this claim.
    fill: u64,
}

/// One bounded queue of records; its clones are the same queue.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Shard {
    control: PlacedOne<Control>,
    slots: Placed<Slot>,
}

impl Shard {
    /// A shard on the given memory; `slots` has a power of two of them.
    pub(crate) fn new(control: PlacedOne<Control>, slots: Placed<Slot>) -> Self {
        assert!(slots.len().is_power_of_two());
        Self { control, slots }
    }

    /// A shard in memory of this process, whose first position is `position`.
    pub(crate) fn in_memory(capacity: usize, position: u64) -> std::io::Result<Self> {
        let shard = Self::new(PlacedOne::anonymous()?, Placed::anonymous(capacity)?);
        shard.reset(position);
        Ok(shard)
    }

    /// Opens the shard for business at `position`, with nothing in it. Not to
    /// be called while producers are at work.
    pub(crate) fn reset(&self, position: u64) {
        let position = position & POSITION_MASK;
        self.head().store(position, Ordering::Relaxed);
        // Relaxed: the threads that use the shard get it by other means.
        self.tail().store(position, Ordering::Relaxed);
    }

    /// Slots.
    pub(crate) fn capacity(&self) -> u64 {
        self.slots.len() as u64
    }

    /// Publishes one record, unless another thread was faster or there may be
    /// no room; gives the number of slots then in use. `room` is the capacity,
    /// or 0 where nobody may publish.
    #[inline]
    pub(crate) fn try_push(&self, record: &UsageRecord, room: u64) -> Option<u64> {
        let tail = self.tail().load(Ordering::Relaxed);
        // Acquire: pairs with the Release in `release`; the consumer's reads
        // of the slots come before this thread's writes (I4).
        let head = self.head().load(Ordering::Acquire);
        // Not modulo 2^63: when the shard is closed, or the positions begin
        // anew, this is greater than any room.
        let fill = tail.wrapping_sub(head);
        let next = tail.wrapping_add(1) & POSITION_MASK;
        if fill >= room || self.advance(tail, next).is_err() {
            return None;
        }
        self.publish(tail, record);
        Some(fill + 1)
    }

    /// Whether there is room for a record, as far as one look can tell.
    pub(crate) fn has_room(&self, room: u64) -> bool {
        !self.is_closed() && self.held() < room
    }

    /// Publishes one record, if there is room; gives the number of slots then
    /// in use.
    pub(crate) fn push(&self, record: &UsageRecord, room: u64) -> Result<u64, Refused> {
        let claim = self.claim(1, room)?;
        self.publish(claim.first, record);
        Ok(claim.fill)
    }

    /// Publishes as many of `records` as fit, from the first on, with one
    /// claim; gives their number and the slots then in use.
    #[inline]
    pub(crate) fn push_batch(
        &self,
        records: &[UsageRecord],
        room: u64,
    ) -> Result<(usize, u64), Refused> {
        let claim = self.claim(records.len() as u64, room)?;
        let positions = (0..claim.count).map(|n| (claim.first + n) & POSITION_MASK);
        for (position, record) in positions.zip(records) {
            self.publish(position, record);
        }
        Ok((claim.count as usize, claim.fill))
    }

    #[inline]
    fn publish(&self, position: u64, record: &UsageRecord) {
        point!("record: claimed");
        self.slot(position.wrapping_add(PREFETCH_AHEAD))
            .prefetch_for_write();
        self.slot(position).publish(position, record);
        point!("record: published");
    }

    /// Takes up to `wanted` positions, at least one.
    fn claim(&self, wanted: u64, room: u64) -> Result<Claim, Refused> {
        let backoff = Backoff::new();
        let mut tail = self.tail().load(Ordering::Relaxed);
        loop {
            if tail & CLOSED != 0 || room == 0 {
                return Err(Refused::Closed);
            }
            // Acquire: as in `try_push`.
            let head = self.head().load(Ordering::Acquire);
            let fill = distance(head, tail);
            if fill >= room {
                // Either full, or `tail` was older than `head`. The Acquire
                // above makes the next load at least as new as `head`.
                let now = self.tail().load(Ordering::Relaxed);
                if now == tail {
                    return Err(Refused::Full);
                }
                tail = now;
                continue;
            }
            let count = wanted.min(room - fill);
            match self.advance(tail, (tail + count) & POSITION_MASK) {
                Ok(first) => {
                    return Ok(Claim {
                        first,
                        count,
                        fill: fill + count,
                    });
                }
                Err(now) => {
                    tail = now;
                    backoff.spin();
                }
            }
        }
    }

    /// Claims the positions from `tail` up to `next`, unless somebody else did.
    #[inline]
    fn advance(&self, tail: u64, next: u64) -> Result<u64, u64> {
        // Not the weak one: a failure says that there is another thread.
        self.tail()
            .compare_exchange(tail, next, Ordering::Relaxed, Ordering::Relaxed)
    }

    /// Hands the records from `cursor` on to `take`, at most `most` and up to
    /// the first that isn't published; gives the next position.
    #[inline]
    pub(crate) fn drain(
        &self,
        mut cursor: u64,
        most: u64,
        mut take: impl FnMut(&UsageRecord),
    ) -> u64 {
        for _ in 0..most {
            if self.slot(cursor).read(cursor, &mut take).is_none() {
                break;
            }
            cursor = (cursor + 1) & POSITION_MASK;
        }
        cursor
    }

    /// Hands the slots before `position` back to the producers.
    #[inline]
    pub(crate) fn release(&self, position: u64) {
        // Release: pairs with the Acquire in `claim`; all reads of the slots
        // come before (I4).
        self.head().store(position, Ordering::Release);
    }

    /// Takes no more records. What was claimed before is below the position
    /// that this gives.
    pub(crate) fn close(&self) -> u64 {
        self.tail().fetch_or(CLOSED, Ordering::Relaxed) & POSITION_MASK
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.tail().load(Ordering::Relaxed) & CLOSED != 0
    }

    /// The position of the next claim.
    pub(crate) fn claimed(&self) -> u64 {
        self.tail().load(Ordering::Relaxed) & POSITION_MASK
    }

    /// Claimed positions that are not released.
    pub(crate) fn held(&self) -> u64 {
        // Relaxed: for the thread that releases, and for statistics.
        distance(self.head().load(Ordering::Relaxed), self.claimed())
    }

    /// Whether less was claimed than is committed: then this is not the shard
    /// that the commit was made of, but an older copy of it.
    pub(crate) fn is_behind(&self, committed: u64) -> bool {
        distance(committed, self.claimed()) > POSITION_MASK / 2
    }

    /// What is left from `committed` on. For recovery: no producer is at work.
    pub(crate) fn survivors(
        &self,
        committed: u64,
    ) -> Survivors<impl Iterator<Item = Option<UsageRecord>> + '_> {
        // A head beyond the commit was released while the store could not be
        // written: those slots may have been used again.
        let head = self.head().load(Ordering::Relaxed) & POSITION_MASK;
        let lost = match distance(committed, head) {
            lost if lost <= distance(committed, self.claimed()) => lost,
            _ => 0,
        };
        let first = (committed + lost) & POSITION_MASK;
        Survivors {
            lost,
            records: self.survivors_from(first),
        }
    }

    fn survivors_from(&self, first: u64) -> impl Iterator<Item = Option<UsageRecord>> + '_ {
        let window = move |n: u64| {
            let position = (first + n) & POSITION_MASK;
            self.slot(position).read(position, |record| *record)
        };
        let published = (0..self.capacity())
            .rev()
            .find(|n| window(*n).is_some())
            .map_or(0, |last| last + 1);
        // A tail that isn't within the window was not written by a claim.
        let claimed = match distance(first, self.claimed()) {
            claimed if claimed <= self.capacity() => claimed,
            _ => 0,
        };
        (0..published.max(claimed)).map(window)
    }

    #[inline]
    fn tail(&self) -> &AtomicU64 {
        &self.control.tail.0
    }

    #[inline]
    fn head(&self) -> &AtomicU64 {
        &self.control.head.0
    }

    #[inline]
    fn slot(&self, position: u64) -> &Slot {
        let slots = &*self.slots;
        &slots[position as usize & (slots.len() - 1)]
    }
}
