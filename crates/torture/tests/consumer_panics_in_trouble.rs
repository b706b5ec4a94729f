//! The consumer panics while the store can't be written, while names wait for
//! it, and after its file was written anew: still every record is counted once.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod support;

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use common::marks::{self, mark};
use common::{PATIENCE, Place, sums};
use quipu::fault::Verdict;
use quipu::{CloseError, FlushError, Reader, Recorder, UsageRecord};
use support::{Hooks, Panics, is_consumer};

/// Records each of these numbers of the tenant `tenant`.
fn record(recorder: &Recorder, tenant: &str, numbers: std::ops::Range<u64>) {
    let model = recorder.model("p", "m").unwrap();
    let tenant = recorder.tenant(tenant).unwrap();
    for n in numbers {
        let usage = mark(UsageRecord::new(model).tenant(tenant), n);
        recorder.record_timeout(usage, PATIENCE).unwrap();
    }
}

fn expected(of: &[(&str, u64)]) -> marks::Counted {
    let each = of.iter().map(|(tenant, n)| (*tenant, (0..*n).collect()));
    marks::once(each.map(|(tenant, numbers)| (tenant.to_owned(), numbers)))
}

/// What the store says, to others and when it is opened again.
fn check(place: &Place, recorder: Recorder, expected: &marks::Counted) {
    let found = quipu::verify(place.store()).unwrap();
    assert!(found.is_sound(), "{:?}", found.problems);
    let reader = Reader::open(place.store()).unwrap();
    assert_eq!(marks::counted(&reader.snapshot().unwrap()), *expected);
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!((stats.lost, stats.unwritten), (0, 0));
    drop(recorder);
    let reopened = place.open();
    assert!(reopened.set_aside().is_empty());
    let snapshot = reopened.snapshot();
    assert_eq!(marks::counted(&snapshot), *expected);
    sums::check(&snapshot);
}

/// Lets every look at a file fail in the consumer, so that it can't commit,
/// until the switch is turned off.
fn fail_commits(hooks: &Hooks) -> Arc<AtomicBool> {
    let is_failing = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&is_failing);
    hooks.at_calls(move |call| {
        if call.name == "stat" && is_consumer() && is_failing.load(Ordering::SeqCst) {
            return Verdict::Fail(io::Error::from_raw_os_error(libc::EIO));
        }
        Verdict::Go
    });
    switch
}

#[test]
fn f37_while_the_store_can_not_be_written() {
    let hooks = Hooks::take();
    for point in ["consumer: mid batch", "commit: before the release"] {
        let place = Place::new();
        // Small, so that slots are used again though nothing was committed.
        let recorder = place.builder().shard_capacity(16).open(place.store());
        let recorder = recorder.unwrap();
        record(&recorder, "a", 0..50);
        recorder.flush(PATIENCE).unwrap();
        let is_failing = fail_commits(&hooks);
        record(&recorder, "a", 50..100);
        assert!(matches!(
            recorder.flush(PATIENCE),
            Err(FlushError::Degraded(_))
        ));
        let panics = hooks.panic_at(point, 3, 7);
        let mut n = 0;
        while n < 100 || !panics.are_over() {
            record(&recorder, "b", n..n + 10);
            n += 10;
        }
        hooks.no_points();
        assert!(recorder.flush(PATIENCE).is_err());
        // In memory nothing is missing.
        let expected = expected(&[("a", 100), ("b", n)]);
        assert_eq!(marks::counted(&recorder.snapshot()), expected, "{point}");
        is_failing.store(false, Ordering::SeqCst);
        recorder.flush(PATIENCE).unwrap();
        assert_eq!(recorder.stats().degraded, None);
        check(&place, recorder, &expected);
        hooks.no_calls();
    }
}

#[test]
fn f37_during_a_close_that_can_not_be_written() {
    let hooks = Hooks::take();
    let place = Place::new();
    let recorder = place.open();
    record(&recorder, "a", 0..50);
    recorder.flush(PATIENCE).unwrap();
    let is_failing = fail_commits(&hooks);
    let panics = hooks.panic_at("consumer: mid batch", 20, 5);
    record(&recorder, "a", 50..100);
    assert!(matches!(
        recorder.close(PATIENCE),
        Err(CloseError::Degraded(_))
    ));
    assert!(panics.are_over());
    let expected = expected(&[("a", 100)]);
    assert_eq!(marks::counted(&recorder.snapshot()), expected);
    is_failing.store(false, Ordering::SeqCst);
    hooks.no_points();
    let recorder = place.open();
    assert_eq!(recorder.stats().replayed, 50);
    check(&place, recorder, &expected);
}

#[test]
fn f37_while_names_wait_to_be_written() {
    let hooks = Hooks::take();
    for point in ["names: half written", "names: before they count"] {
        for (skip, times) in [(0, 1), (0, 5), (2, 2)] {
            let place = Place::new();
            let recorder = place.open();
            record(&recorder, "first", 0..1);
            recorder.flush(PATIENCE).unwrap();
            // The producer can't write the name, so the consumer does.
            hooks.at_calls(|call| {
                if call.name == "stat" && !is_consumer() {
                    return Verdict::Fail(io::Error::from_raw_os_error(libc::EIO));
                }
                Verdict::Go
            });
            let panics = hooks.panic_at(point, skip, times);
            let names = ["a tenant", "another tenant", "a third one"];
            for name in names {
                record(&recorder, name, 0..7);
            }
            recorder.flush(PATIENCE).unwrap();
            hooks.no_calls();
            hooks.no_points();
            assert!(panics.happened() > 0, "{point}");
            let expected = expected(&[
                ("first", 1),
                ("a tenant", 7),
                ("another tenant", 7),
                ("a third one", 7),
            ]);
            check(&place, recorder, &expected);
        }
    }
}

#[test]
fn f37_after_the_file_was_written_anew() {
    let hooks = Hooks::take();
    let place = Place::new();
    let recorder = place.open();
    for tenant in ["a", "b", "c"] {
        record(&recorder, tenant, 0..10);
    }
    recorder.flush(PATIENCE).unwrap();
    fs::remove_file(place.aggregate()).unwrap();
    // A commit in which only one row of many changed.
    record(&recorder, "a", 10..11);
    recorder.flush(PATIENCE).unwrap();
    assert!(place.aggregate().exists());
    let panics = hooks.panic_at("consumer: mid batch", 0, 1);
    record(&recorder, "b", 10..11);
    recorder.flush(PATIENCE).unwrap();
    assert!(panics.are_over());
    check(
        &place,
        recorder,
        &expected(&[("a", 11), ("b", 11), ("c", 10)]),
    );
}

#[test]
fn f37_while_the_file_is_written_anew() {
    let hooks = Hooks::take();
    for point in [
        "create: header written",
        "names: half written",
        "growth: before it counts",
        "commit: mid row",
        "commit: before the store",
        "commit: after the store",
        "set aside: after the rename",
    ] {
        let place = Place::new();
        let recorder = place.open();
        for tenant in ["a", "b", "c"] {
            record(&recorder, tenant, 0..10);
        }
        recorder.flush(PATIENCE).unwrap();
        let panics = hooks.panic_at(point, 0, 2);
        // Not removed: what stands there is then set aside.
        fs::write(place.path().join("other"), "no store").unwrap();
        fs::rename(place.path().join("other"), place.aggregate()).unwrap();
        record(&recorder, "a", 10..11);
        recorder.flush(PATIENCE).unwrap();
        // Once it was set aside, nothing is left to set aside.
        let times = if point.starts_with("set aside") { 1 } else { 2 };
        assert_eq!(panics.happened(), times, "{point}");
        hooks.no_points();
        record(&recorder, "b", 10..11);
        recorder.flush(PATIENCE).unwrap();
        check(
            &place,
            recorder,
            &expected(&[("a", 11), ("b", 11), ("c", 10)]),
        );
    }
}

#[test]
fn f23_a_file_that_comes_back_before_it_could_be_written_anew() {
    let hooks = Hooks::take();
    let place = Place::new();
    let recorder = place.open();
    for tenant in ["a", "b", "c"] {
        record(&recorder, tenant, 0..10);
    }
    recorder.flush(PATIENCE).unwrap();
    let elsewhere = place.path().join("elsewhere");
    hooks.at_calls(|call| {
        if call.name == "rename" {
            return Verdict::Fail(io::Error::from_raw_os_error(libc::EIO));
        }
        Verdict::Go
    });
    fs::rename(place.aggregate(), &elsewhere).unwrap();
    record(&recorder, "a", 10..11);
    assert!(recorder.flush(PATIENCE).is_err());
    fs::rename(&elsewhere, place.aggregate()).unwrap();
    hooks.no_calls();
    record(&recorder, "b", 10..11);
    recorder.flush(PATIENCE).unwrap();
    check(
        &place,
        recorder,
        &expected(&[("a", 11), ("b", 11), ("c", 10)]),
    );
}

/// Panics at points and instants that look random, while producers of every
/// kind are at work.
#[test]
fn f37_at_any_time_under_load() {
    const PRODUCERS: u64 = 4;
    const RECORDS: u64 = 3_000;
    let hooks = Hooks::take();
    let place = Place::new();
    let builder = place.builder().shard_capacity(32).flush_records(100);
    let recorder = builder.open(place.store()).unwrap();
    let panics = Panics::new(200);
    let random = AtomicU64::new(1);
    hooks.at_points(panics.now_and_then(move || {
        let word = random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
        (word ^ word >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33 & 0xff == 0
    }));
    thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let recorder = recorder.clone();
            scope.spawn(move || {
                let name = producer.to_string();
                record(&recorder, &name, 0..RECORDS / 2);
                recorder.flush(PATIENCE).unwrap();
                record(&recorder, &name, RECORDS / 2..RECORDS);
            });
        }
    });
    recorder.flush(PATIENCE).unwrap();
    assert!(panics.happened() > 50, "{} panics", panics.happened());
    hooks.no_points();
    assert_eq!(recorder.stats().restarts, panics.happened());
    assert_eq!(recorder.stats().committed, PRODUCERS * RECORDS);
    let names: Vec<_> = (0..PRODUCERS).map(|n| n.to_string()).collect();
    let of: Vec<_> = names.iter().map(|name| (&**name, RECORDS)).collect();
    check(&place, recorder, &expected(&of));
}
