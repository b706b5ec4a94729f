//! What each call costs threads that record at the same time.

use std::hint::black_box;
use std::thread;

use quipu::Recorder;
use rustix::time::{ClockId, clock_gettime};

use crate::common::NEVER;
use crate::common::spin_barrier::SpinBarrier;
use crate::common::usage::usage;

/// Calls of all threads in one round, at least: of one burst or several, with
/// the ring emptied in between.
const CALLS: usize = 1 << 15;
/// Calls of a thread before its clock starts: the first gives it a shard, and
/// touches lines for the first time.
const WARM_UP: usize = 8;

/// CPU nanoseconds per `record()`, mean over `threads` threads.
pub(crate) fn record(recorder: &Recorder, shards: usize, threads: usize) -> f64 {
    let usage = usage(recorder);
    per_call(
        threads,
        burst(recorder, shards, threads),
        || recorder.record(black_box(usage)).unwrap(),
        || recorder.flush(NEVER).unwrap(),
    )
}

/// Calls of each thread in a burst, by the size of a shard: an eighth of it,
/// divided by the threads that share it. The consumer is woken at half a
/// shard, and a full one sends threads to others; an eighth leaves room for
/// threads that move on to a shard where others are.
pub(crate) fn burst(recorder: &Recorder, shards: usize, threads: usize) -> usize {
    let slots = recorder.stats().ring_capacity as usize / shards;
    (slots / 8 / threads.div_ceil(shards)).min(CALLS / threads)
}

/// CPU nanoseconds per call, mean over `threads` threads that each call `push`
/// `burst` times at the same time; `empty` takes out what was pushed, outside
/// the clock. CPU time, because more threads than cores wait for each other;
/// what its clock takes is taken off.
pub(crate) fn per_call(
    threads: usize,
    burst: usize,
    push: impl Fn() + Sync,
    empty: impl Fn(),
) -> f64 {
    let timed = burst - WARM_UP;
    let mut nanos = 0.0;
    let bursts = CALLS.div_ceil(burst * threads);
    for _ in 0..bursts {
        let barrier = SpinBarrier::new(threads);
        let work = || {
            for _ in 0..WARM_UP {
                push();
            }
            barrier.wait();
            let before = cpu_nanos();
            let start = cpu_nanos();
            for _ in 0..timed {
                push();
            }
            cpu_nanos() - start - (start - before)
        };
        nanos += thread::scope(|scope| {
            let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let all = all.into_iter().map(|thread| thread.join().unwrap());
            all.sum::<f64>()
        });
        empty();
    }
    nanos / (bursts * timed * threads) as f64
}

fn cpu_nanos() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
