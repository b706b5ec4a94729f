//! Threads that record and end: by thousands, and with a panic. Nothing of them
//! stays behind, and nothing is lost.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::thread;

use common::marks::{self, mark};
use common::{PATIENCE, Place, child};
use quipu::{Recorder, UsageRecord};

#[test]
fn f41_thousands_of_threads_that_record_once() {
    let place = Place::new();
    child::start("child_of_thousands_of_threads", place.path(), "").finish();
    let expected = marks::once([(String::new(), (0..WAVES * WAVE).collect())]);
    let recorder = place.open();
    assert_eq!(marks::counted(&recorder.snapshot()), expected);
    assert_eq!(recorder.stats().attempted, WAVES * WAVE);
}

const WAVES: u64 = 100;
const WAVE: u64 = 50;

/// In a process of its own, whose threads, files and memory can be counted.
#[test]
#[ignore = "a child of another test"]
fn child_of_thousands_of_threads() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let builder = common::builder_at(&place);
    let recorder = builder.open(place.join("usage.quipu")).unwrap();
    let model = recorder.model("p", "m").unwrap();
    let wave = |wave| {
        thread::scope(|scope| {
            for n in 0..WAVE {
                let usage = mark(UsageRecord::new(model), wave * WAVE + n);
                let recorder = recorder.clone();
                scope.spawn(move || recorder.record_timeout(usage, PATIENCE).unwrap());
            }
        });
    };
    let threads = || common::files_in("/proc/self/task".as_ref()).len();
    let files = || common::files_in("/proc/self/fd".as_ref()).len();
    let pages = || {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let resident = statm.split(' ').nth(1);
        resident.unwrap().parse::<u64>().unwrap()
    };
    wave(0);
    wave(1);
    recorder.flush(PATIENCE).unwrap();
    let before = (threads(), files(), pages());
    (2..WAVES).for_each(wave);
    recorder.flush(PATIENCE).unwrap();
    common::wait_until("the threads have ended", || threads() <= before.0);
    assert_eq!(files(), before.1);
    // A page for each of the threads would be more.
    let grown = pages().saturating_sub(before.2);
    assert!(grown < (WAVES - 2) * WAVE / 2, "{grown} pages");
    recorder.close(PATIENCE).unwrap();
}

/// No code of the caller's runs inside `record`, which itself has nothing that
/// panics: a producer's panic comes before or after the record, and there is
/// no slot that is claimed and never published.
#[test]
fn f38_producers_that_panic_leave_no_slot_behind() {
    // Slots for some of them only: each must come free again.
    let place = Place::new();
    let builder = place.builder().shards(2).shard_capacity(4);
    let recorder = builder.open(place.store()).unwrap();
    let model = recorder.model("p", "m").unwrap();
    let usage = move |n| mark(UsageRecord::new(model), n);
    // Not `panic!`: a hundred messages would hide a real one.
    let panic = || std::panic::resume_unwind(Box::new("a request handler's panic"));
    let panics: Vec<_> = (0..100u64)
        .map(|n| {
            let recorder = recorder.clone();
            thread::spawn(move || match n % 4 {
                // Before, after, in between, and while it unwinds.
                0 => {
                    let made = || -> UsageRecord { panic() };
                    recorder.record_timeout(made(), PATIENCE).unwrap();
                }
                1 => {
                    recorder.record_timeout(usage(n), PATIENCE).unwrap();
                    panic();
                }
                2 => {
                    while recorder.record_batch(&[usage(n)]) == 0 {}
                    panic();
                }
                _ => {
                    let _later = RecordsWhenDropped(&recorder, usage(n));
                    panic();
                }
            })
        })
        .collect();
    for thread in panics {
        assert!(thread.join().is_err());
    }
    let recorded = (0..100).filter(|n| n % 4 != 0).collect();
    recorder.flush(PATIENCE).unwrap();
    let expected = marks::once([(String::new(), recorded)]);
    assert_eq!(marks::counted(&recorder.snapshot()), expected);
    // Every slot is free.
    let stats = recorder.stats();
    assert_eq!((stats.committed, stats.in_ring, stats.holes), (75, 0, 0));
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!((stats.committed, stats.holes), (75, 0));
}

/// As a guard of a request does, whichever way it ends.
struct RecordsWhenDropped<'a>(&'a Recorder, UsageRecord);

impl Drop for RecordsWhenDropped<'_> {
    fn drop(&mut self) {
        let Self(recorder, usage) = self;
        recorder.record_timeout(*usage, PATIENCE).unwrap();
    }
}

#[test]
fn a_recorder_goes_everywhere_also_into_catch_unwind() {
    fn goes<T: Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    goes::<quipu::Recorder>();
    goes::<quipu::Snapshot>();
    goes::<quipu::UsageRecord>();
}
