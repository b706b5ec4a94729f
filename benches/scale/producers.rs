//! Threads that record.

use std::hint::black_box;
use std::thread;

use crossbeam_queue::ArrayQueue;
use quipu::Recorder;

use crate::common::chart::Axis;
use crate::common::drive::end_to_end;
use crate::common::usage::{mix, quiet, usage};
use crate::common::{Effort, NEVER};
use crate::cpu;
use crate::sweep::{Figure, Sweep};

const THREADS: [usize; 6] = [1, 2, 4, 8, 16, 32];

pub(crate) fn measure(effort: Effort) -> Figure {
    Figure {
        name: "producers",
        title: "Threads that record",
        sweeps: vec![cost(effort), throughput(effort)],
    }
}

fn cost(effort: Effort) -> Sweep {
    let series = [
        "default shards",
        "a shard for each thread",
        "one ArrayQueue",
    ];
    let mut sweep = Sweep::new(
        "CPU time of one record()",
        ("threads", &THREADS),
        (Axis::linear("CPU time per call, ns"), "ns"),
        &series,
    );
    // What the builder's default is.
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let shards = cores.next_power_of_two().min(64);
    let few = quiet().shards(shards).in_memory().unwrap();
    let own = THREADS.map(|threads| quiet().shards(threads).in_memory().unwrap());
    let queue = ArrayQueue::new(few.stats().ring_capacity as usize);
    let usage = usage(&few);
    for _ in 0..effort.rounds {
        for (x, threads) in THREADS.into_iter().enumerate() {
            sweep.add(0, x, cpu::record(&few, shards, threads));
            sweep.add(1, x, cpu::record(&own[x], threads, threads));
            let nanos = cpu::per_call(
                threads,
                cpu::burst(&few, shards, threads),
                || queue.push(black_box(usage)).unwrap(),
                || while queue.pop().is_some() {},
            );
            sweep.add(2, x, nanos);
        }
    }
    sweep
}

fn throughput(effort: Effort) -> Sweep {
    let mut sweep = Sweep::new(
        "Recorded, folded and committed",
        ("threads", &THREADS),
        (Axis::linear("million records per second"), "M/s"),
        &["record()", "record_batch() of 64"],
    );
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::open(dir.path().join("usage.quipu")).unwrap();
    let records = mix(&recorder);
    let count = if effort.quick { 1 << 18 } else { 1 << 22 };
    for _ in 0..effort.few() {
        for (x, threads) in THREADS.into_iter().enumerate() {
            for (series, batch) in [1, 64].into_iter().enumerate() {
                let rate = end_to_end(&recorder, &records, threads, batch, count);
                sweep.add(series, x, rate);
            }
        }
    }
    recorder.close(NEVER).unwrap();
    sweep
}
