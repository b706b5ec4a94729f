//! Files of a store that are removed, replaced or cut while it is in use.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod seam;

use std::fs::{self, File};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use common::sums::{check_one_two, one_two};
use common::{PATIENCE, Place, builder_at, files_in, wait_until};
use quipu::fault::Verdict;
use quipu::{Builder, CloseError, Durability, FlushError, Reader, Recorder};
use rustix::io::Errno;
use seam::Seam;

fn builder(place: &Place) -> Builder {
    place.builder().flush_interval(Duration::from_millis(2))
}

fn count(recorder: &Recorder, records: usize) {
    let usage = one_two(recorder, "m", "t");
    assert_eq!(recorder.record_batch(&vec![usage; records]), records);
}

/// A store in use, with 5 records.
fn in_use() -> (Place, Recorder) {
    let place = Place::new();
    let recorder = builder(&place).open(place.store()).unwrap();
    count(&recorder, 5);
    recorder.flush(PATIENCE).unwrap();
    (place, recorder)
}

/// Closes and opens again: `records` are there.
fn reopen(place: &Place, recorder: Recorder, records: u64) -> Recorder {
    assert_eq!(recorder.close(PATIENCE).unwrap().committed, records);
    drop(recorder);
    assert!(quipu::verify(place.store()).unwrap().is_sound());
    let reopened = place.open();
    assert_eq!(check_one_two(&reopened.snapshot()), records);
    let stats = reopened.stats();
    assert_eq!((stats.lost, stats.rings_lost), (0, 0));
    assert!(reopened.set_aside().is_empty());
    reopened
}

/// What was put in the store's place was set aside, bytes unchanged.
fn assert_kept(place: &Place, bytes: &[u8]) {
    let names = files_in(&place.store());
    let aside = names.iter().find(|name| name.starts_with("aggregate."));
    let aside = place.store().join(aside.unwrap());
    assert!(fs::read(aside).unwrap() == bytes, "{names:?}");
}

#[test]
fn f23_a_removed_file_is_written_anew() {
    let (place, recorder) = in_use();
    fs::remove_file(place.aggregate()).unwrap();
    count(&recorder, 3);
    recorder.flush(PATIENCE).unwrap();
    let reader = Reader::open(place.store()).unwrap();
    let snapshot = reader.snapshot().unwrap();
    assert_eq!(check_one_two(&snapshot), 8);
    assert_eq!(snapshot.generation(), recorder.stats().generation);
    count(&recorder, 2);
    drop(reopen(&place, recorder, 10));
}

#[test]
fn f23_a_file_that_is_removed_while_nothing_happens_is_written_anew() {
    let (place, recorder) = in_use();
    let reader = Reader::open(place.store()).unwrap();
    assert_eq!(check_one_two(&reader.snapshot().unwrap()), 5);
    fs::remove_file(place.aggregate()).unwrap();
    wait_until("it is there again", || place.aggregate().exists());
    assert_eq!(check_one_two(&reader.snapshot().unwrap()), 5);
    drop(reopen(&place, recorder, 5));
    // Also where the consumer sleeps for an hour: `flush` makes sure.
    let place = Place::new();
    let builder = place.builder().flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(place.store()).unwrap();
    count(&recorder, 5);
    recorder.flush(PATIENCE).unwrap();
    fs::remove_file(place.aggregate()).unwrap();
    recorder.flush(PATIENCE).unwrap();
    assert!(place.aggregate().exists());
    drop(reopen(&place, recorder, 5));
}

#[test]
fn f23_a_file_in_the_place_of_the_stores_is_set_aside() {
    let (other, closed) = in_use();
    closed.close(PATIENCE).unwrap();
    let foreign = fs::read(other.aggregate()).unwrap();
    for bytes in [b"something else".to_vec(), Vec::new(), foreign] {
        let (place, recorder) = in_use();
        let new = place.path().join("new");
        fs::write(&new, &bytes).unwrap();
        fs::rename(&new, place.aggregate()).unwrap();
        count(&recorder, 3);
        recorder.flush(PATIENCE).unwrap();
        assert_kept(&place, &bytes);
        drop(reopen(&place, recorder, 8));
    }
}

#[test]
fn f23_a_file_that_is_copied_over_the_stores_is_set_aside() {
    // Another store's, and an older copy of this one's. Both as long as the
    // live file, so that only what they say tells.
    let (other, recorder) = in_use();
    recorder.close(PATIENCE).unwrap();
    let other = fs::read(other.aggregate()).unwrap();
    for is_own in [false, true] {
        let (place, recorder) = in_use();
        let bytes = match is_own {
            false => other.clone(),
            true => fs::read(place.aggregate()).unwrap(),
        };
        count(&recorder, 4);
        recorder.flush(PATIENCE).unwrap();
        assert_eq!(
            fs::metadata(place.aggregate()).unwrap().len(),
            bytes.len() as u64
        );
        // Without cutting it first, as a copy in place would.
        let file = File::options().write(true).open(place.aggregate());
        std::os::unix::fs::FileExt::write_all_at(&file.unwrap(), &bytes, 0).unwrap();
        count(&recorder, 3);
        recorder.flush(PATIENCE).unwrap();
        let names = files_in(&place.store());
        assert!(
            names.iter().any(|name| name.starts_with("aggregate.2")),
            "{names:?}"
        );
        count(&recorder, 2);
        drop(reopen(&place, recorder, 14));
    }
}

#[test]
fn f23_a_store_that_is_moved_away_counts_in_memory_until_it_is_back() {
    let (place, recorder) = in_use();
    let away = place.path().join("away");
    fs::rename(place.store(), &away).unwrap();
    // Somebody else begins a store in its place, which is not to be touched.
    let other = builder_at(place.path()).open(place.store()).unwrap();
    count(&recorder, 3);
    let error = recorder.flush(PATIENCE).unwrap_err();
    assert!(matches!(error, FlushError::Degraded(_)), "{error}");
    let stats = recorder.stats();
    assert!(stats.degraded.unwrap().contains("removed or replaced"));
    assert_eq!((stats.committed, stats.unwritten), (8, 3));
    count(&other, 1);
    assert_eq!(other.close(PATIENCE).unwrap().committed, 1);
    assert!(quipu::verify(place.store()).unwrap().is_sound());
    assert_eq!(files_in(&place.store()), ["aggregate", "lock"]);

    fs::remove_dir_all(place.store()).unwrap();
    fs::rename(&away, place.store()).unwrap();
    wait_until("it has recovered", || {
        let stats = recorder.stats();
        stats.degraded.is_none() && stats.unwritten == 0
    });
    drop(reopen(&place, recorder, 8));
}

#[test]
fn f23_a_store_that_is_removed_stays_gone() {
    let (place, recorder) = in_use();
    fs::remove_dir_all(place.store()).unwrap();
    count(&recorder, 3);
    recorder.flush(PATIENCE).unwrap_err();
    assert_eq!(check_one_two(&recorder.snapshot()), 8);
    let error = recorder.close(PATIENCE).unwrap_err();
    assert!(matches!(error, CloseError::Degraded(_)), "{error}");
    drop(recorder);
    // What was counted there is nowhere counted into another store.
    let recorder = place.open();
    assert_eq!(recorder.stats().committed, 0);
}

#[test]
fn f23_a_removed_ring_is_said_and_costs_nothing_but_a_kill() {
    let (place, recorder) = in_use();
    let ring = place.ring_dir().join(&files_in(&place.ring_dir())[0]);
    fs::remove_file(&ring).unwrap();
    count(&recorder, 3);
    recorder.flush(PATIENCE).unwrap();
    let degraded = recorder.stats().degraded;
    assert!(degraded.unwrap().contains("ring"));
    let told = Reader::open(place.store()).unwrap().stats().unwrap();
    assert!(told.degraded.unwrap().contains("ring"));
    count(&recorder, 2);
    drop(reopen(&place, recorder, 10));
}

#[test]
fn f23_a_name_that_comes_when_the_file_was_cut() {
    let place = Place::new();
    // The consumer sleeps, so it is the name that comes upon it.
    let builder = place.builder().flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(place.store()).unwrap();
    count(&recorder, 5);
    recorder.flush(PATIENCE).unwrap();
    let file = File::options().write(true).open(place.aggregate());
    file.unwrap().set_len(0).unwrap();
    let usage = one_two(&recorder, "m", "a new name");
    recorder.record(usage).unwrap();
    recorder.flush(PATIENCE).unwrap();
    let tenants = reopen(&place, recorder, 6).snapshot().by_tenant();
    assert!(tenants.iter().any(|of| of.tenant == "a new name"));
}

#[test]
fn f23_of_two_troubles_readers_are_told_the_graver_one() {
    let seam = Seam::take();
    let place = Place::new();
    let durability = Durability::Checkpoint(Duration::from_millis(10));
    let recorder = builder(&place).durability(durability);
    let recorder = recorder.open(place.store()).unwrap();
    let reader = Reader::open(place.store()).unwrap();
    let (failed, seen) = (Arc::new(AtomicU64::new(0)), place.store());
    let count_failed = Arc::clone(&failed);
    seam.on_calls(move |call| {
        if call.name != "create" || call.path != seen.join("checkpoint.new") {
            return Verdict::Go;
        }
        count_failed.fetch_add(1, Ordering::SeqCst);
        Verdict::Fail(Errno::NOSPC.into())
    });
    fs::remove_file(place.ring_dir().join(&files_in(&place.ring_dir())[0])).unwrap();
    count(&recorder, 3);
    recorder.flush(PATIENCE).unwrap();
    wait_until("some checkpoints have failed", || {
        failed.load(Ordering::SeqCst) > 3
    });
    count(&recorder, 2);
    recorder.flush(PATIENCE).unwrap();
    let all = recorder.stats().degraded.unwrap();
    // The writer itself says everything, once.
    assert_eq!(all.matches("no checkpoint can be written").count(), 1);
    assert_eq!(all.matches("the ring's file is gone").count(), 1);
    let told = || reader.stats().unwrap().degraded.unwrap_or_default();
    assert!(
        told().contains("no checkpoint can be written"),
        "{}",
        told()
    );
    seam.clear();
    wait_until("the lesser one is left", || {
        told().contains("the ring's file is gone")
    });
    drop(reopen(&place, recorder, 5));
}

/// While records come, the file is cut again and again just before somebody
/// looks at it. (In the middle of a commit a cut is a signal: see
/// docs/durability.md.)
fn cut(len_of: fn(u64) -> u64) {
    const CUTS: u64 = 20;
    let seam = Seam::take();
    let place = Place::new();
    let recorder = builder(&place).open(place.store()).unwrap();
    let (looks, cuts) = (AtomicU64::new(0), Arc::new(AtomicU64::new(0)));
    let (made, aggregate) = (Arc::clone(&cuts), place.aggregate());
    seam.on_calls(move |call| {
        let is_look = call.name == "stat" && call.path == aggregate;
        if is_look && looks.fetch_add(1, Ordering::SeqCst) % 7 == 6 {
            let file = File::options().write(true).open(&aggregate).unwrap();
            let len = file.metadata().unwrap().len();
            file.set_len(len_of(len)).unwrap();
            made.fetch_add(1, Ordering::SeqCst);
        }
        Verdict::Go
    });
    let usage = one_two(&recorder, "m", "t");
    let mut counted = 0;
    wait_until("it was cut often", || {
        counted += recorder.record_batch(&[usage; 8]) as u64;
        cuts.load(Ordering::SeqCst) >= CUTS
    });
    seam.clear();
    recorder.flush(PATIENCE).unwrap();
    let names = files_in(&place.store());
    let aside = names.iter().filter(|name| name.starts_with("aggregate."));
    assert!(aside.count() as u64 >= CUTS - 1, "{names:?}");
    drop(reopen(&place, recorder, counted));
}

#[test]
fn f23_a_file_that_is_emptied_while_records_come() {
    cut(|_| 0);
}

#[test]
fn f23_a_file_that_is_cut_to_half_while_records_come() {
    cut(|len| len / 2);
}

/// A reader from before goes on with the file that took the place of the cut
/// one.
#[test]
fn f23_a_reader_of_a_file_that_was_cut_goes_on_with_the_new_one() {
    let (place, recorder) = in_use();
    let reader = Reader::open(place.store()).unwrap();
    assert_eq!(check_one_two(&reader.snapshot().unwrap()), 5);
    let seam = Seam::take();
    let aggregate = place.aggregate();
    let is_cut = AtomicBool::new(false);
    seam.on_calls(move |call| {
        if call.path == aggregate && !is_cut.swap(true, Ordering::SeqCst) {
            File::create(&aggregate).unwrap();
        }
        Verdict::Go
    });
    count(&recorder, 3);
    recorder.flush(PATIENCE).unwrap();
    assert_eq!(check_one_two(&reader.snapshot().unwrap()), 8);
    drop(reopen(&place, recorder, 8));
}
