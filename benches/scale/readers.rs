//! Readers in another process that poll.

use std::hint::black_box;
use std::time::Instant;

use quipu::Reader;

use crate::common::chart::Axis;
use crate::common::readers::Readers;
use crate::common::usage::{quiet, spread};
use crate::common::{Effort, NEVER};
use crate::cpu;
use crate::sweep::{Figure, Sweep};

const READERS: [usize; 5] = [0, 1, 10, 30, 100];
/// Rows that the store holds; one of them changes with each commit.
const ROWS: usize = 1000;
/// The same on any machine.
const SHARDS: usize = 2;
/// Rounds before the readers are stopped or continued.
const BURSTS: usize = 10;

pub(crate) fn measure(effort: Effort) -> Figure {
    let mut cost = Sweep::new(
        "CPU time of one record()",
        ("readers", &READERS),
        (Axis::linear("CPU time per call, ns"), "ns"),
        &["1 thread", "2 threads"],
    );
    let mut read = Sweep::new(
        "snapshot() of a reader, 1 of 1 000 rows changed",
        ("readers", &READERS),
        (Axis::linear("µs"), "µs"),
        &["one more reader"],
    );
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("usage.quipu");
    let recorder = quiet().shards(SHARDS).open(&store).unwrap();
    for usage in spread(&recorder, ROWS) {
        recorder.record_timeout(usage, NEVER).unwrap();
    }
    recorder.flush(NEVER).unwrap();
    let own = Reader::open(&store).unwrap();
    let others = READERS.map(|count| {
        (count > 0).then(|| {
            let readers = Readers::start(&store, count);
            readers.stop();
            readers
        })
    });
    for _ in 0..effort.rounds {
        for (x, others) in others.iter().enumerate() {
            if let Some(others) = others {
                others.go_on();
            }
            for _ in 0..BURSTS {
                for (series, threads) in [1, 2].into_iter().enumerate() {
                    // Ends with a commit for the readers to copy.
                    cost.add(series, x, cpu::record(&recorder, SHARDS, threads));
                    let start = Instant::now();
                    black_box(own.snapshot().unwrap());
                    read.add(0, x, start.elapsed().as_secs_f64() * 1e6);
                }
            }
            if let Some(others) = others {
                others.stop();
            }
        }
    }
    Figure {
        name: "readers",
        title: "Readers that poll each 10 ms",
        sweeps: vec![cost, read],
    }
}
