//! The consumer is held up for as long as a test likes: memory is bounded, the
//! lag can be seen, producers are refused at once, and what was accepted is
//! counted when it goes on.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::marks::{self, mark};
use common::{PATIENCE, Place, wait_until};
use quipu::{CloseError, FlushError, Reader, RecordError, Recorder, UsageRecord, Writer};
use support::{Gate, Hooks};

/// A recorder whose ring has 512 slots, with its consumer held at `point`.
fn stalled(hooks: &Hooks, place: &Place, point: &'static str) -> (Recorder, Arc<Gate>) {
    let recorder = place.open();
    let gate = Arc::new(Gate::default());
    gate.close();
    let held = Arc::clone(&gate);
    hooks.at_points(move |reached| {
        if reached == point {
            held.pass();
        }
    });
    (recorder, gate)
}

/// Opens the gate at the end, also when the test fails: the recorder's drop
/// waits for its consumer.
struct OpenAtLast<'a>(&'a Gate);

impl Drop for OpenAtLast<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}

#[test]
fn f36_producers_are_refused_and_nothing_accepted_is_lost() {
    let hooks = Hooks::take();
    for point in [
        "consumer: mid batch",
        "commit: before the store",
        "commit: after the store",
        "commit: before the release",
    ] {
        let place = Place::new();
        let (recorder, gate) = stalled(&hooks, &place, point);
        let _open = OpenAtLast(&gate);
        let reader = Reader::open(place.store()).unwrap();
        let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
        recorder.record(mark(usage, 0)).unwrap();
        wait_until("the consumer is held", || gate.has_held());

        let (mut accepted, mut refused) = (vec![0], 0);
        for n in 1..2000 {
            match recorder.record(mark(usage, n)) {
                Ok(()) => accepted.push(n),
                Err(error) => {
                    assert_eq!(error, RecordError::Full);
                    refused += 1;
                }
            }
        }
        let fits = recorder.stats().ring_capacity;
        assert_eq!((fits, accepted.len() as u64), (512, 512), "{point}");
        // All ways of recording, at once and after a wait.
        assert_eq!(recorder.record_batch(&[usage; 9]), 0);
        let soon = Duration::from_millis(5);
        assert_eq!(recorder.record_timeout(usage, soon), Err(RecordError::Full));
        refused += 10;
        assert_eq!(recorder.flush(soon), Err(FlushError::Timeout), "{point}");
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.rejected_full), (512, refused));
        // The lag is visible, here and in other processes. The first record
        // may be committed already.
        for seen in [stats, reader.stats().unwrap()] {
            assert_eq!(seen.in_ring + seen.committed, 512, "{point}");
            assert!(seen.committed <= 1, "{point}");
        }
        assert_eq!(common::files_in(&place.ring_dir()).len(), 1);

        gate.open();
        recorder.flush(PATIENCE).unwrap();
        recorder.record(mark(usage, 2000)).unwrap();
        accepted.push(2000);
        let stats = recorder.close(PATIENCE).unwrap();
        assert_eq!((stats.committed, stats.in_ring), (513, 0), "{point}");
        assert_eq!(stats.rejected, refused, "{point}");
        let expected = marks::once([(String::new(), accepted)]);
        assert_eq!(marks::counted(&recorder.snapshot()), expected, "{point}");
        assert_eq!(marks::counted(&place.open().snapshot()), expected);
    }
}

#[test]
fn f36_no_memory_is_taken_while_producers_are_refused() {
    let hooks = Hooks::take();
    let place = Place::new();
    let (recorder, gate) = stalled(&hooks, &place, "consumer: mid batch");
    let _open = OpenAtLast(&gate);
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    while recorder.record(usage).is_ok() {}
    wait_until("the consumer is held", || gate.has_held());
    while recorder.record(usage).is_ok() {}
    let before = resident_kilobytes();
    for _ in 0..3_000_000 {
        assert_eq!(recorder.record(usage), Err(RecordError::Full));
    }
    let grown = resident_kilobytes().saturating_sub(before);
    // Kept records would have taken 160 megabytes.
    assert!(grown < 16_000, "{grown} kB");
}

fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let field = line.unwrap().split_whitespace().nth(1);
    field.unwrap().parse().unwrap()
}

#[test]
fn f36_who_waits_gets_the_first_free_slot() {
    const WAITERS: u64 = 8;
    let hooks = Hooks::take();
    let place = Place::new();
    let (recorder, gate) = stalled(&hooks, &place, "consumer: mid batch");
    let _open = OpenAtLast(&gate);
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    let mut accepted = 0;
    wait_until("the ring is full and the consumer held", || {
        let n = recorder.record(mark(usage, accepted)).is_ok();
        accepted += u64::from(n);
        !n && gate.has_held()
    });
    let waiting = AtomicUsize::new(0);
    thread::scope(|scope| {
        for n in 0..WAITERS {
            let (recorder, waiting) = (&recorder, &waiting);
            scope.spawn(move || {
                waiting.fetch_add(1, Ordering::SeqCst);
                let usage = mark(usage, accepted + n);
                // Longer than the clock has time is for ever.
                let patience = [PATIENCE, Duration::MAX][n as usize % 2];
                recorder.record_timeout(usage, patience).unwrap();
            });
        }
        wait_until("all wait", || {
            waiting.load(Ordering::SeqCst) as u64 == WAITERS
        });
        gate.open();
    });
    recorder.flush(PATIENCE).unwrap();
    let expected = marks::once([(String::new(), (0..accepted + WAITERS).collect())]);
    assert_eq!(marks::counted(&recorder.snapshot()), expected);
    let stats = recorder.close(PATIENCE).unwrap();
    // A wait is one attempt.
    assert_eq!(stats.attempted - stats.rejected_full, accepted + WAITERS);
}

#[test]
fn f36_a_close_gives_up_in_time_and_can_be_repeated() {
    let hooks = Hooks::take();
    let place = Place::new();
    let (recorder, gate) = stalled(&hooks, &place, "commit: before the store");
    let _open = OpenAtLast(&gate);
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    let batch: Vec<_> = (0..100).map(|n| mark(usage, n)).collect();
    assert_eq!(recorder.record_batch(&batch), 100);
    wait_until("the consumer is held", || gate.has_held());
    let soon = Duration::from_millis(5);
    for _ in 0..3 {
        assert!(matches!(recorder.close(soon), Err(CloseError::Timeout)));
        assert_eq!(recorder.record(usage), Err(RecordError::Closed));
    }
    // It still holds the store.
    let status = Reader::open(place.store()).unwrap().status().unwrap();
    assert!(!matches!(status.writer, Writer::Gone));
    assert!(place.builder().open(place.store()).is_err());
    gate.open();
    assert_eq!(recorder.close(PATIENCE).unwrap().committed, 100);
    let expected = marks::once([(String::new(), (0..100).collect())]);
    assert_eq!(marks::counted(&place.open().snapshot()), expected);
}

#[test]
fn f36_what_is_refused_during_a_close_stays_counted() {
    let hooks = Hooks::take();
    let place = Place::new();
    let (recorder, gate) = stalled(&hooks, &place, "consumer: mid batch");
    let _open = OpenAtLast(&gate);
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    recorder.record(usage).unwrap();
    let soon = Duration::from_millis(5);
    assert!(matches!(recorder.close(soon), Err(CloseError::Timeout)));
    for _ in 0..3 {
        assert_eq!(recorder.record(usage), Err(RecordError::Closed));
    }
    gate.open();
    let closed = recorder.close(PATIENCE).unwrap();
    drop(recorder);
    for stats in [closed, place.open().stats()] {
        assert_eq!((stats.rejected_closed, stats.attempted), (3, 4));
    }
}

#[test]
fn f36_the_longest_commit_stays_known() {
    const LONG: Duration = Duration::from_millis(50);
    let hooks = Hooks::take();
    let place = Place::new();
    let (recorder, gate) = stalled(&hooks, &place, "commit: before the store");
    let _open = OpenAtLast(&gate);
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    recorder.record(usage).unwrap();
    wait_until("the consumer is held", || gate.has_held());
    let since = Instant::now();
    wait_until("it is held for long", || since.elapsed() >= LONG);
    gate.open();
    recorder.flush(PATIENCE).unwrap();
    let stats = recorder.stats();
    assert!(stats.commit_last >= LONG && stats.commit_max >= stats.commit_last);
    wait_until("a commit was short", || {
        recorder.record(usage).unwrap();
        recorder.flush(PATIENCE).unwrap();
        recorder.stats().commit_last < LONG
    });
    assert!(recorder.stats().commit_max >= LONG);
    recorder.close(PATIENCE).unwrap();
    drop(recorder);
    assert!(place.open().stats().commit_max >= LONG);
}

#[test]
fn f35_a_full_ring_is_exact_about_what_it_refuses() {
    let hooks = Hooks::take();
    for (shards, capacity) in [(1, 2), (1, 64), (4, 16), (8, 2)] {
        let place = Place::new();
        let builder = place.builder().shards(shards).shard_capacity(capacity);
        let recorder = builder.open(place.store()).unwrap();
        let slots = (shards * capacity) as u64;
        let gate = Arc::new(Gate::default());
        let _open = OpenAtLast(&gate);
        let held = Arc::clone(&gate);
        hooks.at_points(move |_| held.pass());
        let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
        let mut expected = Vec::new();
        let mut attempted = 0;
        for round in 0..20 {
            gate.close();
            // Any of the ways fills the ring to the last slot of every shard.
            let mut accepted = 0;
            while accepted < slots {
                let n = attempted;
                let ok = match round % 3 {
                    0 => recorder.record(mark(usage, n)).is_ok(),
                    1 => recorder.record_batch(&[mark(usage, n)]) == 1,
                    _ => recorder.record_timeout(mark(usage, n), PATIENCE).is_ok(),
                };
                assert!(ok, "{accepted} of {slots} slots are in use");
                expected.push(n);
                accepted += 1;
                attempted += 1;
            }
            for _ in 0..5 {
                assert_eq!(recorder.record(usage), Err(RecordError::Full));
                attempted += 1;
            }
            assert_eq!(recorder.record_batch(&[usage; 7]), 0);
            attempted += 7;
            let stats = recorder.stats();
            assert_eq!((stats.in_ring, stats.attempted), (slots, attempted));
            gate.open();
            recorder.flush(PATIENCE).unwrap();
        }
        let stats = recorder.close(PATIENCE).unwrap();
        assert_eq!(stats.rejected_full, 20 * 12);
        assert_eq!((stats.attempted, stats.ring_high_water), (attempted, slots));
        let expected = marks::once([(String::new(), expected)]);
        assert_eq!(marks::counted(&recorder.snapshot()), expected);
    }
}
