//! What a peer has to offer to be measured.

use std::path::{Path, PathBuf};

use crate::event::{Event, Totals};

/// Events that a queue holds, for those that have a limit.
pub(crate) const CAPACITY: usize = 1 << 16;

/// How a peer is set up.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The consumer sleeps until it is told to settle. Otherwise it works as
    /// its peer's documentation recommends.
    pub(crate) held: bool,
    /// Where files go.
    pub(crate) dir: PathBuf,
}

/// A way of recording.
pub(crate) trait Peer: Sync {
    /// What one thread records through.
    fn handle(&self) -> Box<dyn Handle + '_>;

    /// Waits until `recorded` events in all are aggregated and visible.
    fn settle(&self, recorded: u64);

    /// What can be seen; exact once settled.
    fn totals(&self) -> Totals;
}

/// The events of a run come in one call, so that nothing but the peer's own
/// code stands between two of them.
pub(crate) trait Handle: Send {
    fn record(&mut self, events: &[Event]);
}

/// A handle that calls `F` for each event.
pub(crate) struct Each<F>(pub(crate) F);

impl<F: FnMut(&Event) + Send> Handle for Each<F> {
    fn record(&mut self, events: &[Event]) {
        for event in events {
            (self.0)(std::hint::black_box(event));
        }
    }
}

/// A line of the table.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Events of one thread in one round.
    pub(crate) burst: usize,
    pub(crate) make: fn(&Setup) -> Box<dyn Peer>,
    /// Requests that a killed process left in its directory; `None` for what
    /// is in memory only.
    pub(crate) found: Option<fn(&Path) -> u64>,
}

/// Below the high-water mark of quipu's shards, and the capacity of queues.
pub(crate) const BURST: usize = 1 << 14;

impl Row {
    pub(crate) const fn in_memory(name: &'static str, make: fn(&Setup) -> Box<dyn Peer>) -> Self {
        Self {
            name,
            burst: BURST,
            make,
            found: None,
        }
    }
}
