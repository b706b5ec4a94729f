//! Readers that are stopped across a thousand commits, and a hundred of them
//! at once: never a mixed view, and nobody is disturbed (I6).
//!
//! Each commit counts one more record of each of many tenants, so a view of
//! rows of different commits has tenants with different counts.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use common::child::{self, Helper, Notes};
use common::{PATIENCE, Place, builder_at, sums, wait_until};
use quipu::{ReadError, Reader, Recorder, Snapshot, UsageRecord};
use rustix::process::Signal;

/// A recorder that commits only when it is asked.
fn open(place: &Path, tenants: usize) -> (Recorder, Vec<UsageRecord>) {
    let recorder = builder_at(place)
        .shards(1)
        .shard_capacity(4 * tenants)
        .flush_interval(Duration::from_secs(3600))
        .flush_records(u64::MAX)
        .open(place.join("usage.quipu"))
        .unwrap();
    let tenants = (0..tenants).map(|n| format!("tenant {n}"));
    let batch = tenants.map(|name| sums::one_two(&recorder, "m", &name));
    let batch = batch.collect();
    (recorder, batch)
}

/// One commit, of one record of each tenant.
fn commit(recorder: &Recorder, batch: &[UsageRecord]) {
    assert_eq!(recorder.record_batch(batch), batch.len());
    recorder.flush(PATIENCE).unwrap();
}

/// How many commits a view has, all of them whole.
fn check_whole(snapshot: &Snapshot, tenants: usize) -> u64 {
    let rows = snapshot.rows();
    let commits = rows.first().map_or(0, |row| row.totals.requests);
    assert!(rows.is_empty() || rows.len() == tenants, "{}", rows.len());
    for row in &rows {
        let seen = row.totals.requests;
        assert_eq!(
            seen, commits,
            "{:?} in a view of another commit",
            row.tenant
        );
    }
    assert_eq!(sums::check_one_two(snapshot), commits * tenants as u64);
    commits
}

/// Reads again and again until `is_over` says so; gives the number of commits
/// of the last view, which was read after that.
fn poll(store: &Path, tenants: usize, is_over: impl Fn() -> bool, mut saw: impl FnMut(u64)) -> u64 {
    let reader = Reader::open(store).unwrap();
    let mut newest = (0, 0);
    loop {
        let is_last = is_over();
        match reader.snapshot() {
            Ok(snapshot) => {
                let generation = snapshot.generation();
                assert!(generation >= newest.0, "back in time");
                if generation > newest.0 {
                    let commits = check_whole(&snapshot, tenants);
                    assert!(commits >= newest.1, "counts went back");
                    newest = (generation, commits);
                    saw(commits);
                }
                if is_last {
                    return newest.1;
                }
            }
            // Says so rather than to give a mixed view.
            Err(ReadError::Busy { .. }) => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

const STOPPED_TENANTS: usize = 100;

#[test]
fn f28_a_reader_that_is_stopped_across_a_thousand_commits() {
    let place = Place::new();
    let (recorder, batch) = open(place.path(), STOPPED_TENANTS);
    commit(&recorder, &batch);
    let mut reader = child::start("child_polls", place.path(), "");
    reader.wait_until_ready(place.path());
    let seen = || Notes::read(&place.path().join("seen"));
    let mut commits = 1;
    for round in 0..5 {
        // It is in the middle of reading: views come all the time.
        let before = seen().len();
        wait_until("the reader has seen new views", || {
            commit(&recorder, &batch);
            commits += 1;
            assert!(!reader.has_ended(), "{}", reader.complaint());
            seen().len() > before + round
        });
        reader.signal(Signal::STOP);
        let at_stop = seen().len();
        let last = seen().last().copied();
        for _ in 0..1000 {
            commit(&recorder, &batch);
        }
        commits += 1000;
        let now = seen();
        assert!(now.len() <= at_stop + 1, "it was stopped");
        reader.signal(Signal::CONT);
        wait_until("it has the newest view", || {
            assert!(!reader.has_ended(), "{}", reader.complaint());
            seen().last() == Some(&commits)
        });
        assert!(last < Some(commits));
    }
    recorder.close(PATIENCE).unwrap();
    child::say(place.path(), "over");
    reader.finish();
}

#[test]
#[ignore = "a child of another test"]
fn child_polls() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let mut notes = Notes::append(&place.join("seen"));
    child::say_ready(&place);
    let is_over = || place.join("over").exists();
    let store = place.join("usage.quipu");
    poll(&store, STOPPED_TENANTS, is_over, |commits| {
        notes.note(commits);
    });
}

/// A snapshot that is held stays what it was, whatever comes after it.
#[test]
fn f28_a_view_that_is_held_across_a_thousand_commits() {
    let place = Place::new();
    let (recorder, batch) = open(place.path(), 20);
    let reader = Reader::open(place.store()).unwrap();
    let mut held: Vec<(u64, Arc<Snapshot>)> = Vec::new();
    for commits in 1..=1000 {
        commit(&recorder, &batch);
        if commits % 100 == 1 {
            held.push((commits, recorder.snapshot()));
            held.push((commits, reader.snapshot().unwrap()));
        }
    }
    for (commits, snapshot) in held {
        assert_eq!(check_whole(&snapshot, 20), commits);
    }
}

const PROCESSES: usize = 4;
const THREADS: usize = 20;
const POLLED_TENANTS: usize = 30;
const COMMITS: u64 = 60;

/// A hundred in all: eighty in other processes, and twenty here.
#[test]
fn f29_a_hundred_readers_see_whole_commits_and_disturb_nobody() {
    let place = Place::new();
    let (recorder, batch) = open(place.path(), POLLED_TENANTS);
    commit(&recorder, &batch);
    let mut readers: Vec<Helper> = (0..PROCESSES)
        .map(|n| child::start("child_polls_with_many", place.path(), n.to_string()))
        .collect();
    for (n, reader) in readers.iter_mut().enumerate() {
        wait_until("all threads of the child read", || {
            assert!(!reader.has_ended(), "{}", reader.complaint());
            place.path().join(format!("reads {n}")).exists()
        });
    }
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let is_over = || is_over.load(Ordering::SeqCst);
                    poll(&place.store(), POLLED_TENANTS, is_over, |_| {})
                })
            })
            .collect();
        for _ in 1..COMMITS {
            commit(&recorder, &batch);
        }
        is_over.store(true, Ordering::SeqCst);
        for thread in threads {
            assert_eq!(thread.join().unwrap(), COMMITS);
        }
    });
    child::say(place.path(), "over");
    for reader in readers {
        reader.finish();
    }
    let records = COMMITS * POLLED_TENANTS as u64;
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!((stats.committed, stats.rejected), (records, 0));
    assert_eq!((stats.flushes, stats.degraded), (COMMITS, None));
    assert!(quipu::verify(place.store()).unwrap().is_sound());
}

#[test]
#[ignore = "a child of another test"]
fn child_polls_with_many() {
    let Some((place, number)) = child::assignment() else {
        return;
    };
    let store = place.join("usage.quipu");
    let reading = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut is_first = true;
                let is_over = || place.join("over").exists();
                poll(&store, POLLED_TENANTS, is_over, |_| {
                    let all_but_me = THREADS as u64 - 1;
                    if std::mem::take(&mut is_first)
                        && reading.fetch_add(1, Ordering::SeqCst) == all_but_me
                    {
                        child::say(&place, &format!("reads {number}"));
                    }
                });
            });
        }
    });
}
