//! Threads that record at the same time, and what each call costs them.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use quipu::{Recorder, UsageRecord};
use rustix::time::{ClockId, clock_gettime};

use crate::common::NEVER;

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

/// Millions of records per second, from the first call until all are
/// committed. `batch` records go into one call; a full ring is waited for.
pub(crate) fn end_to_end(
    recorder: &Recorder,
    records: &[UsageRecord],
    threads: usize,
    batch: usize,
    count: usize,
) -> f64 {
    let each = count / threads;
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let calls = records.chunks_exact(batch).cycle().take(each / batch);
                for call in calls {
                    let accepted = match call {
                        [_] => 0,
                        call => recorder.record_batch(black_box(call)),
                    };
                    for usage in &call[accepted..] {
                        recorder.record_timeout(black_box(*usage), NEVER).unwrap();
                    }
                }
            });
        }
    });
    recorder.flush(NEVER).unwrap();
    let recorded = each / batch * batch * threads;
    recorded as f64 / 1e6 / start.elapsed().as_secs_f64()
}
