//! How far the replay is, for whoever looks.

use std::sync::atomic::{AtomicU64, Ordering};

/// Shared between the threads of a replay.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    read: AtomicU64,
    recorded: AtomicU64,
    expected: AtomicU64,
    moment: AtomicU64,
}

impl Gauge {
    pub(super) fn add_read(&self, calls: u64) {
        self.read.fetch_add(calls, Ordering::Relaxed);
    }

    /// Calls read in the first pass.
    pub(super) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    pub(super) fn add_recorded(&self, records: u64) {
        self.recorded.fetch_add(records, Ordering::Relaxed);
    }

    pub(super) fn recorded(&self) -> u64 {
        self.recorded.load(Ordering::Relaxed)
    }

    /// Says how many records there will be.
    pub(super) fn expect(&self, records: u64) {
        self.expected.store(records, Ordering::Relaxed);
    }

    /// How many records there will be, where that is known.
    pub(super) fn expected(&self) -> Option<u64> {
        Some(self.expected.load(Ordering::Relaxed)).filter(|records| *records > 0)
    }

    pub(super) fn set_moment(&self, at: u64) {
        self.moment.store(at, Ordering::Relaxed);
    }

    /// Where a trace that is played by its clock is, in nanoseconds since the
    /// Unix epoch.
    pub(super) fn moment(&self) -> Option<u64> {
        Some(self.moment.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }
}
