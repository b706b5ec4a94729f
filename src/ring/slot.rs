//! A slot: one cache line that holds a sequence word and a record.
//!
//! # Orderings
//!
//! The record's words are relaxed atomics. The sequence word carries the
//! synchronisation: the producer stores `position + 1` with `Release` after
//! the words, and who reads that value with `Acquire` sees the whole record.
//! A slot is not written again before its position was released (I4).

use crate::disk::Mappable;
use crate::fault::point;
use crate::record::{RECORD_WORDS, UsageRecord};
use crate::sync::{AtomicU64, Ordering};

/// One record on the ring.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(crate) struct Slot {
    /// `position + 1` of the record that was published here last; 0 before
    /// the first. Positions never repeat, so a stale value can't be mistaken.
    sequence: AtomicU64,
    words: [AtomicU64; RECORD_WORDS],
    #[cfg(loom)]
    turns: Turns,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Slot>() == 64 && align_of::<Slot>() == 64);

// SAFETY: atomics only, no padding, no drop, alignment 64 (I6).
unsafe impl Mappable for Slot {}

impl Slot {
    /// Writes `record` and makes it visible as the one at `position`. Only the
    /// producer that claimed `position` may call this.
    #[inline]
    pub(crate) fn publish(&self, position: u64, record: &UsageRecord) {
        #[cfg(loom)]
        self.turns.write();
        let words: [u64; RECORD_WORDS] = bytemuck::must_cast(*record);
        for (to, word) in self.words.iter().zip(words) {
            to.store(word, Ordering::Relaxed);
        }
        point!("record: half written");
        // Release: pairs with the Acquire in `read`, which must see the words.
        self.sequence.store(position + 1, Ordering::Release);
    }

    /// The record at `position`, `None` while it isn't published.
    #[inline]
    pub(crate) fn read(&self, position: u64) -> Option<UsageRecord> {
        // Acquire: pairs with the Release in `publish`.
        if self.sequence.load(Ordering::Acquire) != position + 1 {
            return None;
        }
        #[cfg(loom)]
        self.turns.read();
        let mut words = [0u64; RECORD_WORDS];
        for (word, from) in words.iter_mut().zip(&self.words) {
            *word = from.load(Ordering::Relaxed);
        }
        Some(bytemuck::must_cast(words))
    }

    /// Asks for the line in a writable state. The consumer read it last on
    /// another core; without this the store that publishes waits for it.
    #[inline]
    pub(crate) fn prefetch_for_write(&self) {
        #[cfg(all(target_arch = "x86_64", not(loom)))]
        {
            use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
            let line = std::ptr::from_ref(self).cast::<i8>();
            // SAFETY: a prefetch is a hint that reads and writes nothing, and
            // the address is that of a live slot (I5).
            unsafe { _mm_prefetch::<_MM_HINT_ET0>(line) };
        }
    }
}

/// Under loom: fails where the words are read or overwritten by one who
/// doesn't know that it is his turn. The words alone wouldn't show it, for
/// loom has no stores that other threads see too early.
#[cfg(loom)]
#[derive(Debug, Default)]
struct Turns(loom::cell::UnsafeCell<()>);

// SAFETY: there are no bytes to race for; loom checks the accesses (I4).
#[cfg(loom)]
unsafe impl Sync for Turns {}

#[cfg(loom)]
impl Turns {
    fn write(&self) {
        self.0.with_mut(|_| ());
    }

    fn read(&self) {
        self.0.with(|_| ());
    }
}
