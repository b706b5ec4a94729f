//! The consumer panics, at each point that it passes: it begins again at the
//! last commit, producers don't notice, and every record is counted once.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod support;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::marks::{self, mark};
use common::{PATIENCE, Place, sums};
use quipu::fault::set_point_hook;
use quipu::{Durability, Reader, RecordError, Recorder, Snapshot, Stats, UsageRecord};
use support::{Gate, Hooks};

/// Points that the consumer passes while all is well.
const POINTS: [&str; 7] = [
    "consumer: mid batch",
    "growth: allocated",
    "growth: before it counts",
    "commit: mid row",
    "commit: before the store",
    "commit: after the store",
    "commit: before the release",
];

/// More rows than the first extent has, so that the file grows.
const TENANTS: u64 = 300;

/// Records number `n` of each of [`TENANTS`] tenants, all of them accepted.
fn record_one_each(recorder: &Recorder, n: u64) {
    let model = recorder.model("p", "m").unwrap();
    for tenant in 0..TENANTS {
        let tenant = recorder.tenant(&tenant.to_string()).unwrap();
        let usage = mark(UsageRecord::new(model).tenant(tenant), n);
        recorder.record_timeout(usage, PATIENCE).unwrap();
    }
}

/// The counts after `record_one_each` of 0 to `n`, without it.
fn expected(n: u64) -> marks::Counted {
    marks::once((0..TENANTS).map(|tenant| (tenant.to_string(), (0..n).collect())))
}

/// Not `assert_eq`: hundreds of tenants are no message.
fn assert_counted(snapshot: &Snapshot, expected: &marks::Counted, what: &str) {
    let counted = marks::counted(snapshot);
    let differs = counted
        .iter()
        .find(|(tenant, numbers)| expected.get(*tenant) != Some(numbers));
    let (are, ought) = (counted.len(), expected.len());
    assert!(
        counted == *expected,
        "{what}: {are} tenants of {ought}, different: {differs:?}"
    );
}

/// All that was recorded is counted once, wherever one looks.
fn check(place: &Place, recorder: &Recorder, expected: &marks::Counted, what: &str) -> Stats {
    let records: u64 = expected.values().map(|numbers| numbers.len() as u64).sum();
    let reader = Reader::open(place.store()).unwrap();
    for snapshot in [recorder.snapshot(), reader.snapshot().unwrap()] {
        assert_counted(&snapshot, expected, what);
        sums::check(&snapshot);
    }
    let stats = recorder.stats();
    assert_eq!((stats.committed, stats.in_ring), (records, 0), "{what}");
    assert_eq!((stats.accepted, stats.holes), (records, 0), "{what}");
    assert_eq!((stats.rejected, stats.lost), (0, 0), "{what}");
    assert_eq!(stats.degraded, None, "{what}");
    let found = quipu::verify(place.store()).unwrap();
    assert!(found.is_sound(), "{what}: {:?}", found.problems);
    stats
}

#[test]
fn f37_at_each_point_once_and_repeatedly_while_others_flush() {
    let hooks = Hooks::take();
    for point in POINTS {
        for (skip, times) in [(0, 1), (7, 2), (0, 9)] {
            let what = format!("{times} panics at `{point}` after {skip}");
            let place = Place::new();
            // More than fits, so that producers meet a full ring too.
            let builder = place.builder().shard_capacity(64);
            let recorder = builder.open(place.store()).unwrap();
            // One that is committed before.
            let panics = if point.starts_with("growth") {
                hooks.panic_at(point, 0, times)
            } else {
                record_one_each(&recorder, 0);
                recorder.flush(PATIENCE).unwrap();
                hooks.panic_at(point, skip, times)
            };
            let first = u64::from(!point.starts_with("growth"));
            let mut n = first;
            while n < first + 3 || !panics.are_over() {
                record_one_each(&recorder, n);
                n += 1;
                recorder.flush(PATIENCE).unwrap();
                // A flush is a barrier.
                assert_counted(&recorder.snapshot(), &expected(n), &what);
            }
            hooks.no_points();
            check(&place, &recorder, &expected(n), &what);
            let stats = recorder.close(PATIENCE).unwrap();
            assert_eq!(stats.restarts, times, "{what}");
            let recorder = place.open();
            let stats = check(&place, &recorder, &expected(n), &what);
            assert_eq!((stats.restarts, stats.replayed), (times, 0), "{what}");
        }
    }
}

#[test]
fn f37_at_each_point_of_the_close() {
    let hooks = Hooks::take();
    for point in POINTS {
        for times in [1, 6] {
            let what = format!("{times} panics at `{point}` during the close");
            let place = Place::new();
            let builder = place.builder().flush_interval(Duration::from_secs(3600));
            let recorder = builder.shard_capacity(1024).open(place.store()).unwrap();
            record_one_each(&recorder, 0);
            let panics = hooks.panic_at(point, 0, times);
            let other = recorder.clone();
            let closer = thread::spawn(move || other.close(PATIENCE).unwrap());
            let stats = recorder.close(PATIENCE).unwrap();
            assert_eq!((stats.committed, stats.in_ring), (TENANTS, 0), "{what}");
            closer.join().unwrap();
            // The last commit has no release, and once it is there it isn't
            // made again.
            let expected_times = match point {
                "commit: before the release" => 0,
                "commit: after the store" => 1,
                _ => times,
            };
            assert_eq!(panics.happened(), expected_times, "{what}");
            hooks.no_points();
            check(&place, &recorder, &expected(1), &what);
            assert!(common::files_in(&place.ring_dir()).is_empty(), "{what}");
            let status = Reader::open(place.store()).unwrap().status().unwrap();
            assert!(status.clean, "{what}");
            check(&place, &place.open(), &expected(1), &what);
        }
    }
}

#[test]
fn f37_a_ring_that_is_full_of_committed_records_is_given_back() {
    let hooks = Hooks::take();
    for point in ["commit: after the store", "commit: before the release"] {
        let place = Place::new();
        let builder = place.builder().shards(1).shard_capacity(64);
        let recorder = builder.open(place.store()).unwrap();
        let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
        let panics = hooks.panic_at(point, 0, 1);
        let batch: Vec<_> = (0..64).map(|n| mark(usage, n)).collect();
        assert_eq!(recorder.record_batch(&batch), 64);
        common::wait_until("it has panicked", || panics.are_over());
        recorder.record_timeout(mark(usage, 64), PATIENCE).unwrap();
        recorder.flush(PATIENCE).unwrap();
        let expected = marks::once([(String::new(), (0..65).collect())]);
        check(&place, &recorder, &expected, point);
    }
}

#[test]
fn f37_what_a_panic_left_unpublished_is_seen_before_its_slots_are_free() {
    let hooks = Hooks::take();
    let place = Place::new();
    let builder = place.builder().shards(1).shard_capacity(64);
    let recorder = builder.open(place.store()).unwrap();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    let gate = Arc::new(Gate::default());
    gate.close();
    let held = Arc::clone(&gate);
    let has_panicked = AtomicBool::new(false);
    hooks.at_points(move |point| match point {
        "commit: after the store" if !has_panicked.swap(true, Ordering::SeqCst) => {
            resume_unwind(Box::new("a panic on purpose"));
        }
        "commit: before the release" => held.pass(),
        _ => {}
    });
    let batch: Vec<_> = (0..64).map(|n| mark(usage, n)).collect();
    assert_eq!(recorder.record_batch(&batch), 64);
    common::wait_until("it begins again", || gate.has_held());
    let stats = recorder.stats();
    let refused = recorder.record(mark(usage, 64));
    // Before anything can fail: the recorder's drop waits for its consumer.
    gate.open();
    assert_eq!((stats.committed, stats.in_ring), (64, 0));
    assert_eq!(
        refused,
        Err(RecordError::Full),
        "its slots are not free yet"
    );
    recorder.record_timeout(mark(usage, 64), PATIENCE).unwrap();
    recorder.flush(PATIENCE).unwrap();
    let expected = marks::once([(String::new(), (0..65).collect())]);
    assert_eq!(marks::counted(&recorder.snapshot()), expected);
}

#[test]
fn f37_without_files_too() {
    let hooks = Hooks::take();
    for point in ["consumer: mid batch", "commit: before the release"] {
        let builder = Recorder::builder().shards(2).shard_capacity(64);
        let recorder = builder.in_memory().unwrap();
        let panics = hooks.panic_at(point, 1, 5);
        let mut n = 0;
        while n < 3 || !panics.are_over() {
            record_one_each(&recorder, n);
            n += 1;
            recorder.flush(PATIENCE).unwrap();
            assert_counted(&recorder.snapshot(), &expected(n), point);
        }
        let stats = recorder.close(PATIENCE).unwrap();
        assert_eq!((stats.committed, stats.restarts), (n * TENANTS, 5));
        assert_counted(&recorder.snapshot(), &expected(n), point);
    }
}

#[test]
fn f37_again_and_again_is_told_and_goes_away() {
    let hooks = Hooks::take();
    for point in ["consumer: mid batch", "commit: before the store"] {
        let place = Place::new();
        let recorder = place.open();
        let reader = Reader::open(place.store()).unwrap();
        record_one_each(&recorder, 0);
        recorder.flush(PATIENCE).unwrap();
        hooks.panic_at(point, 0, u64::MAX);
        let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
        recorder.record(mark(usage, 7)).unwrap();
        let told = |degraded: Option<String>| {
            degraded.is_some_and(|reason| reason.contains("panics again and again"))
        };
        common::wait_until("the recorder says so", || told(recorder.stats().degraded));
        common::wait_until("readers are told", || {
            told(reader.stats().unwrap().degraded)
        });
        // Nothing that was committed is gone, and producers go on.
        assert_counted(&reader.snapshot().unwrap(), &expected(1), point);
        recorder.record(mark(usage, 8)).unwrap();
        assert_eq!(recorder.stats().in_ring, 2);
        hooks.no_points();
        recorder.flush(PATIENCE).unwrap();
        assert_eq!(recorder.stats().degraded, None, "{point}");
        assert_eq!(reader.stats().unwrap().degraded, None, "{point}");
        let mut expected = expected(1);
        expected.extend(marks::once([(String::new(), vec![7, 8])]));
        check(&place, &recorder, &expected, point);
        let stats = recorder.close(PATIENCE).unwrap();
        assert!(stats.restarts >= 3, "{} restarts", stats.restarts);
    }
}

#[test]
fn f37_the_thread_that_writes_checkpoints_is_told_of_and_goes_on() {
    let _hooks = Hooks::take();
    let place = Place::new();
    let durability = Durability::Checkpoint(Duration::from_millis(10));
    let builder = place.builder().durability(durability);
    let recorder = builder.open(place.store()).unwrap();
    let panics = Arc::new(AtomicBool::new(true));
    let go_on = Arc::clone(&panics);
    set_point_hook(Some(Arc::new(move |point| {
        if point == "checkpoint: written" && go_on.load(Ordering::SeqCst) {
            resume_unwind(Box::new("a panic on purpose"));
        }
    })));
    record_one_each(&recorder, 0);
    recorder.flush(PATIENCE).unwrap();
    common::wait_until("somebody is told", || {
        let degraded = recorder.stats().degraded;
        degraded.is_some_and(|reason| reason.contains("checkpoint"))
    });
    // Commits go on.
    record_one_each(&recorder, 1);
    recorder.flush(PATIENCE).unwrap();
    assert_counted(&recorder.snapshot(), &expected(2), "without checkpoints");
    panics.store(false, Ordering::SeqCst);
    common::wait_until("there is a checkpoint", || {
        let stats = recorder.stats();
        stats.checkpoint == stats.generation && stats.degraded.is_none()
    });
    check(&place, &recorder, &expected(2), "with a checkpoint");
}
