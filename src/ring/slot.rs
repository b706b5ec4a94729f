//! A slot: one cache line that holds a sequence word and a record.
//!
//! # Orderings
//!
//! The sequence word carries the synchronisation: the producer stores
//! `position + 1` with `Release` after the record, and who reads that value
//! with `Acquire` sees the whole record. A slot is not written again before
//! its position was released (I4). So the record itself needs no atomics, and
//! is copied in words as wide as the processor has them.

use std::panic::RefUnwindSafe;

use crate::disk::Mappable;
use crate::fault::point;
use crate::record::UsageRecord;
use crate::sync::{AtomicU64, Ordering, UnsafeCell};

/// One record on the ring.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Slot {
    /// `position + 1` of the record that was published here last; 0 before
    /// the first. Positions never repeat, so a stale value can't be mistaken.
    sequence: AtomicU64,
    record: UnsafeCell<UsageRecord>,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Slot>() == 64 && align_of::<Slot>() == 64);

#[cfg(loom)]
impl Default for Slot {
    fn default() -> Self {
        Self {
            sequence: AtomicU64::default(),
            record: UnsafeCell::new(bytemuck::Zeroable::zeroed()),
        }
    }
}

// SAFETY: an atomic and a plain record: no padding, any bits, no drop,
// alignment 64. Another process looks at slots only when the one that used
// them is dead (I6).
unsafe impl Mappable for Slot {}

// SAFETY: the record is written by the one producer that claimed its position
// and read after the sequence word says that it is there (I4).
unsafe impl Sync for Slot {}

// A panic leaves no half-written record that anybody reads: the sequence word
// comes last.
impl RefUnwindSafe for Slot {}

impl Slot {
    /// Writes `record` and makes it visible as the one at `position`. Only the
    /// producer that claimed `position` may call this.
    #[inline]
    pub(crate) fn publish(&self, position: u64, record: &UsageRecord) {
        self.record.with_mut(|to| {
            // SAFETY: the position was claimed by this thread only, and what
            // was here before is released (I4).
            unsafe { *to = *record };
        });
        point!("record: half written");
        // Release: pairs with the Acquire in `read`, which must see the record.
        self.sequence.store(position + 1, Ordering::Release);
    }

    /// What `look` gives for the record at `position`, `None` while it isn't
    /// published.
    #[inline]
    pub(crate) fn read<R>(&self, position: u64, look: impl FnOnce(&UsageRecord) -> R) -> Option<R> {
        // Acquire: pairs with the Release in `publish`.
        if self.sequence.load(Ordering::Acquire) != position + 1 {
            return None;
        }
        self.record.with(|record| {
            // SAFETY: published, and not written again before this thread
            // released it (I4).
            Some(look(unsafe { &*record }))
        })
    }

    /// Asks for the line in a writable state. The consumer read it last on
    /// another core; without this the store that publishes waits for it.
    #[inline]
    pub(crate) fn prefetch_for_write(&self) {
        #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
        {
            let line = std::ptr::from_ref(self);
            // The intrinsic asks for a readable line where the target has no
            // feature for more; processors that lack this one take it as a
            // no-op.
            // SAFETY: a prefetch is a hint that reads and writes nothing, and
            // the address is that of a live slot (I5).
            unsafe {
                std::arch::asm!(
                    "prefetchw [{line}]",
                    line = in(reg) line,
                    options(nostack, preserves_flags, readonly),
                );
            }
        }
    }
}
