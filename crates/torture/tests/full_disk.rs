//! A disk that is full: a real one of a few pages, and by the seam.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod seam;

use std::fs;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::sums::{check_one_two, one_two};
use common::{PATIENCE, Place, at, builder_at, child, files_in, wait_until};
use quipu::fault::set_point_hook;
use quipu::{Builder, Durability, FlushError, OpenError, Reader, Recorder, UsageRecord};
use rustix::io::Errno;
use seam::Seam;
use seam::plan::{Fault, Plan};
use seam::tmpfs::Tmpfs;

const ROOMY: u64 = 64 * 1024;

fn builder(place: &Place) -> Builder {
    place.builder().flush_interval(Duration::from_millis(2))
}

/// A place whose store is on a disk of so many KiB.
fn place_with_disk(kib: u64) -> Option<(Place, Tmpfs)> {
    let place = Place::new();
    fs::create_dir(place.store()).unwrap();
    let disk = Tmpfs::mount(&place.store(), kib)?;
    Some((place, disk))
}

fn assert_is_full(error: &OpenError, what: &str) {
    let OpenError::Io { source, .. } = error else {
        panic!("{what}: {error}");
    };
    assert_eq!(Errno::from_io_error(source), Some(Errno::NOSPC), "{what}");
}

#[test]
fn f20_a_store_is_created_whole_or_not_at_all() {
    let mut refused = 0;
    for kib in (4..).step_by(4) {
        let Some((place, disk)) = place_with_disk(kib) else {
            return;
        };
        let opened = place.builder().open(place.store());
        let Err(error) = opened else {
            break;
        };
        assert_is_full(&error, &format!("{kib} KiB"));
        refused += 1;
        assert_eq!(files_in(&place.ring_dir()), [""; 0], "{kib} KiB");
        let left = files_in(&place.store());
        assert!(left.is_empty() || left == ["lock"], "{kib} KiB: {left:?}");
        disk.resize(ROOMY);
        let recorder = place.open();
        assert!(recorder.set_aside().is_empty());
        recorder.record(one_two(&recorder, "m", "t")).unwrap();
        assert_eq!(recorder.close(PATIENCE).unwrap().committed, 1);
    }
    // A header and an extent of names.
    assert!(refused > 10, "{refused} sizes were too small");
}

#[test]
fn f20_no_room_for_the_ring() {
    let place = Place::new();
    let Some(disk) = Tmpfs::mount(&place.ring_dir(), 16) else {
        return;
    };
    let error = place.builder().open(place.store()).unwrap_err();
    assert_is_full(&error, "the ring");
    assert!(error.to_string().contains(".ring"), "{error}");
    assert_eq!(files_in(&place.ring_dir()), [""; 0]);
    assert!(!place.store().exists());
    disk.resize(ROOMY);
    assert_eq!(place.open().stats().committed, 0);
}

/// Records that need more rows than a new store has room for.
fn count_days(recorder: &Recorder, model: &str, days: u64) -> u64 {
    let usage = UsageRecord::new(recorder.model("p", model).unwrap());
    for day in 0..days {
        let usage = usage.at(at(86_400 * (19_000 + day)));
        recorder.record(usage).unwrap();
    }
    days
}

/// What a reader beside the writer is told.
fn told(place: &Place) -> Option<String> {
    Reader::open(place.store())
        .unwrap()
        .stats()
        .unwrap()
        .degraded
}

/// The store can't be written, and everybody knows why.
fn assert_counts_in_memory(place: &Place, recorder: &Recorder, records: u64) {
    match recorder.flush(PATIENCE) {
        Err(FlushError::Degraded(reason)) => {
            assert!(reason.contains("No space"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    let stats = recorder.stats();
    let reason = stats.degraded.unwrap();
    assert!(reason.contains("memory only") && reason.contains("No space"));
    assert_eq!((stats.committed, stats.in_ring), (records, 0));
    assert_eq!(stats.accepted, records);
    assert!(stats.unwritten > 0);
    assert_eq!(recorder.snapshot().total().requests, records);
    let reason = told(place).unwrap();
    assert!(reason.contains("memory only") && reason.contains("No space"));
}

/// Nobody records: it recovers by itself.
fn wait_until_recovered(place: &Place, recorder: &Recorder) {
    wait_until("the store can be written again", || {
        let stats = recorder.stats();
        stats.degraded.is_none() && stats.unwritten == 0
    });
    wait_until("readers are told", || told(place).is_none());
}

fn reopen(place: &Place, recorder: Recorder, records: u64) -> Recorder {
    assert_eq!(recorder.close(PATIENCE).unwrap().committed, records);
    drop(recorder);
    assert!(quipu::verify(place.store()).unwrap().is_sound());
    let reopened = place.open();
    let stats = reopened.stats();
    assert_eq!((stats.committed, stats.lost), (records, 0));
    assert!(reopened.set_aside().is_empty());
    reopened
}

/// Names that don't fit into the first extent of names.
fn long_names() -> impl Iterator<Item = String> {
    (0..5).map(|n| format!("model {n} {}", "long ".repeat(5000)))
}

/// Rows and names grow while there is no room; `free` makes room.
fn grow(place: &Place, fill: impl FnOnce(), free: impl FnOnce()) {
    let recorder = builder(place).max_name_len(32 * 1024);
    let recorder = recorder.open(place.store()).unwrap();
    let mut records = count_days(&recorder, "before", 10);
    recorder.flush(PATIENCE).unwrap();
    fill();
    records += count_days(&recorder, "before", 390);
    assert_counts_in_memory(place, &recorder, records);
    let flushes = recorder.stats().flushes;
    for name in long_names() {
        records += count_days(&recorder, &name, 3);
    }
    assert_counts_in_memory(place, &recorder, records);
    let unwritten = recorder.stats().unwritten;
    free();
    wait_until_recovered(place, &recorder);
    // Commits that failed were no flushes: all that waited is one.
    let stats = recorder.stats();
    assert_eq!(stats.flushes, flushes + 1);
    assert_eq!(stats.records_per_flush_last, unwritten);
    let in_flushes = stats.records_per_flush_mean * stats.flushes as f64;
    assert_eq!(in_flushes.round() as u64, records);
    let reopened = reopen(place, recorder, records);
    let models = reopened.snapshot().by_model();
    for name in long_names() {
        let of = models.iter().find(|of| of.model == *name).unwrap();
        assert_eq!(of.totals.requests, 3);
    }
    assert!(models.iter().all(|of| of.model != quipu::OTHER));
}

#[test]
fn f20_counts_go_on_while_a_full_disk_stops_growth() {
    let Some((place, disk)) = place_with_disk(ROOMY) else {
        return;
    };
    grow(&place, || disk.fill(), || disk.resize(ROOMY));
}

#[test]
fn f20_counts_go_on_while_the_seam_stops_growth() {
    let seam = Seam::take();
    let place = Place::new();
    let plan = Plan {
        call: "allocate",
        nth: 1,
        fault: Fault::FromThenOn(Errno::NOSPC.raw_os_error()),
    };
    let fill = || drop(plan.arm(&seam, place.path()));
    grow(&place, fill, || seam.clear());
}

/// While there is no room for a checkpoint, commits go on; `free` makes room.
fn checkpoint(place: &Place, fill: impl FnOnce(), free: impl FnOnce()) {
    let durability = Durability::Checkpoint(Duration::from_millis(10));
    let recorder = builder(place).durability(durability);
    let recorder = recorder.open(place.store()).unwrap();
    let usage = one_two(&recorder, "m", "t");
    recorder.record(usage).unwrap();
    recorder.flush(PATIENCE).unwrap();
    wait_until("there is a checkpoint", || {
        recorder.stats().checkpoint == recorder.stats().generation
    });
    let last = recorder.stats().checkpoint;
    fill();
    recorder.record(usage).unwrap();
    recorder.flush(PATIENCE).unwrap();
    wait_until("somebody is told", || recorder.stats().degraded.is_some());
    let stats = recorder.stats();
    let reason = stats.degraded.unwrap();
    assert!(reason.contains("checkpoint") && reason.contains("No space"));
    assert_eq!((stats.committed, stats.unwritten), (2, 0));
    assert_eq!(stats.checkpoint, last);
    wait_until("readers are told", || {
        told(place).is_some_and(|reason| reason.contains("checkpoint"))
    });
    free();
    wait_until_recovered(place, &recorder);
    let stats = recorder.stats();
    assert_eq!(stats.checkpoint, stats.generation);
    let reopened = reopen(place, recorder, 2);
    assert_eq!(check_one_two(&reopened.snapshot()), 2);
}

#[test]
fn f20_commits_go_on_while_a_full_disk_stops_checkpoints() {
    let Some((place, disk)) = place_with_disk(ROOMY) else {
        return;
    };
    checkpoint(&place, || disk.fill(), || disk.resize(ROOMY));
}

#[test]
fn f20_commits_go_on_while_the_seam_stops_checkpoints() {
    let seam = Seam::take();
    let place = Place::new();
    let plan = Plan {
        call: "allocate",
        nth: 1,
        fault: Fault::FromThenOn(Errno::NOSPC.raw_os_error()),
    };
    let fill = || drop(plan.arm(&seam, &place.store()));
    checkpoint(&place, fill, || seam.clear());
}

/// Kills a writer that counts in memory only, after `records` records of a
/// ring of 1024 slots; gives what the next one has.
fn kill_while_full(records: u64) -> Option<(u64, u64, u64)> {
    let (place, disk) = place_with_disk(ROOMY)?;
    let mut writer = child::start("child_fills_memory", place.path(), records.to_string());
    wait_until("the child has a store", || {
        place.path().join("opened").exists()
    });
    disk.fill();
    fs::write(place.path().join("full"), "").unwrap();
    writer.wait_until_ready(place.path());
    assert!(told(&place).is_some());
    writer.kill();
    disk.resize(ROOMY);
    let recorder = place.open();
    let stats = recorder.stats();
    assert_eq!(stats.committed + stats.lost, 10 + records);
    assert_eq!(stats.accepted, stats.committed);
    assert_eq!(recorder.snapshot().total().requests, stats.committed);
    let lost = stats.lost;
    let counted = (stats.committed, stats.lost, stats.holes);
    // What was lost stays said.
    assert_eq!(recorder.close(PATIENCE).unwrap().lost, lost);
    assert!(quipu::verify(place.store()).unwrap().is_sound());
    Some(counted)
}

#[test]
#[ignore = "a child of another test"]
fn child_fills_memory() {
    let Some((place, records)) = child::assignment() else {
        return;
    };
    let recorder = builder_at(&place)
        .shards(1)
        .shard_capacity(1024)
        .flush_interval(Duration::from_millis(2))
        .open(place.join("usage.quipu"))
        .unwrap();
    count_days(&recorder, "m", 10);
    recorder.flush(PATIENCE).unwrap();
    fs::write(place.join("opened"), "").unwrap();
    wait_until("the disk is full", || place.join("full").exists());
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    let records: u64 = records.parse().unwrap();
    for n in 0..records - 1 {
        let usage = usage.at(at(86_400 * (19_000 + n % 390)));
        recorder.record_timeout(usage, PATIENCE).unwrap();
    }
    recorder.flush(PATIENCE).unwrap_err();
    let unwritten = recorder.stats().unwritten;
    // A panic of the consumer now makes nothing worse.
    let has_panicked = AtomicBool::new(false);
    set_point_hook(Some(Arc::new(move |point| {
        if point == "consumer: mid batch" && !has_panicked.swap(true, Ordering::SeqCst) {
            resume_unwind(Box::new("a panic on purpose"));
        }
    })));
    recorder.record_timeout(usage, PATIENCE).unwrap();
    recorder.flush(PATIENCE).unwrap_err();
    let stats = recorder.stats();
    assert!(stats.degraded.is_some());
    assert_eq!((stats.restarts, stats.unwritten), (1, unwritten + 1));
    assert_eq!((stats.committed, stats.in_ring), (10 + records, 0));
    child::say_ready(&place);
    child::wait_for_the_end();
}

#[test]
fn f20_a_kill_while_the_ring_has_room_loses_nothing() {
    // The ring is never half full.
    if let Some(counted) = kill_while_full(500) {
        assert_eq!(counted, (510, 0, 0));
    }
}

#[test]
fn f20_a_kill_after_the_ring_was_used_again_counts_what_is_lost() {
    if let Some((committed, lost, holes)) = kill_while_full(5000) {
        assert!(lost > 3000, "{lost} of {committed}");
        assert_eq!(holes, 0);
    }
}
