//! The clock jumps: records without a time of their own go to the bucket of
//! the clock at the moment they are drained, all others to their own, and no
//! counter goes back.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use common::image::{Image, LIVE};
use common::{PATIENCE, Place, at, leftovers, wait_until};
use quipu::{Day, Durability, Reader, Recorder, TokenKind, UsageRecord, Writer};
use support::Hooks;

const DAY: u64 = 86_400;
/// Noon of 2024-03-01.
const NOON: u64 = 1_709_294_400;
/// The live word that says when the writer was last awake.
const HEARTBEAT: usize = 24;

/// Requests by day, as the recorder and a reader see them.
fn by_day(place: &Place, recorder: &Recorder) -> BTreeMap<String, u64> {
    let reader = Reader::open(place.store()).unwrap();
    let seen = [recorder.snapshot(), reader.snapshot().unwrap()].map(|snapshot| {
        let days = snapshot.by_day().into_iter();
        days.map(|of| (of.day.to_string(), of.totals.requests))
            .collect::<BTreeMap<_, _>>()
    });
    let [by_recorder, by_reader] = seen;
    assert_eq!(by_recorder, by_reader);
    by_recorder
}

/// Records `records` calls with the clock at `now`, and has them committed.
fn record_at(hooks: &Hooks, recorder: &Recorder, now: u64, records: u64) {
    hooks.clock(now);
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap()).tokens(TokenKind::Input, 1);
    for n in 0..records {
        recorder.record(usage).unwrap();
        // One with a time of its own, which no clock moves.
        let own = at(NOON + n % 2 * DAY);
        recorder.record(usage.at(own)).unwrap();
    }
    recorder.flush(PATIENCE).unwrap();
}

#[test]
fn f30_back_a_day_and_forward_ten_years() {
    let hooks = Hooks::take();
    let place = Place::new();
    hooks.clock(NOON);
    let recorder = place.open();
    let reader = Reader::open(place.store()).unwrap();
    let mut before = (0, 0);
    let mut records = 0;
    let jumps = [
        NOON,
        NOON - DAY,
        NOON + 3652 * DAY,
        NOON - DAY,
        NOON - 1,
        NOON + 1,
        // To the beginning and the end of what can be told.
        1,
        u64::MAX / 1_000_000_000 - 1,
        NOON,
    ];
    for now in jumps {
        record_at(&hooks, &recorder, now, 10);
        records += 20;
        // Counters and commits only go up.
        let snapshot = reader.snapshot().unwrap();
        let stats = recorder.stats();
        assert_eq!(stats.committed, records);
        assert_eq!(snapshot.total().tokens[0], records);
        let after = (snapshot.generation(), stats.flushes);
        assert!(
            after.0 > before.0 && after.1 > before.1,
            "{before:?} {after:?}"
        );
        before = after;
        // A clock that went back makes nobody look stalled, nor data old.
        let status = reader.status().unwrap();
        let pid = std::process::id();
        assert_eq!(status.writer, Writer::Alive { pid }, "at {now}");
        assert_eq!(status.age, Some(Duration::ZERO), "at {now}");
        assert_eq!(snapshot.committed_at(), Some(at(now)));
    }
    let expected = [
        ("1970-01-01", 10),
        ("2024-02-29", 20),
        ("2024-03-01", 40 + 45),
        ("2024-03-02", 45),
        ("2034-03-01", 10),
        ("2554-07-21", 10),
    ];
    let expected = expected.map(|(day, n)| (day.to_owned(), n)).into();
    assert_eq!(by_day(&place, &recorder), expected);
    recorder.close(PATIENCE).unwrap();
    assert!(quipu::verify(place.store()).unwrap().is_sound());
    let recorder = place.open();
    assert_eq!(by_day(&place, &recorder), expected);
}

#[test]
fn f30_while_a_recovery_and_an_open_are_in_between() {
    let hooks = Hooks::take();
    let place = Place::new();
    let mut records = 0;
    for (n, now) in [NOON, NOON - DAY, NOON + 3652 * DAY, 5, NOON]
        .into_iter()
        .enumerate()
    {
        hooks.clock(now);
        let durability = Durability::Checkpoint(Duration::from_secs(3600));
        let builder = place.builder().durability(durability);
        let recorder = builder.open(place.store()).unwrap();
        assert!(recorder.set_aside().is_empty(), "opening {n}");
        assert_eq!(recorder.snapshot().total().requests, records);
        record_at(&hooks, &recorder, now, 5);
        records += 10;
        let stats = recorder.close(PATIENCE).unwrap();
        assert_eq!(
            (stats.committed, stats.checkpoint),
            (records, stats.generation)
        );
    }
}

/// The window: any time from 1970 to 2554 has its own bucket, as long as it is
/// not before the oldest of the buckets that are kept.
#[test]
fn f30_a_jump_takes_no_more_than_its_own_bucket() {
    let hooks = Hooks::take();
    let place = Place::new();
    hooks.clock(NOON);
    let builder = place.builder().buckets_kept(3);
    let recorder = builder.open(place.store()).unwrap();
    for (now, records) in [
        (NOON, 1),
        (NOON + DAY, 2),
        (NOON + 3652 * DAY, 4),
        (NOON + DAY, 8),
        // Before all that are kept.
        (NOON - DAY, 16),
        // One more than is kept: the oldest goes.
        (NOON + 2 * DAY, 32),
        (NOON, 64),
    ] {
        hooks.clock(now);
        let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
        assert_eq!(recorder.record_batch(&vec![usage; records]), records);
        recorder.flush(PATIENCE).unwrap();
    }
    let expected = [
        ("older", 1 + 16 + 64),
        ("2024-03-02", 2 + 8),
        ("2024-03-03", 32),
        ("2034-03-01", 4),
    ];
    let expected = expected.map(|(day, n)| (day.to_owned(), n)).into();
    assert_eq!(by_day(&place, &recorder), expected);
    let days = recorder.snapshot().by_day();
    assert_eq!(days[0].day, Day::OLDER);
    assert_eq!(recorder.snapshot().total().requests, 127);
}

#[test]
fn f30_a_clock_that_steps_back_does_not_hold_up_commits() {
    let hooks = Hooks::take();
    let place = Place::new();
    hooks.clock(NOON);
    let builder = place.builder().flush_interval(Duration::from_millis(20));
    let recorder = builder.open(place.store()).unwrap();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    for (n, now) in (1..).zip([NOON, NOON - DAY, NOON + 3652 * DAY, NOON]) {
        hooks.clock(now);
        recorder.record(usage).unwrap();
        wait_until("it is committed without being asked", || {
            recorder.stats().committed == n
        });
    }
}

#[test]
fn a_writer_is_taken_for_stalled_when_it_was_silent_for_five_seconds() {
    let hooks = Hooks::take();
    let place = Place::new();
    let writer = leftovers::start(&place);
    writer.signal(rustix::process::Signal::STOP);
    let pid = writer.pid();
    let reader = Reader::open(place.store()).unwrap();
    let image = Image::read(&place.aggregate());
    let awake = Duration::from_nanos(image.word(LIVE + 8 * HEARTBEAT));
    let limit = Duration::from_secs(5);
    let almost = limit - Duration::from_nanos(1);
    let status = |silent_for: Duration| {
        hooks.clock_at(awake + silent_for);
        reader.status().unwrap()
    };
    let silent_for = |limit| Writer::Stalled {
        pid,
        silent_for: limit,
    };
    assert_eq!(status(almost).writer, Writer::Alive { pid });
    assert_eq!(status(limit).writer, silent_for(limit));
    assert_eq!(status(2 * limit).writer, silent_for(2 * limit));
    assert!(!status(limit).clean);
    // Where nobody can tell who has the lock, the writer's own word must do.
    let lock = place.store().join("lock");
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink("elsewhere", &lock).unwrap();
    assert_eq!(status(almost).writer, Writer::Alive { pid });
    assert_eq!(status(limit).writer, Writer::Gone);
}

#[test]
#[ignore = "a child of another test"]
fn child_leaves_records() {
    leftovers::child();
}
