//! A sync that fails once, and then succeeds though the pages are lost: what
//! it was for is not safe, and a new file is written.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod seam;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::sums::{check_one_two, one_two};
use common::{PATIENCE, Place, wait_until};
use quipu::fault::Verdict;
use quipu::{Durability, Reader, Recorder};
use rustix::io::Errno;
use seam::Seam;

/// Files that were to be synced, open so that no inode is used again.
#[derive(Debug, Default)]
struct Synced {
    files: Vec<File>,
    attempts: usize,
}

fn open(place: &Place) -> Recorder {
    place
        .builder()
        .flush_interval(Duration::from_millis(2))
        .durability(Durability::Checkpoint(Duration::from_millis(10)))
        .open(place.store())
        .unwrap()
}

/// The sync named `call` fails the first `failures` times.
fn fail(call: &'static str, failures: usize) {
    let seam = Seam::take();
    let place = Place::new();
    let recorder = open(&place);
    let usage = one_two(&recorder, "m", "t");
    recorder.record(usage).unwrap();
    recorder.flush(PATIENCE).unwrap();
    let is_safe = || recorder.stats().checkpoint == recorder.stats().generation;
    wait_until("the first checkpoint is safe", is_safe);
    let safe = recorder.stats().checkpoint;

    let synced = Arc::new(Mutex::new(Synced::default()));
    let (seen, store) = (Arc::clone(&synced), place.store());
    // Held up after the failures, until the test has looked.
    let go_on = Arc::new(Mutex::new(()));
    let held = go_on.lock().unwrap();
    let gate = Arc::clone(&go_on);
    seam.on_calls(move |made| {
        if !made.path.starts_with(&store) || made.name != "sync" && made.name != call {
            return Verdict::Go;
        }
        if made.name == "sync" {
            let file = File::open(made.path).unwrap();
            seen.lock().unwrap().files.push(file);
        }
        if made.name != call {
            return Verdict::Go;
        }
        let attempt = {
            let mut seen = seen.lock().unwrap();
            seen.attempts += 1;
            seen.attempts
        };
        if attempt <= failures {
            return Verdict::Fail(Errno::IO.into());
        }
        drop(gate.lock().unwrap());
        Verdict::Go
    });
    recorder.record(usage).unwrap();
    recorder.flush(PATIENCE).unwrap();
    wait_until("it is tried again", || {
        synced.lock().unwrap().attempts > failures
    });
    let stats = recorder.stats();
    assert_eq!(stats.checkpoint, safe, "declared safe, and nobody knows");
    assert_eq!((stats.committed, stats.unwritten), (2, 0));
    let reason = stats.degraded.unwrap();
    assert!(
        reason.contains("checkpoint") && reason.contains("sync"),
        "{reason}"
    );
    let reader = Reader::open(place.store()).unwrap();
    wait_until("readers are told", || {
        let told = reader.stats().unwrap().degraded;
        told.is_some_and(|reason| reason.contains("power cut"))
    });

    drop(held);
    wait_until("the next one is safe", is_safe);
    wait_until("all is well", || {
        recorder.stats().degraded.is_none() && reader.stats().unwrap().degraded.is_none()
    });
    seam.clear();
    // Each attempt was another file; the last is the checkpoint.
    let synced = synced.lock().unwrap();
    let inode = |file: &File| file.metadata().unwrap().ino();
    let inodes: BTreeSet<u64> = synced.files.iter().map(inode).collect();
    assert_eq!(inodes.len(), synced.files.len());
    assert!(inodes.len() > failures);
    recorder.close(PATIENCE).unwrap();
    fs::remove_file(place.aggregate()).unwrap();
    let restored = place.open();
    assert_eq!(check_one_two(&restored.snapshot()), 2);
}

#[test]
fn f22_a_file_whose_sync_failed_is_never_the_checkpoint() {
    fail("sync", 1);
    fail("sync", 3);
}

#[test]
fn f22_a_checkpoint_whose_name_is_not_synced_is_not_safe() {
    fail("sync-dir", 1);
    fail("sync-dir", 3);
}

#[test]
fn the_first_checkpoint_makes_the_stores_own_name_safe_too() {
    let seam = Seam::take();
    let place = Place::new();
    let synced = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&synced);
    seam.on_calls(move |made| {
        if made.name == "sync-dir" {
            seen.lock().unwrap().insert(made.path.to_owned());
        }
        Verdict::Go
    });
    let recorder = open(&place);
    recorder.record(one_two(&recorder, "m", "t")).unwrap();
    recorder.close(PATIENCE).unwrap();
    let both = BTreeSet::from([place.path().to_owned(), place.store()]);
    assert_eq!(*synced.lock().unwrap(), both);
}

/// What is in memory only has no generation of its own, and a checkpoint says
/// of which generation it is.
#[test]
fn no_checkpoint_is_made_of_what_was_not_committed() {
    let seam = Seam::take();
    let place = Place::new();
    let recorder = open(&place);
    let usage = one_two(&recorder, "m", "t");
    let are_failing = Arc::new([false, false].map(AtomicBool::new));
    let made = Arc::new([0, 0].map(AtomicUsize::new));
    let (fails, counts) = (Arc::clone(&are_failing), Arc::clone(&made));
    seam.on_calls(move |call| {
        let is_consumer = thread::current().name() == Some("quipu-consumer");
        let which = match call.name {
            "stat" if is_consumer => 0,
            _ if call.path.ends_with("checkpoint.new") => 1,
            _ => return Verdict::Go,
        };
        counts[which].fetch_add(1, Ordering::SeqCst);
        if fails[which].load(Ordering::SeqCst) {
            return Verdict::Fail(Errno::IO.into());
        }
        Verdict::Go
    });
    let fail = |which: usize, fails| are_failing[which].store(fails, Ordering::SeqCst);
    let many_more = |which: usize| {
        let before = made[which].load(Ordering::SeqCst);
        wait_until("it is tried many times", || {
            made[which].load(Ordering::SeqCst) > before + 50
        });
    };
    let is_safe = || recorder.stats().checkpoint == recorder.stats().generation;
    wait_until("the first checkpoint is safe", is_safe);

    // There is a commit that no checkpoint has, and then counts that no commit
    // has.
    fail(1, true);
    recorder.record(usage).unwrap();
    recorder.flush(PATIENCE).unwrap();
    fail(0, true);
    recorder.record(usage).unwrap();
    assert!(recorder.flush(PATIENCE).is_err());
    let safe = recorder.stats().checkpoint;
    many_more(0);
    fail(1, false);
    let tried = made[1].load(Ordering::SeqCst);
    many_more(0);
    assert_eq!(made[1].load(Ordering::SeqCst), tried);
    assert_eq!(recorder.stats().checkpoint, safe);

    fail(0, false);
    recorder.flush(PATIENCE).unwrap();
    wait_until("the next one is safe", is_safe);
    seam.clear();
    recorder.close(PATIENCE).unwrap();
    fs::remove_file(place.aggregate()).unwrap();
    assert_eq!(check_one_two(&place.open().snapshot()), 2);
}
