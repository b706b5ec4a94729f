//! What a recorder's handles and its consumer share.

use crossbeam_utils::CachePadded;

use super::Mailbox;
use crate::bucket::Bucket;
use crate::error::OpenError;
use crate::ring::{Refused, Ring};
use crate::snapshot::{Published, Snapshot};
use crate::store::{CommitBlock, Interner, Trouble};
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
    /// Records that are counted in memory and not in the file.
    unwritten: AtomicU64,
    /// Nanoseconds that the last commit took; 0 before the first.
    commit_nanos: AtomicU64,
    /// The generation of the newest checkpoint; 0 for none.
    checkpoint: AtomicU64,
    /// Whether there is any trouble.
    is_degraded: AtomicBool,
    troubles: Mutex<Vec<Reported>>,
}

/// A trouble that lasts.
#[derive(Debug)]
struct Reported {
    trouble: Trouble,
    text: String,
    /// For readers in other processes.
    word: u64,
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
            unwritten: AtomicU64::new(0),
            commit_nanos: AtomicU64::new(0),
            checkpoint: AtomicU64::new(0),
            is_degraded: AtomicBool::new(false),
            troubles: Mutex::default(),
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
        // Relaxed: a flag; the reasons have a lock of their own.
        self.is_degraded.load(Ordering::Relaxed)
    }

    /// Whether a trouble lasts that may cost counts.
    pub(crate) fn endangers_counts(&self) -> bool {
        let costs_counts = |reported: &Reported| reported.trouble != Trouble::Prices;
        self.is_degraded() && lock(&self.troubles).iter().any(costs_counts)
    }

    /// Everything that is wrong; `None` while all is well, and in a forked
    /// child, where a lock may have been held by a thread that isn't there.
    pub(crate) fn degraded(&self) -> Option<String> {
        if !self.is_degraded() || !self.ring.is_owned() {
            return None;
        }
        let troubles = lock(&self.troubles);
        let texts: Vec<&str> = troubles.iter().map(|reported| &*reported.text).collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    }

    /// The gravest trouble, as readers are told of it; 0 for none.
    pub(crate) fn trouble_word(&self) -> u64 {
        if !self.is_degraded() {
            return 0;
        }
        let troubles = lock(&self.troubles);
        let gravest = troubles
            .iter()
            .min_by_key(|reported| reported.trouble as u64);
        gravest.map_or(0, |reported| reported.word)
    }

    /// Reports a trouble, in place of what was said of it before.
    pub(crate) fn report(&self, trouble: Trouble, error: Option<&OpenError>) {
        let mut troubles = lock(&self.troubles);
        troubles.retain(|reported| reported.trouble != trouble);
        troubles.push(Reported {
            trouble,
            text: trouble.describe(error),
            word: trouble.word(error),
        });
        self.is_degraded.store(true, Ordering::Relaxed);
    }

    /// A trouble is over.
    pub(crate) fn settle(&self, trouble: Trouble) {
        if self.is_degraded() {
            let mut troubles = lock(&self.troubles);
            troubles.retain(|reported| reported.trouble != trouble);
            self.is_degraded
                .store(!troubles.is_empty(), Ordering::Relaxed);
        }
    }

    /// Whether a trouble lasts.
    pub(crate) fn has(&self, trouble: Trouble) -> bool {
        self.is_degraded()
            && lock(&self.troubles)
                .iter()
                .any(|reported| reported.trouble == trouble)
    }

    /// Records that are counted in memory and not in the file.
    pub(crate) fn unwritten(&self) -> u64 {
        // Relaxed, here and below: statistics.
        self.unwritten.load(Ordering::Relaxed)
    }

    pub(crate) fn set_unwritten(&self, records: u64) {
        self.unwritten.store(records, Ordering::Relaxed);
    }

    /// Nanoseconds that the last commit took; 0 before the first.
    pub(crate) fn commit_nanos(&self) -> u64 {
        self.commit_nanos.load(Ordering::Relaxed)
    }

    pub(crate) fn set_commit_nanos(&self, nanos: u64) {
        self.commit_nanos.store(nanos, Ordering::Relaxed);
    }

    /// The generation of the newest checkpoint; 0 for none.
    pub(crate) fn checkpoint(&self) -> u64 {
        self.checkpoint.load(Ordering::Relaxed)
    }

    pub(crate) fn set_checkpoint(&self, generation: u64) {
        self.checkpoint.store(generation, Ordering::Relaxed);
    }

    /// Makes `next` the newest snapshot.
    pub(crate) fn publish(&self, next: Snapshot) {
        drop(self.published.publish(std::sync::Arc::new(next)));
    }
}
