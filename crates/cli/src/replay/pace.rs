//! Playing by the trace's own clock.

use std::cmp::{Ordering, Reverse};
use std::time::{Duration, Instant};

use quipu::UsageRecord;

use super::speed::Speed;

/// What is due within this time goes out at once.
const GRAIN: Duration = Duration::from_millis(1);

/// The order of the rows of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// That of time, or nearly so: what has come can go out.
    Time,
    /// Any, so that as much as possible is read before the first goes out.
    Any,
}

impl Order {
    /// As many rows are put in order.
    pub(super) const fn window(self) -> usize {
        match self {
            Self::Time => 1 << 16,
            Self::Any => 1 << 20,
        }
    }
}

/// A record that waits for its time. The greatest is the earliest.
pub(super) struct Due {
    pub(super) at: u64,
    pub(super) record: UsageRecord,
}

impl Due {
    pub(super) const fn new(at: u64, record: UsageRecord) -> Self {
        Self { at, record }
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        Reverse(self.at).cmp(&Reverse(other.at))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Due {}

/// Ties the trace's clock to the one on the wall.
pub(super) struct Pace {
    origin: Instant,
    first: u64,
    factor: f64,
}

impl Pace {
    /// Begins now with the moment `first` of the trace.
    pub(super) fn new(first: u64, factor: f64) -> Self {
        Self {
            origin: Instant::now(),
            first,
            factor,
        }
    }

    /// How long it is until `at`; zero for what is late.
    pub(super) fn wait(&self, at: u64) -> Duration {
        let due = Speed::scale(self.factor, at.saturating_sub(self.first));
        let wait = due.saturating_sub(self.origin.elapsed());
        if wait < GRAIN { Duration::ZERO } else { wait }
    }
}
