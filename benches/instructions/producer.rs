//! What a thread of the gateway executes.

use std::hint::black_box;
use std::time::Duration;

use quipu::RecordError;

use crate::common::usage::{quiet, usage};
use crate::ground::{noon, roomy, settle};

const DAY: Duration = Duration::from_secs(86_400);

/// Fewer than half a shard has slots, also twice: the consumer isn't woken.
pub(crate) const RECORDS: u64 = 1 << 14;
const BATCH: usize = 64;

pub(crate) fn record(times: u64) {
    let recorder = roomy().in_memory().unwrap();
    let usage = usage(&recorder);
    settle();
    for _ in 0..times * RECORDS {
        recorder.record(black_box(usage)).unwrap();
    }
    leave();
}

pub(crate) fn record_batch(times: u64) {
    let recorder = roomy().in_memory().unwrap();
    let batch = vec![usage(&recorder); BATCH];
    settle();
    for _ in 0..times * RECORDS / BATCH as u64 {
        assert_eq!(recorder.record_batch(black_box(&batch)), BATCH);
    }
    leave();
}

/// So few that they are over long before the consumer, which the full ring
/// wakes, has committed a first part of it.
pub(crate) const REFUSALS: u64 = 1 << 11;

pub(crate) fn refused(times: u64) {
    let (shards, capacity) = (4, 1 << 11);
    let slots = shards * capacity;
    let recorder = quiet()
        .shards(shards)
        .shard_capacity(capacity)
        .buckets_kept(slots as u32)
        .in_memory()
        .unwrap();
    let usage = usage(&recorder);
    // New rows for each record keep the consumer busy.
    let records: Vec<_> = (0..slots as u32)
        .map(|n| usage.at(noon() + n * DAY))
        .collect();
    settle();
    assert_eq!(recorder.record_batch(&records), slots);
    for _ in 0..times * REFUSALS {
        let refused = recorder.record(black_box(usage));
        assert_eq!(refused, Err(RecordError::Full), "the consumer was faster");
    }
    leave();
}

/// Ends the process without what a recorder does at its end.
fn leave() {
    std::process::exit(0);
}
