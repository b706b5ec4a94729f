//! The consumer: drain, fold and commit; alone and against producers.

use std::time::Instant;

use quipu::Recorder;

use crate::common::drive::end_to_end;
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
        for batch in [1, 256] {
            throughput(effort, producers, batch);
        }
    }
}

fn throughput(effort: Effort, producers: usize, batch: usize) {
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::builder()
        .shards(2)
        .open(dir.path().join("usage.quipu"))
        .unwrap();
    let records = mix(&recorder);
    let each = if effort.quick { 1 << 18 } else { 1 << 22 };
    let rounds = (0..effort.few())
        .map(|_| end_to_end(&recorder, &records, producers, batch, producers * each));
    let sample = Sample::new(rounds.collect());
    let how = if batch > 1 { "record_batch" } else { "record" };
    let name = format!("recorded, folded, committed: {producers} × {how}");
    line(&name, &sample, "M/s", None);
}
