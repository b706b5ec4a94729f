//! What costs by rows: commit, snapshot, reader, report.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use quipu::{Reader, Recorder, UsageRecord};

use crate::common::sample::Sample;
use crate::common::text::line;
use crate::common::usage::quiet;
use crate::common::{Effort, NEVER};

/// A store with `rows` rows: tenants of one model on one day.
fn store(path: &Path, rows: u32) -> (Recorder, Vec<UsageRecord>) {
    // One shard, so that on any machine what changes is one commit: below half
    // of it, the consumer isn't woken.
    let one = quiet().shards(1).shard_capacity(1 << 17);
    let recorder = one.max_tenants(rows + 1).open(path).unwrap();
    let model = recorder.model("openai", "gpt-4o").unwrap();
    let records: Vec<_> = (0..rows)
        .map(|n| {
            let tenant = recorder.tenant(&format!("tenant {n}")).unwrap();
            UsageRecord::new(model)
                .tenant(tenant)
                .at(std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
        })
        .collect();
    for usage in &records {
        recorder.record_timeout(*usage, NEVER).unwrap();
    }
    recorder.flush(NEVER).unwrap();
    (recorder, records)
}

pub(crate) fn run(effort: Effort) {
    let dir = tempfile::tempdir().unwrap();
    let many = if effort.quick { 10_000 } else { 1_000_000 };
    for (held, changed) in [(10_000, 10_000), (many, 100)] {
        let path = dir.path().join(format!("{held}-{changed}"));
        let (recorder, records) = store(&path, held);
        let stride = records.len() / changed;
        let rounds = (0..effort.rounds).map(|_| {
            for usage in records.iter().step_by(stride).take(changed) {
                recorder.record(*usage).unwrap();
            }
            recorder.flush(NEVER).unwrap();
            recorder.stats().commit_last.as_secs_f64() * 1e6
        });
        let sample = Sample::new(rounds.collect());
        let name = format!("commit of {changed} changed rows, {held} held");
        line(&name, &sample, "µs", None);
        recorder.close(NEVER).unwrap();
    }

    let path = dir.path().join("reader");
    let (recorder, _) = store(&path, 10_000);
    let loads = 1 << 14;
    let rounds = (0..effort.rounds * 3).map(|_| {
        let start = Instant::now();
        for _ in 0..loads {
            black_box(recorder.snapshot());
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(loads)
    });
    line("snapshot()", &Sample::new(rounds.collect()), "ns", None);

    let rounds = (0..effort.rounds).map(|_| {
        let start = Instant::now();
        let reader = Reader::open(&path).unwrap();
        let snapshot = reader.snapshot().unwrap();
        assert_eq!(black_box(snapshot.by_tenant()).len(), 10_000);
        start.elapsed().as_secs_f64() * 1e3
    });
    let name = "Reader::open, snapshot, by_tenant of 10000 rows";
    line(name, &Sample::new(rounds.collect()), "ms", None);
    recorder.close(NEVER).unwrap();

    let rounds = (0..effort.few()).map(|_| {
        let start = Instant::now();
        let recorder = Recorder::open(&path).unwrap();
        let took = start.elapsed().as_secs_f64() * 1e3;
        recorder.close(NEVER).unwrap();
        took
    });
    let name = "Recorder::open of a closed store, 10000 rows";
    line(name, &Sample::new(rounds.collect()), "ms", None);
}
