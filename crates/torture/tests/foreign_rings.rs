//! Rings that are not what the store was last used with: another store's, an
//! older copy, one from before a reboot or a clean close. They are noticed,
//! and nothing in them is counted.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod seam;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use common::sums::{check_one_two, one_two};
use common::{PATIENCE, Place, builder_at, child, files_in, leftovers, wait_until};
use quipu::Recorder;
use seam::Seam;
use seam::plan::{Fault, Plan};

/// The one ring at a place.
fn ring_of(place: &Place) -> PathBuf {
    let names = files_in(&place.ring_dir());
    assert_eq!(names.len(), 1, "{names:?}");
    place.ring_dir().join(&names[0])
}

/// The next writer counts what was committed, says that the ring is lost, and
/// keeps its bytes.
fn assert_not_replayed(place: &Place, committed: u64, bytes: &[u8]) -> Recorder {
    let ring = ring_of(place);
    let recorder = place.open();
    assert_eq!(check_one_two(&recorder.snapshot()), committed);
    let stats = recorder.stats();
    assert_eq!((stats.rings_lost, stats.replayed), (1, 0));
    let [aside] = recorder.set_aside() else {
        panic!("{recorder:?}");
    };
    assert_eq!(aside.original, ring);
    assert!(fs::read(&aside.path).unwrap() == bytes);
    recorder
}

#[test]
fn f23_another_stores_ring_under_this_ones_name() {
    let _alone = Seam::take();
    let (place, other) = (Place::new(), Place::new());
    leftovers::leave(&place);
    leftovers::leave(&other);
    let bytes = fs::read(ring_of(&other)).unwrap();
    fs::write(ring_of(&place), &bytes).unwrap();
    drop(assert_not_replayed(&place, 20, &bytes));
    // The other store has its own.
    let recorder = other.open();
    assert_eq!(check_one_two(&recorder.snapshot()), 50);
    assert_eq!(recorder.stats().rings_lost, 0);
}

#[test]
fn f23_a_ring_from_before_a_reboot() {
    // The boot is the process's: every test here takes the seam.
    let seam = Seam::take();
    let place = Place::new();
    leftovers::leave(&place);
    let bytes = fs::read(ring_of(&place)).unwrap();
    seam.boot(7);
    drop(assert_not_replayed(&place, 20, &bytes));
}

/// As a reboot leaves it that empties shared memory.
#[test]
fn f23_a_ring_that_went_with_a_reboot() {
    let seam = Seam::take();
    let place = Place::new();
    leftovers::leave(&place);
    fs::remove_file(ring_of(&place)).unwrap();
    seam.boot(7);
    let recorder = place.open();
    assert_eq!(check_one_two(&recorder.snapshot()), 20);
    let stats = recorder.stats();
    assert_eq!((stats.rings_lost, stats.replayed), (1, 0));
    assert!(recorder.set_aside().is_empty(), "{recorder:?}");
}

/// It is neither removed nor forgotten.
#[test]
fn f23_a_ring_that_cant_be_set_aside() {
    let seam = Seam::take();
    let place = Place::new();
    leftovers::leave(&place);
    let bytes = b"no ring".repeat(1000);
    fs::write(ring_of(&place), &bytes).unwrap();
    let plan = Plan {
        call: "rename",
        nth: 1,
        fault: Fault::FromThenOn(rustix::io::Errno::IO.raw_os_error()),
    };
    let armed = plan.arm(&seam, &place.ring_dir());
    let opened = place.builder().open(place.store());
    assert!(armed.end());
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("can't set aside"), "{error}");
    assert!(fs::read(ring_of(&place)).unwrap() == bytes);
    drop(assert_not_replayed(&place, 20, &bytes));
}

/// A child that records and commits, and is told to go on in between.
#[test]
#[ignore = "a child of another test"]
fn child_commits_twice() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let builder = builder_at(&place).flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(place.join("usage.quipu")).unwrap();
    let usage = one_two(&recorder, "m", "t");
    assert_eq!(recorder.record_batch(&[usage; 10]), 10);
    fs::write(place.join("begun"), "").unwrap();
    wait_until("the ring was copied", || place.join("copied").exists());
    recorder.flush(PATIENCE).unwrap();
    assert_eq!(recorder.record_batch(&[usage; 20]), 20);
    recorder.flush(PATIENCE).unwrap();
    assert_eq!(recorder.record_batch(&[usage; 5]), 5);
    child::say_ready(&place);
    child::wait_for_the_end();
}

#[test]
fn f23_an_older_copy_of_the_same_ring() {
    let _alone = Seam::take();
    let place = Place::new();
    let mut writer = child::start("child_commits_twice", place.path(), "");
    wait_until("there is something on the ring", || {
        place.path().join("begun").exists()
    });
    let older = fs::read(ring_of(&place)).unwrap();
    fs::write(place.path().join("copied"), "").unwrap();
    writer.wait_until_ready(place.path());
    writer.kill();
    fs::write(ring_of(&place), &older).unwrap();
    let recorder = assert_not_replayed(&place, 30, &older);
    let reason = &recorder.set_aside()[0].reason;
    assert!(reason.contains("older copy"), "{reason}");
    // Also the one after that counts nothing twice.
    recorder.record(one_two(&recorder, "m", "t")).unwrap();
    recorder.close(PATIENCE).unwrap();
    assert_eq!(check_one_two(&place.open().snapshot()), 31);
}

#[test]
fn f23_a_ring_that_comes_back_after_a_clean_close() {
    let _alone = Seam::take();
    let place = Place::new();
    leftovers::leave(&place);
    let ring = ring_of(&place);
    let bytes = fs::read(&ring).unwrap();
    let recorder = place.open();
    assert_eq!(check_one_two(&recorder.snapshot()), 50);
    let next = ring_of(&place);
    recorder.close(PATIENCE).unwrap();
    for name in [ring, next] {
        fs::write(name, &bytes).unwrap();
        let recorder = place.open();
        assert_eq!(check_one_two(&recorder.snapshot()), 50);
        assert_eq!(recorder.stats().replayed, 30);
        recorder.close(PATIENCE).unwrap();
    }
}

/// A child whose file is removed and written anew: the ring goes on under the
/// name that belongs to the new one.
#[test]
#[ignore = "a child of another test"]
fn child_loses_its_file() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let store = place.join("usage.quipu");
    let builder = builder_at(&place).flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(&store).unwrap();
    let usage = one_two(&recorder, "m", "t");
    assert_eq!(recorder.record_batch(&[usage; 20]), 20);
    recorder.flush(PATIENCE).unwrap();
    fs::remove_file(store.join("aggregate")).unwrap();
    assert_eq!(recorder.record_batch(&[usage; 10]), 10);
    recorder.flush(PATIENCE).unwrap();
    assert_eq!(recorder.record_batch(&[usage; 5]), 5);
    child::say_ready(&place);
    child::wait_for_the_end();
}

#[test]
fn f23_the_ring_beside_a_file_that_was_written_anew_is_replayed() {
    let _alone = Seam::take();
    let place = Place::new();
    let mut writer = child::start("child_loses_its_file", place.path(), "");
    writer.wait_until_ready(place.path());
    writer.kill();
    let recorder = place.open();
    assert_eq!(check_one_two(&recorder.snapshot()), 35);
    let stats = recorder.stats();
    assert_eq!((stats.replayed, stats.lost, stats.rings_lost), (5, 0, 0));
    assert_eq!(files_in(&place.ring_dir()).len(), 1);
}

#[test]
#[ignore = "a child of another test"]
fn child_leaves_records() {
    leftovers::child();
}
