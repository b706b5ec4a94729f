//! Whether somebody writes to a store, and how old its data is.

use std::path::Path;
use std::time::Duration;

use crate::bucket::now_nanos;
use crate::snapshot::Snapshot;
use crate::store::layout::live;
use crate::store::{Aggregate, Holder, LOCK, holder};
use crate::sync::Ordering;

/// A writer that was not awake for so long is stopped or starved; it wakes at
/// least every half flush interval, of which an hour is the longest.
const STALLED_AFTER: Duration = Duration::from_secs(5);

/// Who writes to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Writer {
    /// A process that is at work.
    Alive {
        /// Its number, 0 where it lives in a namespace that can't be seen.
        pid: u32,
    },
    /// A process that holds the store but hasn't been awake for a while, such
    /// as one that was stopped, or one with a long flush interval.
    Stalled {
        /// Its number.
        pid: u32,
        /// Since when.
        silent_for: Duration,
    },
    /// Nobody: the last writer closed the store or died.
    Gone,
}

/// The state of a store as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Who writes.
    pub writer: Writer,
    /// Time since the last commit, by this machine's clock; `None` before the
    /// first. While nothing is recorded nothing is committed.
    pub age: Option<Duration>,
    /// Whether the last writer closed the store; `false` while one is at work,
    /// and after one died: then its last records are counted by the next.
    pub clean: bool,
}

impl Status {
    pub(super) fn of(store: &Path, aggregate: &Aggregate, snapshot: &Snapshot) -> Self {
        let now = now_nanos();
        let since = |nanos: u64| Duration::from_nanos(now.saturating_sub(nanos));
        let live = |word| aggregate.live(word).load(Ordering::Relaxed);
        let silent_for = since(live(live::HEARTBEAT));
        let writer = match holder(&store.join(LOCK)) {
            Holder::Nobody => Writer::Gone,
            // By what the writer itself says.
            Holder::Unknown if silent_for >= STALLED_AFTER => Writer::Gone,
            Holder::Unknown => Writer::Alive {
                pid: live(live::WRITER_PID) as u32,
            },
            Holder::Process(pid) => {
                let pid = pid.unwrap_or(0);
                if silent_for < STALLED_AFTER {
                    Writer::Alive { pid }
                } else {
                    Writer::Stalled { pid, silent_for }
                }
            }
        };
        let committed_at = snapshot.block.committed_at;
        Self {
            writer,
            age: (committed_at != 0).then(|| since(committed_at)),
            clean: writer == Writer::Gone && snapshot.block.ring == 0,
        }
    }
}
