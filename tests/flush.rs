//! `flush` is a barrier: what was accepted before the call is committed after
//! it, and every reader sees it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use common::{PATIENCE, Place};
use quipu::{FlushError, Reader, RecordError, Recorder, UsageRecord};

#[test]
fn from_many_threads() {
    for capacity in [4, 1024] {
        let place = Place::new();
        let builder = place
            .builder()
            .shard_capacity(capacity)
            .flush_interval(Duration::from_secs(3600));
        let recorder = builder.open(place.store()).unwrap();
        // Counted after `record` has returned: what a thread reads here
        // happened before its flush.
        let accepted = AtomicU64::new(0);
        thread::scope(|scope| {
            for thread in 0..8 {
                let (recorder, accepted) = (recorder.clone(), &accepted);
                let reader = Reader::open(place.store()).unwrap();
                scope.spawn(move || {
                    let model = recorder.model("p", "m").unwrap();
                    let tenant = recorder.tenant(&format!("thread {thread}")).unwrap();
                    let usage = UsageRecord::new(model).tenant(tenant);
                    let mut mine = 0;
                    for round in 0..30 {
                        for _ in 0..=(round * 7 + thread) % 23 {
                            match recorder.record(usage) {
                                Ok(()) => {
                                    mine += 1;
                                    accepted.fetch_add(1, Ordering::SeqCst);
                                }
                                Err(error) => assert_eq!(error, RecordError::Full),
                            }
                        }
                        let before = accepted.load(Ordering::SeqCst);
                        recorder.flush(PATIENCE).unwrap();
                        for snapshot in [recorder.snapshot(), reader.snapshot().unwrap()] {
                            let after = snapshot.total().requests;
                            assert!(after >= before, "{before} accepted, {after} seen");
                            let name = format!("thread {thread}");
                            let tenants = snapshot.by_tenant();
                            let own = tenants.iter().find(|of| of.tenant == name);
                            assert_eq!(own.map_or(0, |of| of.totals.requests), mine);
                        }
                        assert!(recorder.stats().committed >= before);
                    }
                });
            }
        });
    }
}

#[test]
fn of_nothing() {
    let place = Place::new();
    let recorder = place.open();
    let generation = recorder.snapshot().generation();
    for _ in 0..10 {
        recorder.flush(PATIENCE).unwrap();
    }
    assert_eq!(recorder.snapshot().generation(), generation);
    assert_eq!(recorder.stats().flushes, 0);
}

#[test]
fn does_not_wait_for_the_interval() {
    let place = Place::new();
    let builder = place.builder().flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(place.store()).unwrap();
    let model = recorder.model("p", "m").unwrap();
    for n in 1..=20 {
        recorder.record(UsageRecord::new(model)).unwrap();
        recorder.flush(PATIENCE).unwrap();
        assert_eq!(recorder.snapshot().total().requests, n);
    }
    assert_eq!(recorder.stats().flushes, 20);
}

#[test]
fn gives_up_in_time_and_loses_nothing() {
    let place = Place::new();
    let recorder = place.open();
    let model = recorder.model("p", "m").unwrap();
    for _ in 0..100 {
        recorder.record(UsageRecord::new(model)).unwrap();
        match recorder.flush(Duration::ZERO) {
            Ok(()) | Err(FlushError::Timeout) => {}
            Err(other) => panic!("{other}"),
        }
    }
    recorder.flush(PATIENCE).unwrap();
    assert_eq!(recorder.snapshot().total().requests, 100);
}

#[test]
fn the_interval_commits_without_a_flush() {
    let place = Place::new();
    let recorder = place.open();
    let reader = Reader::open(place.store()).unwrap();
    let model = recorder.model("p", "m").unwrap();
    for n in 1..=3 {
        recorder.record(UsageRecord::new(model)).unwrap();
        common::wait_until("the record is committed", || {
            reader.snapshot().unwrap().total().requests == n
        });
    }
}

#[test]
fn enough_records_commit_before_the_interval() {
    let place = Place::new();
    let builder = place
        .builder()
        .shard_capacity(1 << 14)
        .flush_interval(Duration::from_secs(3600))
        .flush_records(100);
    let recorder = builder.open(place.store()).unwrap();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    // Half of the ring wakes the consumer.
    for _ in 0..(1 << 14) {
        recorder.record(usage).unwrap();
    }
    common::wait_until("the records are committed", || {
        recorder.stats().committed >= 1 << 13
    });
}

#[test]
fn half_a_ring_wakes_the_consumer_whichever_way_it_is_filled() {
    const SLOTS: usize = 1 << 14;
    type Way = fn(&Recorder, UsageRecord);
    let ways: [(&str, Way); 4] = [
        ("a record", |recorder, usage| {
            recorder.record(usage).unwrap();
        }),
        ("a batch", |recorder, usage| {
            assert_eq!(recorder.record_batch(&[usage]), 1);
        }),
        ("a wait", |recorder, usage| {
            recorder.record_timeout(usage, PATIENCE).unwrap();
        }),
        ("a thread's first record", |recorder, usage| {
            thread::scope(|scope| {
                scope.spawn(|| recorder.record(usage).unwrap());
            });
        }),
    ];
    for (what, way) in ways {
        let builder = Recorder::builder().shards(1).shard_capacity(SLOTS);
        let builder = builder.flush_interval(Duration::from_secs(3600));
        let recorder = builder.in_memory().unwrap();
        let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
        let nearly = vec![usage; SLOTS / 2 - 100];
        assert_eq!(recorder.record_batch(&nearly), nearly.len());
        let mut most = SLOTS - nearly.len();
        common::wait_until("the records are committed", || {
            // Well before the ring is full and somebody is refused.
            most -= 1;
            assert!(most > 0, "{what} does not wake the consumer");
            way(&recorder, usage);
            recorder.stats().committed > 0
        });
    }
}
