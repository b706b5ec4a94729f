//! The end of a recorder, whichever way it comes: all that was accepted is
//! counted, all that comes later is refused and counted as such.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use common::marks::{self, MARKS, mark};
use common::{PATIENCE, Place, child};
use quipu::{
    CloseError, Durability, FlushError, NameError, Reader, RecordError, Recorder, Stats, TenantId,
    UsageRecord, Writer,
};

/// What a producer saw until well after the close.
#[derive(Debug, Default)]
struct Seen {
    accepted: Vec<u64>,
    full: u64,
    closed: u64,
}

fn produce_until_closed(recorder: &Recorder, usage: UsageRecord, accepted: &AtomicU64) -> Seen {
    let usage = |n| mark(usage, n);
    let mut seen = Seen::default();
    let mut n = 0;
    for turn in 0u64.. {
        if seen.closed == 20 || n + 4 >= MARKS {
            break;
        }
        let offered = if turn % 3 == 0 { 4 } else { 1 };
        let batch: Vec<_> = (n..n + offered).map(usage).collect();
        let (taken, why) = match batch[..] {
            [one] => match recorder.record(one) {
                Ok(()) => (1, None),
                Err(why) => (0, Some(why)),
            },
            // A batch doesn't say why: closed is what the next record gets.
            _ => (recorder.record_batch(&batch) as u64, None),
        };
        seen.accepted.extend(n..n + taken);
        accepted.fetch_add(taken, Ordering::Relaxed);
        match why {
            Some(RecordError::Closed) => seen.closed += 1,
            Some(RecordError::Full) => {
                assert_eq!(seen.closed, 0, "full after the close");
                seen.full += 1;
            }
            None if taken < offered => seen.full += offered - taken,
            None => assert_eq!(seen.closed, 0, "accepted after the close"),
        }
        // What was refused is offered again.
        n += taken;
    }
    seen
}

#[test]
fn f40_during_record_from_many_threads() {
    for capacity in [2, 64, 4096] {
        let place = Place::new();
        let builder = place.builder().shard_capacity(capacity);
        let recorder = builder.open(place.store()).unwrap();
        let model = recorder.model("p", "m").unwrap();
        let accepted = AtomicU64::new(0);
        let (seen, at_close): (Vec<_>, Stats) = thread::scope(|scope| {
            let threads: Vec<_> = (0..6)
                .map(|n| {
                    let (recorder, accepted) = (recorder.clone(), &accepted);
                    let name = format!("thread {n}");
                    let tenant = recorder.tenant(&name).unwrap();
                    let usage = UsageRecord::new(model).tenant(tenant);
                    scope.spawn(move || {
                        let seen = produce_until_closed(&recorder, usage, accepted);
                        (name, seen)
                    })
                })
                .collect();
            common::wait_until("some records are accepted", || {
                accepted.load(Ordering::Relaxed) > 500
            });
            let stats = recorder.close(PATIENCE).unwrap();
            (
                threads.into_iter().map(|t| t.join().unwrap()).collect(),
                stats,
            )
        });
        let accepted: u64 = seen
            .iter()
            .map(|(_, seen)| seen.accepted.len() as u64)
            .sum();
        let refused: u64 = seen.iter().map(|(_, seen)| seen.full + seen.closed).sum();
        let stats = recorder.stats();
        assert_eq!((at_close.committed, at_close.in_ring), (accepted, 0));
        assert_eq!(stats.committed, accepted);
        assert_eq!(stats.rejected, refused);
        assert_eq!(stats.attempted, accepted + refused);
        let closed: u64 = seen.iter().map(|(_, seen)| seen.closed).sum();
        assert!(stats.rejected_closed >= closed);
        let expected = marks::once(seen.into_iter().map(|(name, seen)| (name, seen.accepted)));
        assert_eq!(marks::counted(&recorder.snapshot()), expected);
        let reader = Reader::open(place.store()).unwrap();
        assert_eq!(marks::counted(&reader.snapshot().unwrap()), expected);
    }
}

#[test]
fn f40_from_many_clones_at_once() {
    let place = Place::new();
    let recorder = place.open();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    assert_eq!(recorder.record_batch(&[usage; 77]), 77);
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            let (recorder, barrier) = (recorder.clone(), &barrier);
            scope.spawn(move || {
                barrier.wait();
                assert_eq!(recorder.close(PATIENCE).unwrap().committed, 77);
                // Whoever returns from close may open the store again.
                assert_eq!(recorder.close(PATIENCE).unwrap().committed, 77);
            });
        }
    });
    place.open().close(PATIENCE).unwrap();
}

#[test]
fn f40_close_drop_and_record_from_many_threads_at_once() {
    for round in 0..30 {
        let place = Place::new();
        let recorder = place.open();
        let model = recorder.model("p", "m").unwrap();
        let barrier = Barrier::new(9);
        let accepted: Vec<Vec<u64>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..9)
                .map(|n| {
                    let (recorder, barrier) = (recorder.clone(), &barrier);
                    scope.spawn(move || {
                        let own = |i| mark(UsageRecord::new(model), n * 100 + i);
                        barrier.wait();
                        let mut accepted = Vec::new();
                        for i in 0..100 {
                            if recorder.record(own(i)).is_ok() {
                                accepted.push(n * 100 + i);
                            }
                        }
                        // A third each: close and drop, drop, close twice.
                        if n % 3 != 0 {
                            recorder.close(PATIENCE).unwrap();
                        }
                        if n % 3 == 1 {
                            recorder.close(PATIENCE).unwrap();
                        }
                        drop(recorder);
                        accepted
                    })
                })
                .collect();
            // In some rounds the last handle is one of the threads'.
            if round % 2 == 0 {
                drop(recorder);
            } else {
                recorder.close(PATIENCE).unwrap();
            }
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        // It is free: all that was accepted is committed.
        let reader = Reader::open(place.store()).unwrap();
        assert!(reader.status().unwrap().clean);
        let mut accepted = accepted.concat();
        accepted.sort_unstable();
        let expected = marks::once([(String::new(), accepted)]);
        assert_eq!(marks::counted(&reader.snapshot().unwrap()), expected);
        assert_eq!(marks::counted(&place.open().snapshot()), expected);
    }
}

#[test]
fn f40_each_return_from_close_means_that_the_store_is_free() {
    for _ in 0..20 {
        let place = Place::new();
        let recorder = place.open();
        let other = recorder.clone();
        let closer = thread::spawn(move || other.close(PATIENCE).map(|_| ()));
        recorder.close(PATIENCE).unwrap();
        place.open().close(PATIENCE).unwrap();
        closer.join().unwrap().unwrap();
    }
}

#[test]
fn f40_while_others_flush() {
    for _ in 0..20 {
        let place = Place::new();
        let recorder = place.open();
        let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
        let barrier = Barrier::new(5);
        thread::scope(|scope| {
            for _ in 0..4 {
                let (recorder, barrier) = (recorder.clone(), &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let accepted = recorder.record(usage).is_ok();
                    match recorder.flush(PATIENCE) {
                        Ok(()) if accepted => assert!(recorder.stats().committed > 0),
                        Ok(()) | Err(FlushError::Closed) => {}
                        Err(other) => panic!("{other}"),
                    }
                });
            }
            barrier.wait();
            recorder.close(PATIENCE).unwrap();
        });
    }
}

#[test]
fn f40_a_dropped_recorder_has_counted_everything() {
    let place = Place::new();
    for round in 1..=3 {
        let recorder = place.open();
        let clone = recorder.clone();
        let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
        drop(recorder);
        // The last handle is the one that counts.
        assert_eq!(clone.record_batch(&[usage; 40]), 40);
        drop(clone);
        let reader = Reader::open(place.store()).unwrap();
        assert_eq!(reader.snapshot().unwrap().total().requests, 40 * round);
        let status = reader.status().unwrap();
        assert!(status.clean, "{status:?}");
        assert_eq!(status.writer, Writer::Gone);
        assert!(common::files_in(&place.ring_dir()).is_empty());
    }
}

#[test]
fn f40_what_works_after_the_close_and_what_does_not() {
    let place = Place::new();
    let recorder = place.open();
    let known = recorder.model("p", "m").unwrap();
    let tenant = recorder.tenant("t").unwrap();
    let usage = UsageRecord::new(known).tenant(tenant);
    recorder.record(usage).unwrap();
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!(
        (stats.attempted, stats.committed, stats.rejected),
        (1, 1, 0)
    );

    let clone = recorder.clone();
    assert_eq!(clone.record(usage), Err(RecordError::Closed));
    assert_eq!(clone.record_batch(&[usage; 3]), 0);
    assert_eq!(clone.record_batch(&[]), 0);
    let longest = Duration::MAX;
    assert_eq!(
        clone.record_timeout(usage, longest),
        Err(RecordError::Closed)
    );
    assert_eq!(clone.flush(longest), Err(FlushError::Closed));
    assert_eq!(clone.model("p", "m"), Err(NameError::Closed));
    assert_eq!(clone.model("p", "new"), Err(NameError::Closed));
    assert_eq!(clone.tenant("t"), Err(NameError::Closed));

    let stats = clone.stats();
    assert_eq!((stats.attempted, stats.committed), (6, 1));
    assert_eq!((stats.rejected, stats.rejected_closed), (5, 5));
    assert_eq!(clone.snapshot().total().requests, 1);
    let stats = clone.close(PATIENCE).unwrap();
    assert_eq!((stats.attempted, stats.committed), (6, 1));
}

#[test]
fn f40_a_close_that_gives_up_can_be_repeated() {
    for _ in 0..20 {
        let place = Place::new();
        let recorder = place.open();
        let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
        assert_eq!(recorder.record_batch(&[usage; 9]), 9);
        match recorder.close(Duration::ZERO) {
            Ok(_) | Err(CloseError::Timeout) => {}
            Err(other) => panic!("{other}"),
        }
        assert_eq!(recorder.record(usage), Err(RecordError::Closed));
        assert_eq!(recorder.close(PATIENCE).unwrap().committed, 9);
    }
}

#[test]
fn the_checkpoint_of_a_close_is_known_from_the_next_open_on() {
    let place = Place::new();
    let durability = Durability::Checkpoint(Duration::from_secs(86_400));
    let open = || place.builder().durability(durability).open(place.store());
    let recorder = open().unwrap();
    let stats = recorder.close(PATIENCE).unwrap();
    assert!(stats.checkpoint > 0 && stats.checkpoint == stats.generation);
    drop(recorder);
    for _ in 0..10 {
        // The next may be there by now, never none.
        let recorder = open().unwrap();
        assert!(recorder.stats().checkpoint >= stats.checkpoint);
        recorder.close(PATIENCE).unwrap();
    }
}

#[test]
fn a_closed_store_says_so() {
    let place = Place::new();
    let recorder = place.open();
    let reader = Reader::open(place.store()).unwrap();
    let status = reader.status().unwrap();
    assert_eq!(
        status.writer,
        Writer::Alive {
            pid: std::process::id()
        }
    );
    assert!(!status.clean && status.age.is_some());
    recorder.close(PATIENCE).unwrap();
    let status = reader.status().unwrap();
    assert_eq!((status.writer, status.clean), (Writer::Gone, true));
    assert!(common::files_in(&place.ring_dir()).is_empty());
    assert!(quipu::verify(place.store()).unwrap().is_sound());
}

#[test]
fn f40_a_process_that_exits_without_close() {
    let place = Place::new();
    child::start("child_exits_without_close", place.path(), "").finish();
    let reader = Reader::open(place.store()).unwrap();
    let status = reader.status().unwrap();
    assert_eq!((status.writer, status.clean), (Writer::Gone, false));
    let recorder = place.open();
    assert_eq!(recorder.snapshot().total().requests, 100);
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!(
        (stats.committed, stats.replayed, stats.holes),
        (100, 100, 0)
    );
    assert_eq!(stats.attempted, 100);
}

#[test]
#[ignore = "a child of another test"]
fn child_exits_without_close() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let builder = common::builder_at(&place).flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(place.join("usage.quipu")).unwrap();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap()).tenant(TenantId::NONE);
    assert_eq!(recorder.record_batch(&[usage; 100]), 100);
    std::process::exit(0);
}
