//! The consumer: drain, fold and commit; alone and against producers.

use std::hint::black_box;
use std::time::Instant;

use quipu::{Recorder, UsageRecord};

use crate::common::sample::Sample;
use crate::common::text::line;
use crate::common::usage::{mix, recorder, usage};
use crate::common::{Effort, NEVER};

pub(crate) fn run(effort: Effort) {
    let recorder = recorder();
    for (name, records) in [
        (
            "drain, fold and commit, one row",
            vec![usage(&recorder); 4096],
        ),
        (
            "drain, fold and commit, 8 models, 32 tenants",
            mix(&recorder),
        ),
    ] {
        let rounds = (0..effort.rounds * 3).map(|_| {
            for _ in 0..4 {
                assert_eq!(recorder.record_batch(&records), records.len());
            }
            let start = Instant::now();
            recorder.flush(NEVER).unwrap();
            start.elapsed().as_secs_f64() * 1e9 / (4 * records.len()) as f64
        });
        let sample = Sample::new(rounds.collect());
        line(&format!("{name}, per record"), &sample, "ns", None);
    }
    for producers in [1, 2] {
        for batch in [false, true] {
            end_to_end(effort, producers, batch);
        }
    }
}

/// Millions of records per second, from the first `record` until all are
/// committed to a file.
fn end_to_end(effort: Effort, producers: usize, batch: bool) {
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::builder()
        .shards(2)
        .open(dir.path().join("usage.quipu"))
        .unwrap();
    let records = mix(&recorder);
    let each = if effort.quick { 1 << 18 } else { 1 << 22 };
    let rounds = (0..effort.few()).map(|_| {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..producers {
                scope.spawn(|| produce(&recorder, &records, each, batch));
            }
        });
        recorder.flush(NEVER).unwrap();
        (producers * each) as f64 / 1e6 / start.elapsed().as_secs_f64()
    });
    let sample = Sample::new(rounds.collect());
    let how = if batch { "record_batch" } else { "record" };
    let name = format!("recorded, folded, committed: {producers} × {how}");
    line(&name, &sample, "M/s", None);
}

fn produce(recorder: &Recorder, records: &[UsageRecord], count: usize, batch: bool) {
    let mut done = 0;
    while done < count {
        if batch {
            for run in records.chunks(256) {
                let accepted = recorder.record_batch(black_box(run));
                for usage in &run[accepted..] {
                    recorder.record_timeout(*usage, NEVER).unwrap();
                }
            }
        } else {
            for usage in records {
                recorder.record_timeout(black_box(*usage), NEVER).unwrap();
            }
        }
        done += records.len();
    }
}
