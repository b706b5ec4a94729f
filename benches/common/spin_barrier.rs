//! A start for threads that are timed at the same time.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Looks before the core is offered to a thread that isn't there yet, which
/// matters where there are more threads than cores.
const SPINS: usize = 1 << 12;

/// Lets threads go once all are there. Not the barrier of `std`, which sleeps:
/// one thread would be through with its burst before another is awake, and
/// what they contend for would look cheap.
#[derive(Debug)]
pub(crate) struct SpinBarrier(AtomicUsize);

impl SpinBarrier {
    /// For so many threads, once.
    pub(crate) fn new(threads: usize) -> Self {
        Self(AtomicUsize::new(threads))
    }

    /// Once for each thread.
    pub(crate) fn wait(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
        let mut spins = 0;
        while self.0.load(Ordering::Acquire) > 0 {
            if spins < SPINS {
                spins += 1;
                spin_loop();
            } else {
                thread::yield_now();
            }
        }
    }
}
