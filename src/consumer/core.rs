//! What a recorder's handles and its consumer share.

use crossbeam_utils::CachePadded;

use super::Mailbox;
use crate::bucket::Bucket;
use crate::ring::{Refused, Ring};
use crate::snapshot::{Published, Snapshot};
use crate::store::{CommitBlock, Interner};
use crate::sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering, lock};

/// Shared by handles and consumer.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) ring: Arc<Ring>,
    pub(crate) interner: Interner,
    pub(crate) mailbox: Mailbox,
    pub(crate) published: Published<Snapshot>,
    pub(crate) bucket: Bucket,
    refused: CachePadded<Refusals>,
    /// Refusals of earlier openings of the store.
    earlier: [u64; 3],
    is_degraded: AtomicBool,
    degraded: Mutex<Option<String>>,
}

/// Records that were not accepted, by reason.
#[derive(Debug, Default)]
struct Refusals {
    full: AtomicU64,
    closed: AtomicU64,
}

impl Core {
    pub(crate) fn new(
        ring: Arc<Ring>,
        interner: Interner,
        mailbox: Mailbox,
        first: Snapshot,
    ) -> Self {
        let block = &first.block;
        Self {
            earlier: [
                block.rejected_full,
                block.rejected_closed,
                block.names_refused,
            ],
            bucket: first.width,
            ring,
            interner,
            mailbox,
            published: Published::new(std::sync::Arc::new(first)),
            refused: CachePadded::default(),
            is_degraded: AtomicBool::new(false),
            degraded: Mutex::new(None),
        }
    }

    /// Counts `records` that were not accepted, and wakes the consumer where
    /// that may help.
    #[cold]
    pub(crate) fn refuse(&self, why: Refused, records: u64) {
        // Relaxed: statistics.
        match why {
            Refused::Full => {
                self.refused.full.fetch_add(records, Ordering::Relaxed);
                self.mailbox.press();
            }
            Refused::Closed => {
                self.refused.closed.fetch_add(records, Ordering::Relaxed);
            }
        }
    }

    /// Records not accepted over the life of the store (full, closed), and
    /// calls that got no name of their own.
    pub(crate) fn refusals(&self) -> [u64; 3] {
        [
            self.earlier[0] + self.refused.full.load(Ordering::Relaxed),
            self.earlier[1] + self.refused.closed.load(Ordering::Relaxed),
            self.earlier[2] + self.interner.refused(),
        ]
    }

    /// Puts the refusals into the block of the next commit.
    pub(crate) fn count_refusals(&self, block: &mut CommitBlock) {
        [
            block.rejected_full,
            block.rejected_closed,
            block.names_refused,
        ] = self.refusals();
    }

    pub(crate) fn is_degraded(&self) -> bool {
        // Relaxed: a flag; the reason has a lock of its own.
        self.is_degraded.load(Ordering::Relaxed)
    }

    /// Why the store can't be written; `None` while it can.
    pub(crate) fn degraded(&self) -> Option<String> {
        lock(&self.degraded).clone()
    }

    pub(crate) fn set_degraded(&self, reason: Option<String>) {
        if self.is_degraded() || reason.is_some() {
            self.is_degraded.store(reason.is_some(), Ordering::Relaxed);
            *lock(&self.degraded) = reason;
        }
    }

    /// Makes `next` the newest snapshot.
    pub(crate) fn publish(&self, next: Snapshot) {
        drop(self.published.publish(std::sync::Arc::new(next)));
    }
}
