//! I1: what was accepted is counted, each record once, and what was not
//! accepted is counted as rejected.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::marks::{self, mark};
use common::{PATIENCE, Place, sums};
use quipu::{Reader, RecordError, Recorder, TokenKind, UsageRecord};

/// What one producer saw.
#[derive(Debug, Default)]
struct Seen {
    attempted: u64,
    accepted: Vec<u64>,
    full: u64,
}

/// Offers `records` numbered records as the tenant `name`, by all ways of
/// recording in turn. A number that was refused is not offered again.
fn produce(recorder: &Recorder, name: &str, records: u64) -> Seen {
    let model = recorder.model("provider", name).unwrap();
    let tenant = recorder.tenant(name).unwrap();
    let usage = |n| mark(UsageRecord::new(model).tenant(tenant), n);
    let mut seen = Seen::default();
    let mut n = 0;
    while n < records {
        let one = |result: Result<(), RecordError>| match result {
            Ok(()) => 1,
            Err(RecordError::Full) => 0,
            Err(other) => panic!("{other}"),
        };
        let (offered, accepted) = match n % 5 {
            0 | 1 => (1, one(recorder.record(usage(n)))),
            2 => {
                let end = records.min(n + 1 + n % 9);
                let batch: Vec<_> = (n..end).map(usage).collect();
                (end - n, recorder.record_batch(&batch) as u64)
            }
            3 => (1, one(recorder.record_timeout(usage(n), Duration::ZERO))),
            _ => {
                // The consumer goes on, so that there is room before long.
                recorder.record_timeout(usage(n), PATIENCE).unwrap();
                (1, 1)
            }
        };
        seen.attempted += offered;
        seen.accepted.extend(n..n + accepted);
        seen.full += offered - accepted;
        n += offered;
    }
    seen
}

/// `producers` threads at a ring of the given geometry; gives how many records
/// were refused.
fn conserve(producers: usize, shards: usize, capacity: usize, records: u64) -> u64 {
    let place = Place::new();
    let builder = place.builder().shards(shards).shard_capacity(capacity);
    let recorder = builder.open(place.store()).unwrap();
    let is_over = AtomicBool::new(false);
    let seen: Vec<(String, Seen)> = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut committed = 0;
            while !is_over.load(Ordering::Relaxed) {
                let stats = recorder.stats();
                assert_eq!(stats.accepted, stats.committed + stats.in_ring);
                assert_eq!(stats.attempted, stats.accepted + stats.rejected);
                assert!(stats.committed >= committed, "committed records went away");
                assert!(stats.in_ring <= stats.ring_capacity);
                committed = stats.committed;
                thread::yield_now();
            }
        });
        let threads: Vec<_> = (0..producers)
            .map(|n| {
                let recorder = recorder.clone();
                let name = format!("producer {n}");
                scope.spawn(move || {
                    let seen = produce(&recorder, &name, records);
                    (name, seen)
                })
            })
            .collect();
        let seen = threads.into_iter().map(|t| t.join().unwrap()).collect();
        is_over.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
        seen
    });
    recorder.flush(PATIENCE).unwrap();

    let attempted: u64 = seen.iter().map(|(_, seen)| seen.attempted).sum();
    let accepted: u64 = seen
        .iter()
        .map(|(_, seen)| seen.accepted.len() as u64)
        .sum();
    let full: u64 = seen.iter().map(|(_, seen)| seen.full).sum();
    let expected = marks::once(seen.into_iter().map(|(name, seen)| (name, seen.accepted)));
    let case = format!("{producers} producers, {shards} shards of {capacity}");

    let snapshot = recorder.snapshot();
    assert_eq!(sums::check(&snapshot).requests, accepted, "{case}");
    assert_eq!(marks::counted(&snapshot), expected, "{case}");
    for stats in [recorder.stats(), recorder.close(PATIENCE).unwrap()] {
        assert_eq!(stats.attempted, attempted, "{case}");
        assert_eq!(stats.accepted, accepted, "{case}");
        assert_eq!(stats.committed, accepted, "{case}");
        assert_eq!(stats.in_ring, 0, "{case}");
        assert_eq!(stats.rejected, full, "{case}");
        assert_eq!(stats.rejected_full, full, "{case}");
        assert_eq!(stats.rejected_closed, 0, "{case}");
        assert_eq!(stats.holes, 0, "{case}");
    }
    let reader = Reader::open(place.store()).unwrap();
    assert_eq!(marks::counted(&reader.snapshot().unwrap()), expected);
    assert_eq!(reader.stats().unwrap().attempted, attempted);
    full
}

#[test]
fn one_producer() {
    let full: u64 = [(1, 2), (1, 64), (2, 4), (4, 2)]
        .map(|(shards, capacity)| conserve(1, shards, capacity, 2000))
        .iter()
        .sum();
    assert!(full > 0, "batches of nine don't fit into two slots");
}

#[test]
fn two_and_four_producers() {
    for (shards, capacity) in [(1, 2), (1, 16), (2, 2), (2, 32), (4, 8)] {
        conserve(2, shards, capacity, 1000);
        conserve(4, shards, capacity, 1000);
    }
}

#[test]
fn eight_and_sixteen_producers() {
    for (shards, capacity) in [(1, 2), (1, 32), (2, 4), (4, 2), (4, 64)] {
        conserve(8, shards, capacity, 500);
        conserve(16, shards, capacity, 500);
    }
}

#[test]
fn in_memory_too() {
    let recorder = Recorder::builder()
        .shards(2)
        .shard_capacity(4)
        .in_memory()
        .unwrap();
    let seen: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = ["a", "b", "c"]
            .into_iter()
            .map(|name| (name, scope.spawn(|| produce(&recorder, name, 2000))))
            .collect();
        threads
            .into_iter()
            .map(|(name, thread)| (name.to_owned(), thread.join().unwrap()))
            .collect()
    });
    recorder.flush(PATIENCE).unwrap();
    let full: u64 = seen.iter().map(|(_, seen)| seen.full).sum();
    let expected = marks::once(seen.into_iter().map(|(name, seen)| (name, seen.accepted)));
    assert_eq!(marks::counted(&recorder.snapshot()), expected);
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!((stats.attempted, stats.rejected_full), (6000, full));
    assert_eq!(
        marks::counted(&recorder.snapshot()),
        expected,
        "after close"
    );
}

#[test]
fn f35_a_batch_takes_what_fits_and_counts_the_rest() {
    for (shards, capacity) in [(1, 2), (1, 16), (2, 8), (4, 2)] {
        let place = Place::new();
        let builder = place.builder().shards(shards).shard_capacity(capacity);
        let recorder = builder.open(place.store()).unwrap();
        let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
        let batch: Vec<_> = (0..100).map(|n| mark(usage, n)).collect();
        // Of one shard exactly what it has; the consumer may hand slots of one
        // back while the batch is at another.
        let slots = shards * capacity;
        let accepted = recorder.record_batch(&batch);
        assert!(accepted >= slots, "{accepted} of {slots} free slots");
        assert!(shards > 1 || accepted == slots);
        assert_eq!(recorder.record_batch(&[]), 0);
        recorder.flush(PATIENCE).unwrap();
        let first = (0..accepted as u64).collect();
        let expected = marks::once([(String::new(), first)]);
        assert_eq!(marks::counted(&recorder.snapshot()), expected);
        let stats = recorder.stats();
        assert_eq!(stats.attempted, 100);
        assert_eq!(stats.rejected_full, 100 - accepted as u64);
    }
}

#[test]
fn f35_a_full_ring_refuses_at_once_and_takes_records_again() {
    let place = Place::new();
    let builder = place.builder().shards(1).shard_capacity(2);
    let recorder = builder.open(place.store()).unwrap();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    let (mut attempted, mut accepted) = (0, 0);
    // The consumer empties the ring while this fills it: now and then `record`
    // comes first.
    let mut was_full = [false; 2];
    common::wait_until("both ways of recording met a full ring", || {
        attempted += 5;
        accepted += recorder.record_batch(&[usage; 3]) as u64;
        let results = [
            recorder.record(usage),
            recorder.record_timeout(usage, Duration::ZERO),
        ];
        for (was_full, result) in was_full.iter_mut().zip(results) {
            match result {
                Ok(()) => accepted += 1,
                Err(error) => {
                    assert_eq!(error, RecordError::Full);
                    *was_full = true;
                }
            }
        }
        was_full == [true; 2]
    });
    for _ in 0..100 {
        attempted += 4;
        accepted += 1 + recorder.record_batch(&[usage; 3]) as u64;
        recorder
            .record_timeout(usage, PATIENCE)
            .expect("there is room before long");
    }
    let stats = recorder.stats();
    assert_eq!((stats.ring_capacity, stats.ring_high_water), (2, 2));
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!(stats.attempted, attempted);
    assert_eq!(stats.committed, accepted);
    assert_eq!(stats.rejected_full, attempted - accepted);
}

#[test]
fn everything_that_a_record_says_is_summed() {
    let place = Place::new();
    let recorder = place.open();
    let model = recorder.model("p", "m").unwrap();
    for n in 1..=100u64 {
        let mut usage = UsageRecord::new(model)
            .cost_nanos(n * 1_000_003)
            .outcome(quipu::Outcome::ALL[(n % 8) as usize])
            .streamed(n.is_multiple_of(2))
            .estimated(n.is_multiple_of(5));
        for kind in TokenKind::ALL {
            usage = usage.tokens(kind, n << kind.index());
        }
        recorder.record(usage).unwrap();
    }
    recorder.flush(PATIENCE).unwrap();
    for snapshot in [
        recorder.snapshot(),
        Reader::open(place.store()).unwrap().snapshot().unwrap(),
    ] {
        let total = sums::check(&snapshot);
        assert_eq!(
            total.tokens,
            [5050, 10_100, 20_200, 40_400, 80_800, 161_600]
        );
        assert_eq!(total.reported, [100; 6]);
        assert_eq!(total.all_tokens(), 5050 * 63);
        assert_eq!(total.cost_nanos, 5050 * 1_000_003);
        assert_eq!((total.priced, total.unpriced()), (100, 0));
        assert_eq!((total.streamed, total.estimated), (50, 20));
        assert_eq!(total.outcomes, [12, 13, 13, 13, 13, 12, 12, 12]);
        assert_eq!(total.errors, 88);
        assert!(!total.saturated);
    }
}
