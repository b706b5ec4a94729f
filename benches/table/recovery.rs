//! Recovery of what a process left that died.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use quipu::{Recorder, UsageRecord};

use crate::common::sample::Sample;
use crate::common::text::{count, line};
use crate::common::usage::quiet;
use crate::common::{Effort, child, ring_place};

/// The word for the child's job.
pub(crate) const JOB: &str = "fill and die";

pub(crate) fn measure(effort: Effort) {
    let records: usize = if effort.quick { 1 << 16 } else { 1 << 20 };
    let mut on_disk = 0;
    let rounds = (0..effort.few()).map(|_| {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("usage.quipu");
        let mut child = child::command(JOB, records, &store);
        let ended = child.stdout(Stdio::null()).status().unwrap();
        assert!(!ended.success(), "the child was to die");
        on_disk += usize::from(ring_place::is_on_disk(&store));
        let start = Instant::now();
        let recorder = Recorder::open(&store).unwrap();
        let took = start.elapsed().as_secs_f64() * 1e3;
        assert_eq!(recorder.stats().replayed, records as u64);
        took
    });
    let sample = Sample::new(rounds.collect());
    ring_place::warn(on_disk, effort.few());
    let place = if on_disk > 0 { ", on disk" } else { "" };
    let name = format!(
        "recovery of {} records left in the ring{place}",
        count(records)
    );
    line(&name, &sample, "ms", None);
}

/// Leaves `records` records in the ring and dies. The ring is four times as
/// large, so that it doesn't become half full and wake the consumer.
pub(crate) fn fill_and_die(store: &Path, records: usize) {
    let recorder = quiet()
        .shards(1)
        .shard_capacity(4 * records)
        .open(store)
        .unwrap();
    let models: Vec<_> = (0..16)
        .map(|n| recorder.model("openai", &format!("model {n}")).unwrap())
        .collect();
    for n in 0..records {
        let usage = UsageRecord::new(models[n % 16])
            .tokens(quipu::TokenKind::Input, n as u64)
            .latency(Duration::from_micros(n as u64))
            .at(std::time::SystemTime::now());
        recorder.record(usage).unwrap();
    }
    std::process::abort();
}
