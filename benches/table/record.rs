//! `record()` against `ArrayQueue::push` of the same 56 bytes, by one thread
//! and by two at once. Rounds alternate; what was pushed is taken out between
//! the rounds, outside the clock.

use std::hint::black_box;
use std::time::Instant;

use crossbeam_queue::ArrayQueue;

use crate::common::sample::{Sample, ratio};
use crate::common::spin_barrier::SpinBarrier;
use crate::common::text::line;
use crate::common::usage::{recorder, usage};
use crate::common::{CAPACITY, Effort, NEVER};

/// Records of one thread in one round: below the high-water mark.
const BURST: usize = 1 << 14;

/// Nanoseconds per call, of `threads` threads that each call `push` as often
/// as a burst is long, at the same time.
pub(crate) fn burst(threads: usize, push: impl Fn() + Sync) -> f64 {
    let barrier = SpinBarrier::new(threads);
    let work = || {
        barrier.wait();
        let start = Instant::now();
        for _ in 0..BURST {
            push();
        }
        start.elapsed().as_secs_f64() * 1e9 / BURST as f64
    };
    let took: Vec<f64> = std::thread::scope(|scope| {
        let handles: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mine = work();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .chain([mine])
            .collect()
    });
    took.iter().sum::<f64>() / threads as f64
}

pub(crate) fn run(effort: Effort) {
    let recorder = recorder();
    let usage = usage(&recorder);
    let queue = ArrayQueue::new(CAPACITY);
    for threads in [1, 2] {
        let mut ours = Vec::new();
        let mut theirs = Vec::new();
        for _ in 0..effort.rounds * 10 {
            ours.push(burst(threads, || {
                recorder.record(black_box(usage)).unwrap();
            }));
            recorder.flush(NEVER).unwrap();
            theirs.push(burst(threads, || {
                queue.push(black_box(usage)).unwrap();
            }));
            while queue.pop().is_some() {}
        }
        let plural = if threads == 1 { "" } else { "s at once" };
        let by = ratio(&ours, &theirs);
        let ours = Sample::new(ours);
        line(
            &format!("record(), {threads} thread{plural}, against ArrayQueue::push"),
            &ours,
            "ns",
            Some(by),
        );
        let name = format!("  ArrayQueue::push, {threads} thread{plural}");
        line(&name, &Sample::new(theirs), "ns", None);
    }
    let batch = vec![usage; 64];
    let rounds = (0..effort.rounds * 10).map(|_| {
        let start = Instant::now();
        for _ in 0..BURST / batch.len() {
            assert_eq!(recorder.record_batch(black_box(&batch)), batch.len());
        }
        let took = start.elapsed().as_secs_f64() * 1e9 / BURST as f64;
        recorder.flush(NEVER).unwrap();
        took
    });
    let sample = Sample::new(rounds.collect());
    line("record_batch() of 64, per record", &sample, "ns", None);
}
