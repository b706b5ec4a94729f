//! The whole street in memory, without a file: small enough for Miri, which
//! checks every access of every thread. `tools/sanitize miri` runs it so.

#![allow(clippy::unwrap_used, missing_docs)]

use std::thread;
use std::time::Duration;

use quipu::{OTHER, Outcome, RecordError, Recorder, TokenKind, UsageRecord};

const PATIENCE: Duration = Duration::from_secs(300);

/// Calls of one producer: several laps of the ring.
const CALLS: u64 = 24;

/// A recorder whose ring is full after eight records on each of two shards.
fn small() -> Recorder {
    let builder = Recorder::builder().shards(2).shard_capacity(8);
    builder.in_memory().unwrap()
}

#[test]
fn several_producers_on_a_small_ring_are_all_counted() {
    const PRODUCERS: u64 = 3;
    let recorder = small();
    thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let recorder = recorder.clone();
            scope.spawn(move || {
                let model = recorder.model("p", &producer.to_string()).unwrap();
                for n in 0..CALLS {
                    let usage = UsageRecord::new(model)
                        .tokens(TokenKind::Input, n)
                        .latency(Duration::from_micros(n));
                    recorder.record_timeout(usage, PATIENCE).unwrap();
                }
            });
        }
        let recorder = recorder.clone();
        scope.spawn(move || {
            let mut last = 0;
            for _ in 0..20 {
                let requests = recorder.snapshot().total().requests;
                assert!(requests >= last, "{requests} after {last}");
                last = requests;
                thread::yield_now();
            }
        });
    });
    recorder.flush(PATIENCE).unwrap();
    let snapshot = recorder.snapshot();
    for of in snapshot.by_model() {
        assert_eq!(of.totals.requests, CALLS, "{}", of.model);
        assert_eq!(of.totals.token(TokenKind::Input), CALLS * (CALLS - 1) / 2);
        assert_eq!(of.totals.latency.count, CALLS);
    }
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!((stats.committed, stats.in_ring), (PRODUCERS * CALLS, 0));
    assert_eq!(stats.attempted, stats.accepted + stats.rejected);
}

#[test]
fn batches_are_counted_as_far_as_they_were_accepted() {
    let recorder = small();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    let accepted: usize = thread::scope(|scope| {
        let batches = [5, 16, 40].map(|size| {
            let recorder = recorder.clone();
            scope.spawn(move || recorder.record_batch(&vec![usage; size]))
        });
        batches.into_iter().map(|it| it.join().unwrap()).sum()
    });
    recorder.flush(PATIENCE).unwrap();
    assert_eq!(recorder.snapshot().total().requests, accepted as u64);
    let stats = recorder.stats();
    assert_eq!(stats.attempted, 5 + 16 + 40);
    assert_eq!(stats.rejected_full, stats.attempted - accepted as u64);
}

#[test]
fn nothing_accepted_before_a_close_is_missed() {
    let recorder = small();
    let model = recorder.model("p", "m").unwrap();
    let accepted: u64 = thread::scope(|scope| {
        let producers = [(); 2].map(|()| {
            let recorder = recorder.clone();
            scope.spawn(move || {
                let usage = UsageRecord::new(model).outcome(Outcome::Timeout);
                let mut accepted = 0;
                loop {
                    match recorder.record(usage) {
                        Ok(()) => accepted += 1,
                        Err(RecordError::Full) => thread::yield_now(),
                        Err(RecordError::Closed) => return accepted,
                    }
                }
            })
        });
        thread::yield_now();
        recorder.close(PATIENCE).unwrap();
        producers.into_iter().map(|it| it.join().unwrap()).sum()
    });
    let total = recorder.snapshot().total();
    assert_eq!((total.requests, total.errors), (accepted, accepted));
    assert_eq!(recorder.stats().committed, accepted);
}

#[test]
fn names_are_one_id_from_every_thread_and_have_a_limit() {
    let builder = Recorder::builder().shards(1).shard_capacity(8);
    let recorder = builder.max_tenants(3).in_memory().unwrap();
    let ids = thread::scope(|scope| {
        let threads = [(); 3].map(|()| {
            let recorder = &recorder;
            scope.spawn(move || {
                let tenants = ["a", "b", "a"].map(|name| recorder.tenant(name).unwrap());
                (recorder.model("p", "m").unwrap(), tenants)
            })
        });
        threads.map(|it| it.join().unwrap())
    });
    assert!(ids.iter().all(|of| *of == ids[0]), "{ids:?}");
    assert_eq!(ids[0].1[0], ids[0].1[2]);
    let (model, _) = ids[0];
    for name in ["c", "d"] {
        let usage = UsageRecord::new(model).tenant(recorder.tenant(name).unwrap());
        recorder.record(usage).unwrap();
    }
    recorder.flush(PATIENCE).unwrap();
    let tenants = recorder.snapshot().by_tenant();
    let mut names: Vec<_> = tenants.iter().map(|of| of.tenant.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, [OTHER, "c"]);
}
