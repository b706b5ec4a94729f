//! One writer holds a store (I7); whoever comes later is told which process
//! it is, until that process has ended, in whatever way.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::child::{self, Helper, Notes};
use common::sums::{self, one_two};
use common::{PATIENCE, Place, builder_at, leftovers, wait_until};
use quipu::{OpenError, Reader, Recorder};
use rustix::process::Signal;

/// Processes that open the store at once.
const STARTS: usize = 20;
const RECORDS: u64 = 7;

/// The store must be in use; gives by whom.
fn holder_of(place: &Path) -> Option<u32> {
    let store = place.join("usage.quipu");
    match builder_at(place).open(&store) {
        Err(OpenError::InUse { path, pid }) => {
            assert_eq!(path, store);
            pid
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("nobody holds the store"),
    }
}

fn record(recorder: &Recorder, tenant: &str) {
    for _ in 0..RECORDS {
        recorder.record(one_two(recorder, "m", tenant)).unwrap();
    }
}

/// Lets [`STARTS`] processes open the store at the same time; gives the one
/// that did, and which processes the others were told of.
fn race(place: &Place) -> (Helper, Vec<u64>) {
    let noted = |what| Notes::read(&place.path().join(what));
    let mut racers: Vec<Helper> = (0..STARTS)
        .map(|_| child::start("child_races", place.path(), ""))
        .collect();
    wait_until("all stand at the start", || {
        noted("at the start").len() == STARTS
    });
    fs::write(place.path().join("go"), "").unwrap();
    wait_until("everyone has won or lost", || {
        let ended = racers
            .iter_mut()
            .filter_map(|racer| racer.has_ended().then_some(()));
        ended.count() + noted("won").len() >= STARTS
    });
    let won = noted("won");
    let is_winner = |racer: &Helper| won.contains(&racer.pid().into());
    let (winners, losers): (Vec<_>, Vec<_>) = racers.into_iter().partition(is_winner);
    for loser in losers {
        loser.finish();
    }
    let [winner] = <[Helper; 1]>::try_from(winners).expect("one winner");
    (winner, noted("told"))
}

#[test]
#[ignore = "a child of another test"]
fn child_races() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let me = std::process::id();
    let note = |what, number: u32| Notes::append(&place.join(what)).note(number.into());
    note("at the start", me);
    wait_until("it begins", || place.join("go").exists());
    // What it records is on the ring when it is killed, however slow it is.
    let builder = builder_at(&place).flush_interval(Duration::from_secs(3600));
    match builder.open(place.join("usage.quipu")) {
        Ok(recorder) => {
            record(&recorder, &me.to_string());
            note("won", me);
            wait_until("it is over", || place.join("over").exists());
            recorder.close(PATIENCE).unwrap();
        }
        Err(OpenError::InUse { path, pid }) => {
            assert_eq!(path, place.join("usage.quipu"));
            note("told", pid.unwrap());
        }
        Err(other) => panic!("{other}"),
    }
}

/// A race at `place`, where `before` records are counted already. The winner
/// closes the store, or is killed.
fn check_race(place: &Place, before: u64, is_killed: bool) {
    let (mut winner, told) = race(place);
    let pid = winner.pid();
    assert_eq!(told, [u64::from(pid); STARTS - 1]);
    assert_eq!(common::files_in(&place.ring_dir()).len(), 1, "rings");
    if is_killed {
        winner.kill();
    } else {
        fs::write(place.path().join("over"), "").unwrap();
        winner.finish();
    }
    assert!(quipu::verify(place.store()).unwrap().is_sound());
    let recorder = place.open();
    let snapshot = recorder.snapshot();
    assert_eq!(sums::check_one_two(&snapshot), before + RECORDS);
    let tenants = snapshot.by_tenant();
    let winners = tenants.iter().find(|of| of.tenant == *pid.to_string());
    assert_eq!(winners.unwrap().totals.requests, RECORDS);
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!(stats.replayed, if is_killed { RECORDS } else { 0 });
    assert!(quipu::verify(place.store()).unwrap().is_sound());
}

#[test]
fn f25_of_twenty_that_create_a_store_at_once_one_does() {
    for is_killed in [false, true, false, true] {
        check_race(&Place::new(), 0, is_killed);
    }
}

#[test]
fn f25_of_twenty_that_open_a_store_at_once_one_does() {
    for is_killed in [false, true, false, true] {
        let place = Place::new();
        let recorder = place.open();
        record(&recorder, "earlier");
        recorder.close(PATIENCE).unwrap();
        check_race(&place, RECORDS, is_killed);
    }
}

#[test]
fn f25_a_store_that_a_killed_writer_left_is_recovered_by_one_of_twenty() {
    let place = Place::new();
    leftovers::leave(&place);
    let (winner, told) = race(&place);
    assert_eq!(told, [u64::from(winner.pid()); STARTS - 1]);
    fs::write(place.path().join("over"), "").unwrap();
    winner.finish();
    let recorder = place.open();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 50 + RECORDS);
    assert_eq!(recorder.stats().replayed, 30);
}

#[test]
fn f25_a_second_writer_in_the_same_process() {
    let place = Place::new();
    let first = place.open();
    assert_eq!(holder_of(place.path()), Some(std::process::id()));
    record(&first, "t");
    first.close(PATIENCE).unwrap();
    let recorder = place.open();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), RECORDS);
}

#[test]
fn f25_a_writer_in_another_process_holds_the_store_until_it_is_killed() {
    let place = Place::new();
    let mut writer = leftovers::start(&place);
    assert_eq!(holder_of(place.path()), Some(writer.pid()));
    // A stopped one may go on at any time.
    writer.signal(Signal::STOP);
    assert_eq!(holder_of(place.path()), Some(writer.pid()));
    writer.kill();
    let recorder = place.open();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 50);
}

#[test]
fn f25_looking_at_the_store_does_not_give_it_up() {
    let place = Place::new();
    let recorder = place.open();
    // Each of these opens files of the store and closes them again, which
    // ends a lock of this process if it is the lock's file.
    let reader = Reader::open(place.store()).unwrap();
    reader.status().unwrap();
    reader.stats().unwrap();
    drop(reader);
    quipu::verify(place.store()).unwrap();
    holder_of(place.path());
    let me = std::process::id().to_string();
    child::start("child_is_told", place.path(), me).finish();
    recorder.close(PATIENCE).unwrap();
}

#[test]
#[ignore = "a child of another test"]
fn child_is_told() {
    let Some((place, holder)) = child::assignment() else {
        return;
    };
    assert_eq!(holder_of(&place), Some(holder.parse().unwrap()));
}

#[test]
#[ignore = "a child of another test"]
fn child_leaves_records() {
    leftovers::child();
}
