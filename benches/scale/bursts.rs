//! How many records come at once.

use std::hint::black_box;

use crossbeam_queue::ArrayQueue;

use crate::common::chart::Axis;
use crate::common::stopwatch::Stopwatch;
use crate::common::usage::{lazy, usage};
use crate::common::{Effort, NEVER};
use crate::sweep::{Figure, Sweep};

const BURSTS: [usize; 9] = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536];
/// Records before the ring is drained, outside the clock: a quarter of its one
/// shard. The consumer is woken at half.
const FILL: usize = 1 << 16;
const SLOTS: usize = 1 << 18;

pub(crate) fn measure(effort: Effort) -> Figure {
    let mut sweep = Sweep::new(
        "Time of a record in a burst, one thread",
        ("records in the burst", &BURSTS),
        (Axis::linear("ns per record"), "ns"),
        &["record()", "record_batch()", "ArrayQueue::push"],
    );
    let recorder = lazy().shards(1).shard_capacity(SLOTS).in_memory().unwrap();
    let usage = usage(&recorder);
    let queue = ArrayQueue::new(SLOTS);
    let records = vec![usage; FILL];
    let watch = Stopwatch::new();
    for _ in 0..effort.rounds {
        for (x, burst) in BURSTS.into_iter().enumerate() {
            let record = time(&watch, burst, |_| {
                for _ in 0..burst {
                    recorder.record(black_box(usage)).unwrap();
                }
            });
            sweep.add(0, x, record);
            recorder.flush(NEVER).unwrap();
            let batch = time(&watch, burst, |from| {
                let run = &records[from..from + burst];
                assert_eq!(recorder.record_batch(black_box(run)), burst);
            });
            sweep.add(1, x, batch);
            recorder.flush(NEVER).unwrap();
            let push = time(&watch, burst, |_| {
                for _ in 0..burst {
                    queue.push(black_box(usage)).unwrap();
                }
            });
            sweep.add(2, x, push);
            while queue.pop().is_some() {}
        }
    }
    Figure {
        name: "bursts",
        title: "Bursts",
        sweeps: vec![sweep],
    }
}

/// Nanoseconds per record; each burst is timed by itself, and what the clock
/// takes is taken off.
fn time(watch: &Stopwatch, burst: usize, mut work: impl FnMut(usize)) -> f64 {
    let (mut ticks, mut clock) = (0, 0);
    for from in (0..FILL).step_by(burst) {
        let start = watch.now();
        work(from);
        let end = watch.now();
        ticks += end - start;
        clock += watch.now() - end;
    }
    ticks.saturating_sub(clock) as f64 / watch.ticks_per_nano() / FILL as f64
}
