//! Writers that are killed or stopped at any instant.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;
use std::thread;
use std::time::Duration;

use common::child::{self, Notes};
use common::marks::{self, MARKS, mark};
use common::sums::{self, one_two};
use common::{PATIENCE, Place, builder_at, wait_until};
use quipu::{Builder, Reader, Recorder, UsageRecord, Writer};
use rustix::process::Signal;

/// Settings of the writer that is killed and of the one after it, by number:
/// geometry and flush intervals from constantly to never.
fn settings(place: &Path, number: u64) -> Builder {
    let (shards, capacity, millis) = match number % 5 {
        0 => (1, 2, 1),
        1 => (2, 16, 1),
        2 => (4, 64, 5),
        3 => (1, 4096, 3_600_000),
        _ => (2, 1024, 20),
    };
    builder_at(place)
        .shards(shards)
        .shard_capacity(capacity)
        .flush_interval(Duration::from_millis(millis))
}

const PRODUCERS: u64 = 3;

fn notes_of(place: &Path, producer: u64) -> std::path::PathBuf {
    place.join(format!("accepted-{producer}"))
}

/// Where a producer notes the first number of each run, before it offers it.
fn begun_by(place: &Path, producer: u64) -> std::path::PathBuf {
    place.join(format!("begun-{producer}"))
}

/// The numbers that each producer was told are accepted.
fn acknowledged(place: &Place) -> Vec<(String, Vec<u64>)> {
    (0..PRODUCERS)
        .map(|n| {
            (
                format!("producer {n}"),
                Notes::read(&notes_of(place.path(), n)),
            )
        })
        .collect()
}

#[test]
#[ignore = "a child of another test"]
fn child_writes_until_killed() {
    let Some((place, number)) = child::assignment() else {
        return;
    };
    let builder = settings(&place, number.parse().unwrap());
    let recorder = builder.open(place.join("usage.quipu")).unwrap();
    let threads: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let (recorder, place) = (recorder.clone(), place.clone());
            thread::spawn(move || write_until_killed(&recorder, &place, producer))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    child::wait_for_the_end();
}

fn write_until_killed(recorder: &Recorder, place: &Path, producer: u64) {
    let path = notes_of(place, producer);
    let model = recorder.model("provider", &format!("model {producer}"));
    let tenant = recorder.tenant(&format!("producer {producer}"));
    let usage = UsageRecord::new(model.unwrap()).tenant(tenant.unwrap());
    // The last run may have had a record accepted that it could not note, also
    // its very first: that number is left out, so that it can't be confused
    // with a new one.
    let begun = begun_by(place, producer);
    let last = |path| Notes::read(path).last().copied();
    let first = last(&path).max(last(&begun)).map_or(0, |last| last + 2);
    Notes::append(&begun).note(first);
    let mut notes = Notes::append(&path);
    for n in first..MARKS {
        if recorder.record_timeout(mark(usage, n), PATIENCE).is_ok() {
            notes.note(n);
        }
    }
}

/// Acknowledged ≤ counted ≤ attempted, and each at most once.
fn check_counted(
    place: &Path,
    counted: &marks::Counted,
    acknowledged: &[(String, Vec<u64>)],
    kills: u64,
) {
    let mut unknown = 0;
    for (tenant, numbers) in acknowledged {
        let nothing = Default::default();
        let counted = counted.get(tenant).unwrap_or(&nothing);
        for (n, times) in counted {
            assert_eq!(
                *times, 1,
                "number {n} of {tenant} was counted {times} times"
            );
        }
        for n in numbers {
            assert!(counted.contains_key(n), "number {n} of {tenant} was lost");
        }
        unknown += counted.len() - numbers.len();
        let producer = tenant.trim_start_matches("producer ").parse().unwrap();
        let begun = Notes::read(&begun_by(place, producer));
        for n in counted.keys() {
            let was_next = n
                .checked_sub(1)
                .is_none_or(|before| numbers.contains(&before));
            let was_first = begun.contains(n);
            assert!(
                numbers.binary_search(n).is_ok() || was_next || was_first,
                "number {n} of {tenant} was never offered"
            );
        }
    }
    assert!(
        unknown as u64 <= kills * PRODUCERS,
        "{unknown} counted and not acknowledged"
    );
}

#[test]
fn f09_killed_at_any_instant_and_opened_again_with_another_geometry() {
    let place = Place::new();
    let mut committed_before = 0;
    for kill in 0..40u64 {
        let before: usize = acknowledged(&place).iter().map(|(_, n)| n.len()).sum();
        // From the very start of the process on, up to a thousand records
        // later.
        let wanted = match kill % 4 {
            0 => 0,
            1 => 1,
            _ => kill * 7919 % 1000,
        };
        let mut writer = child::start("child_writes_until_killed", place.path(), kill.to_string());
        wait_until("the child has recorded", || {
            assert!(!writer.has_ended(), "{}", writer.complaint());
            let now: usize = acknowledged(&place).iter().map(|(_, n)| n.len()).sum();
            now - before >= wanted as usize
        });
        if wanted == 0 {
            // Somewhere in the start, the opening, or the first records.
            thread::sleep(Duration::from_micros(kill * 311 % 9000));
        }
        writer.kill();
        let acknowledged = acknowledged(&place);
        if !place.aggregate().exists() {
            continue;
        }

        let seen = Reader::open(place.store()).unwrap();
        let status = seen.status().unwrap();
        assert_eq!(status.writer, Writer::Gone);
        let at_kill = sums::check(&seen.snapshot().unwrap()).requests;
        assert!(at_kill >= committed_before);
        let found = quipu::verify(place.store()).unwrap();
        assert!(found.is_sound(), "after kill {kill}: {:?}", found.problems);

        // Every second time the next child recovers, or is killed at it.
        if kill % 2 == 0 {
            committed_before = at_kill;
            continue;
        }
        let recorder = settings(place.path(), kill + 2)
            .open(place.store())
            .unwrap();
        let snapshot = recorder.snapshot();
        check_counted(
            place.path(),
            &marks::counted(&snapshot),
            &acknowledged,
            kill + 1,
        );
        let total = sums::check(&snapshot).requests;
        let stats = recorder.close(PATIENCE).unwrap();
        assert_eq!(stats.committed, total);
        assert_eq!(stats.accepted, total);
        assert_eq!(stats.rings_lost, 0);
        assert!(stats.holes <= (kill + 1) * PRODUCERS);
        assert!(quipu::verify(place.store()).unwrap().is_sound());
        committed_before = total;
    }
    let recorder = place.open();
    check_counted(
        place.path(),
        &marks::counted(&recorder.snapshot()),
        &acknowledged(&place),
        40,
    );
    assert!(
        recorder.stats().replayed > 0,
        "no kill left anything to replay"
    );
    drop(recorder);
    assert!(common::files_in(&place.ring_dir()).is_empty());
}

#[test]
fn the_default_ring_survives_a_kill_too() {
    let place = Place::new();
    let mut writer = child::start("child_with_default_settings", place.path(), "");
    writer.wait_until_ready(place.path());
    writer.kill();
    let recorder = Recorder::open(place.store()).unwrap();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 500);
    recorder.close(PATIENCE).unwrap();
}

#[test]
#[ignore = "a child of another test"]
fn child_with_default_settings() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let recorder = Recorder::open(place.join("usage.quipu")).unwrap();
    let usage = one_two(&recorder, "m", "t");
    for _ in 0..500 {
        recorder.record(usage).unwrap();
    }
    child::say_ready(&place);
    child::wait_for_the_end();
}

#[test]
fn f10_a_stopped_writer_shows_as_stalled_and_goes_on() {
    let place = Place::new();
    let mut writer = child::start("child_writes_until_killed", place.path(), "1");
    let reader = || Reader::open(place.store()).ok();
    wait_until("the child has recorded", || {
        reader().is_some_and(|reader| reader.snapshot().unwrap().total().requests > 0)
    });
    let reader = reader().unwrap();
    writer.signal(Signal::STOP);
    wait_until("the reader notices", || {
        let Writer::Stalled { pid, silent_for } = reader.status().unwrap().writer else {
            return false;
        };
        pid == writer.pid() && silent_for > Duration::from_secs(1)
    });
    let stopped = reader.snapshot().unwrap().total().requests;
    assert!(reader.status().unwrap().age > Some(Duration::from_secs(1)));
    assert_eq!(reader.snapshot().unwrap().total().requests, stopped);
    writer.signal(Signal::CONT);
    wait_until("the writer is at work again", || {
        matches!(reader.status().unwrap().writer, Writer::Alive { .. })
    });
    writer.kill();
    let recorder = place.open();
    check_counted(
        place.path(),
        &marks::counted(&recorder.snapshot()),
        &acknowledged(&place),
        1,
    );
}
