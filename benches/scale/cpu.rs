//! What each call costs threads that record at the same time.

use std::sync::Barrier;
use std::thread;

use rustix::time::{ClockId, clock_gettime};

/// Records of all threads in one round of [`per_call`]: a quarter of a ring
/// of default size, so that the consumer is not woken.
pub(crate) const BURST: usize = 1 << 15;

/// CPU nanoseconds per call, mean over `threads` threads that together call
/// `push` as often as [`BURST`] says. CPU time, because more threads than
/// cores wait for each other.
pub(crate) fn per_call(threads: usize, push: impl Fn() + Sync) -> f64 {
    let calls = BURST / threads;
    let barrier = Barrier::new(threads);
    let work = || {
        barrier.wait();
        let start = cpu_nanos();
        for _ in 0..calls {
            push();
        }
        cpu_nanos() - start
    };
    let nanos: f64 = thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    nanos / (calls * threads) as f64
}

fn cpu_nanos() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
