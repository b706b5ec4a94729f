//! Shards of one ring of default size.

use std::path::Path;
use std::time::Instant;

use quipu::Recorder;

use crate::common::chart::Axis;
use crate::common::drive::end_to_end;
use crate::common::usage::{mix, quiet, usage};
use crate::common::{Effort, NEVER, ring_place};
use crate::cpu;
use crate::sweep::{Figure, Sweep};

const SHARDS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
const THREADS: [usize; 2] = [2, 8];
const NAMES: [&str; 2] = ["2 threads", "8 threads"];

pub(crate) fn measure(effort: Effort) -> Figure {
    Figure {
        name: "shards",
        title: "Shards of one ring",
        sweeps: vec![cost(effort), throughput(effort), flush(effort)],
    }
}

fn cost(effort: Effort) -> Sweep {
    let mut sweep = Sweep::new(
        "CPU time of one record()",
        ("shards", &SHARDS),
        (Axis::linear("CPU time per call, ns"), "ns"),
        &NAMES,
    );
    // More than the default with many shards, so that bursts are as long there.
    let recorders = SHARDS.map(|shards| {
        let slots = (1 << 16).min((1 << 20) / shards);
        let lazy = quiet().shards(shards).shard_capacity(slots);
        lazy.in_memory().unwrap()
    });
    for _ in 0..effort.rounds {
        for (x, recorder) in recorders.iter().enumerate() {
            for (series, threads) in THREADS.into_iter().enumerate() {
                sweep.add(series, x, cpu::record(recorder, SHARDS[x], threads));
            }
        }
    }
    sweep
}

fn throughput(effort: Effort) -> Sweep {
    let mut sweep = Sweep::new(
        "Recorded, folded and committed",
        ("shards", &SHARDS),
        (Axis::linear("million records per second"), "M/s"),
        &NAMES,
    );
    let dir = tempfile::tempdir().unwrap();
    let recorders = in_files(dir.path());
    let records = recorders.each_ref().map(mix);
    let count = if effort.quick { 1 << 17 } else { 1 << 21 };
    for _ in 0..effort.few() {
        for (x, recorder) in recorders.iter().enumerate() {
            for (series, threads) in THREADS.into_iter().enumerate() {
                let rate = end_to_end(recorder, &records[x], threads, 1, count);
                sweep.add(series, x, rate);
            }
        }
    }
    sweep
}

/// What the consumer takes to look at all shards.
fn flush(effort: Effort) -> Sweep {
    let mut sweep = Sweep::new(
        "flush() of one record",
        ("shards", &SHARDS),
        (Axis::linear("µs"), "µs"),
        &["flush()"],
    );
    let dir = tempfile::tempdir().unwrap();
    let recorders = in_files(dir.path());
    for _ in 0..effort.rounds * 10 {
        for (x, recorder) in recorders.iter().enumerate() {
            recorder.record(usage(recorder)).unwrap();
            let start = Instant::now();
            recorder.flush(NEVER).unwrap();
            sweep.add(0, x, start.elapsed().as_secs_f64() * 1e6);
        }
    }
    sweep
}

fn in_files(dir: &Path) -> [Recorder; SHARDS.len()] {
    let path = |shards: usize| dir.join(shards.to_string());
    let recorders = SHARDS.map(|shards| {
        let path = path(shards);
        Recorder::builder().shards(shards).open(path).unwrap()
    });
    let on_disk = SHARDS
        .map(path)
        .iter()
        .filter(|path| ring_place::is_on_disk(path))
        .count();
    ring_place::warn(on_disk, SHARDS.len());
    recorders
}
