//! The processor time of the calling thread: unlike the time of day it doesn't
//! run on while another thread has the processor.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// A stopwatch for one thread.
pub(super) struct ThreadClock(Timespec);

impl ThreadClock {
    pub(super) fn start() -> Self {
        Self(clock_gettime(ClockId::ThreadCPUTime))
    }

    pub(super) fn elapsed(&self) -> Duration {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        now.checked_sub(self.0)
            .and_then(|elapsed| Duration::try_from(elapsed).ok())
            .unwrap_or_default()
    }
}
