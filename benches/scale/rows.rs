//! Rows that a store holds.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use quipu::{Reader, Recorder, UsageRecord};

use crate::common::chart::Axis;
use crate::common::usage::{quiet, spread};
use crate::common::{Effort, NEVER, bytes, child, process};
use crate::sweep::{Figure, Sweep};

const ROWS: [usize; 6] = [10, 100, 1000, 10_000, 100_000, 1_000_000];
/// Rows that change before a commit.
const FEW: usize = 100;
const MANY: usize = 10_000;
const MIB: f64 = 1024.0 * 1024.0;

/// The word for the child's job.
pub(crate) const JOB: &str = "hold";

pub(crate) fn measure(effort: Effort) -> Figure {
    let rows = if effort.quick { &ROWS[..4] } else { &ROWS[..] };
    let x = ("rows", rows);
    let mut times = Sweep::new(
        "Report, and opening a closed store",
        x,
        (Axis::log("ms"), "ms"),
        &["report by model, day, tenant", "Recorder::open"],
    );
    let mut commits = Sweep::new(
        "Commit",
        x,
        (Axis::log("µs"), "µs"),
        &["100 rows changed", "all changed, up to 10 000"],
    );
    let mut sizes = Sweep::new(
        "Sizes",
        x,
        (Axis::log("MiB"), "MiB"),
        &[
            "files of the store",
            "writer's own memory",
            "with mapped files",
        ],
    );
    for (x, held) in rows.iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("usage.quipu");
        let rounds = if *held > 100_000 { 3 } else { effort.few() };
        let (recorder, records) = fill(&store, *held);
        // One after the other: many changed rows leave few of the few's lines
        // in the cache.
        for (series, most) in [FEW, MANY].into_iter().enumerate() {
            for _ in 0..effort.rounds {
                commits.add(series, x, commit(&recorder, &records, most));
            }
        }
        for _ in 0..rounds {
            times.add(0, x, report(&store, *held));
        }
        recorder.close(NEVER).unwrap();
        sizes.add(0, x, bytes(&store) as f64 / MIB);
        for _ in 0..rounds {
            let said = child::output(JOB, 0, &store);
            let said: Vec<f64> = said
                .split_whitespace()
                .map(|n| n.parse().unwrap())
                .collect();
            times.add(1, x, said[0]);
            sizes.add(1, x, said[1] / MIB);
            sizes.add(2, x, said[2] / MIB);
        }
    }
    Figure {
        name: "rows",
        title: "Rows that a store holds",
        sweeps: vec![times, commits, sizes],
    }
}

fn fill(store: &Path, rows: usize) -> (Recorder, Vec<UsageRecord>) {
    // One shard, so that on any machine what changes is one commit: below half
    // of it, the consumer isn't woken.
    let one = quiet().shards(1).shard_capacity(1 << 17);
    let recorder = one.open(store).unwrap();
    let records = spread(&recorder, rows);
    for usage in &records {
        recorder.record_timeout(*usage, NEVER).unwrap();
    }
    recorder.flush(NEVER).unwrap();
    (recorder, records)
}

/// Microseconds of a commit of at most so many rows, evenly spread.
fn commit(recorder: &Recorder, records: &[UsageRecord], most: usize) -> f64 {
    let stride = records.len().div_ceil(most);
    for usage in records.iter().step_by(stride) {
        recorder.record(*usage).unwrap();
    }
    recorder.flush(NEVER).unwrap();
    recorder.stats().commit_last.as_secs_f64() * 1e6
}

fn report(store: &Path, rows: usize) -> f64 {
    let start = Instant::now();
    let reader = Reader::open(store).unwrap();
    let snapshot = reader.snapshot().unwrap();
    black_box(snapshot.by_model());
    assert_eq!(snapshot.by_day().len(), rows.min(10));
    black_box(snapshot.by_tenant());
    start.elapsed().as_secs_f64() * 1e3
}

/// In the child: opens the store, and says how many milliseconds that took and
/// what memory it has then.
pub(crate) fn hold(store: &Path) {
    let start = Instant::now();
    let recorder = Recorder::open(store).unwrap();
    let took = start.elapsed().as_secs_f64() * 1e3;
    let resident = process::resident();
    println!("{took} {} {}", resident.own, resident.total());
    recorder.close(NEVER).unwrap();
}
