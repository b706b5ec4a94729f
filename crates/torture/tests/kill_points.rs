//! Writers that are killed at a named point: rows 1 to 8 of the fault table,
//! each exactly. Random instants are the program's business.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod dying;

use std::fs;
use std::path::Path;

use common::marks::{self, mark};
use common::{PATIENCE, Place, files_in};
use dying::{COMMITTED, Death, LOOSE, acknowledged, die};
use quipu::{OpenError, Reader, Stats, UsageRecord, fault};

const ALL: u64 = COMMITTED + LOOSE;

fn up_to(end: u64) -> Vec<u64> {
    (0..end).collect()
}

/// What a reader sees of the store, which is sound.
fn seen(store: &Path) -> Vec<u64> {
    assert!(quipu::verify(store).unwrap().is_sound());
    let snapshot = Reader::open(store).unwrap().snapshot().unwrap();
    numbers(&marks::counted(&snapshot))
}

/// The numbers, each of which was counted once.
fn numbers(counted: &marks::Counted) -> Vec<u64> {
    let mut numbers = Vec::new();
    for (n, times) in counted.values().flatten() {
        assert_eq!(*times, 1, "number {n}");
        numbers.push(*n);
    }
    numbers.sort_unstable();
    numbers
}

/// Opens the store, and closes it again.
fn recover(place: &Place) -> (Vec<u64>, Stats) {
    let recorder = place.open();
    assert!(recorder.set_aside().is_empty());
    let numbers = numbers(&marks::counted(&recorder.snapshot()));
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!(stats.committed, numbers.len() as u64);
    assert_eq!(
        (stats.accepted, stats.lost, stats.rings_lost),
        (stats.committed, 0, 0)
    );
    assert_eq!(seen(&place.store()), numbers);
    (numbers, stats)
}

/// The same of a store all of whose rings were found.
fn recover_all(place: &Place) -> (Vec<u64>, Stats) {
    let recovered = recover(place);
    assert_eq!(files_in(&place.ring_dir()), [""; 0]);
    recovered
}

#[test]
fn f01_killed_between_claim_and_publish() {
    for point in ["record: claimed", "record: half written"] {
        let place = Place::new();
        die(&place, "records", point, LOOSE + 1);
        assert_eq!(acknowledged(&place), up_to(ALL), "{point}");
        assert_eq!(seen(&place.store()), up_to(COMMITTED), "{point}");
        let (numbers, stats) = recover_all(&place);
        assert_eq!(numbers, up_to(ALL), "{point}");
        assert_eq!((stats.holes, stats.replayed), (1, LOOSE), "{point}");
    }
}

#[test]
fn f01_killed_with_records_of_others_behind_the_hole() {
    let place = Place::new();
    die(&place, "records behind a hole", "", 0);
    assert_eq!(acknowledged(&place), up_to(ALL));
    assert_eq!(seen(&place.store()), up_to(COMMITTED));
    let (numbers, stats) = recover_all(&place);
    assert_eq!(numbers, up_to(ALL));
    assert_eq!((stats.holes, stats.replayed), (1, LOOSE));
}

#[test]
fn f01_killed_in_the_middle_of_a_batch() {
    let place = Place::new();
    die(&place, "records a batch", "record: published", 7);
    assert_eq!(acknowledged(&place), up_to(COMMITTED));
    let (numbers, stats) = recover_all(&place);
    assert_eq!(numbers, up_to(COMMITTED + 7));
    assert_eq!((stats.holes, stats.replayed), (LOOSE - 7, 7));
}

#[test]
fn f02_killed_after_publish_and_before_the_drain() {
    let place = Place::new();
    die(&place, "records", "record: published", LOOSE);
    // `record` had not returned for the last one, which counts all the same.
    assert_eq!(acknowledged(&place), up_to(ALL - 1));
    assert_eq!(seen(&place.store()), up_to(COMMITTED));
    let (numbers, stats) = recover_all(&place);
    assert_eq!(numbers, up_to(ALL));
    assert_eq!((stats.holes, stats.replayed), (0, LOOSE));
}

#[test]
fn f03_killed_after_the_drain_and_before_the_commit() {
    for (point, nth) in [
        ("consumer: mid batch", 1),
        ("consumer: mid batch", LOOSE / 2),
        ("consumer: mid batch", LOOSE),
        ("commit: before the store", 1),
    ] {
        let place = Place::new();
        die(&place, "flushes", point, nth);
        assert_eq!(seen(&place.store()), up_to(COMMITTED), "{point} {nth}");
        let (numbers, stats) = recover_all(&place);
        assert_eq!(numbers, up_to(ALL), "{point} {nth}");
        assert_eq!((stats.holes, stats.replayed), (0, LOOSE), "{point} {nth}");
    }
}

/// Times that the commit of all numbers comes by "mid row": each 96 of them
/// have a row, and the commit block is written like one.
const ROWS: u64 = ALL.div_ceil(96) + 1;

#[test]
fn f04_killed_in_the_middle_of_writing_row_versions() {
    for nth in 1..=ROWS {
        let place = Place::new();
        die(&place, "flushes", "commit: mid row", nth);
        assert_eq!(seen(&place.store()), up_to(COMMITTED), "row {nth}");
        let (numbers, stats) = recover_all(&place);
        assert_eq!(numbers, up_to(ALL), "row {nth}");
        assert_eq!((stats.holes, stats.replayed), (0, LOOSE), "row {nth}");
    }
}

/// The next commit has the number of the one that didn't happen, and changes
/// none of its rows: what was written of them must not become a part of it.
#[test]
fn f04_killed_in_the_middle_of_row_versions_with_a_ring_that_is_gone() {
    for nth in 1..=ROWS {
        let place = Place::new();
        die(&place, "flushes", "commit: mid row", nth);
        for name in files_in(&place.ring_dir()) {
            fs::remove_file(place.ring_dir().join(name)).unwrap();
        }
        let stats = place.open().close(PATIENCE).unwrap();
        assert_eq!((stats.committed, stats.rings_lost), (COMMITTED, 1));
        assert_eq!(seen(&place.store()), up_to(COMMITTED), "row {nth}");
    }
}

#[test]
fn f05_killed_after_the_commit_and_before_the_release() {
    for point in ["commit: after the store", "commit: before the release"] {
        let place = Place::new();
        die(&place, "flushes", point, 1);
        assert_eq!(seen(&place.store()), up_to(ALL), "{point}");
        let (numbers, stats) = recover_all(&place);
        assert_eq!(numbers, up_to(ALL), "{point}");
        assert_eq!((stats.holes, stats.replayed), (0, 0), "{point}");
    }
}

#[test]
fn f06_killed_during_recovery_again_and_again() {
    let place = Place::new();
    die(&place, "records", "record: claimed", LOOSE + 1);
    let before_the_commit: [Death; 11] = [
        ("recovery: before the replay", 1),
        ("recovery: mid replay", 1),
        ("recovery: mid replay", LOOSE / 2),
        ("recovery: mid replay", LOOSE + 1),
        ("recovery: ring created", 1),
        ("recovery: before the commit", 1),
        ("commit: mid row", 1),
        ("commit: mid row", 2),
        ("commit: mid row", 4),
        ("commit: mid row", ROWS),
        ("commit: before the store", 1),
    ];
    for (point, nth) in [before_the_commit, before_the_commit].concat() {
        die(&place, "opens", point, nth);
        assert_eq!(seen(&place.store()), up_to(COMMITTED), "{point} {nth}");
    }
    let after_the_commit: [Death; 4] = [
        ("commit: after the store", 1),
        ("recovery: after the commit", 1),
        ("recovery: before the replay", 1),
        ("recovery: after the commit", 1),
    ];
    for (point, nth) in after_the_commit {
        die(&place, "opens", point, nth);
        assert_eq!(seen(&place.store()), up_to(ALL), "{point} {nth}");
    }
    let (numbers, stats) = recover_all(&place);
    assert_eq!(numbers, up_to(ALL));
    assert_eq!((stats.holes, stats.replayed), (1, LOOSE));
}

/// Points that an open comes by when it creates the store.
fn points_of_a_new_store() -> Vec<&'static str> {
    let others = [
        "set aside:",
        "restore:",
        "record:",
        "consumer:",
        "checkpoint:",
        "recovery: mid replay",
        "commit: before the release",
    ];
    let is_other = |point: &&str| others.iter().any(|other| point.starts_with(other));
    let points = fault::POINTS.into_iter();
    points.filter(|point| !is_other(point)).collect()
}

#[test]
fn f07_killed_while_the_store_is_created() {
    for point in points_of_a_new_store() {
        let place = Place::new();
        // The second time beside what the first has left.
        for _ in 0..2 {
            die(&place, "opens", point, 1);
            match Reader::open(place.store()) {
                Ok(_) => assert_eq!(seen(&place.store()), up_to(0), "{point}"),
                // It comes into its place with its first commit.
                Err(OpenError::NotAStore { .. }) => {
                    assert_ne!(point, "create: after the rename");
                    assert!(!place.aggregate().exists(), "{point}");
                }
                Err(error) => panic!("{point}: {error}"),
            }
            if point == "create: after the rename" {
                // It is there now.
                break;
            }
        }
        assert_eq!(recover_all(&place).0, up_to(0), "{point}");
        die(&place, "records", "record: claimed", LOOSE + 1);
        assert_eq!(recover_all(&place).0, up_to(ALL), "{point}");
        assert_eq!(files_in(&place.store()), ["aggregate", "lock"], "{point}");
    }
}

/// Damages a row of the store's file; gives the bytes that it then has.
fn damage(place: &Place) -> Vec<u8> {
    let mut bytes = fs::read(place.aggregate()).unwrap();
    let extent = bytes.windows(8).position(|word| word == b"QPU-ROWS");
    bytes[extent.unwrap() + 4096..][..512].fill(0xaa);
    fs::write(place.aggregate(), &bytes).unwrap();
    bytes
}

/// The bytes of the one file that was set aside; `None` where none was.
fn set_aside(place: &Place) -> Option<Vec<u8>> {
    let names = files_in(&place.store());
    let is_aside = |name: &&String| name.starts_with("aggregate.") && !name.ends_with(".new");
    let aside: Vec<_> = names.iter().filter(is_aside).collect();
    assert!(aside.len() <= 1, "{names:?}");
    let name = aside.first()?;
    Some(fs::read(place.store().join(name)).unwrap())
}

/// Dies at `point` while a damaged file gives way, and recovers: the old bytes
/// stay, where they were or beside it, and what takes their place is whole.
fn give_way(place: &Place, point: &str) -> (Vec<u64>, Stats) {
    let bytes = damage(place);
    die(place, "opens", point, 1);
    let aside = set_aside(place);
    assert_eq!(
        aside.unwrap_or_else(|| fs::read(place.aggregate()).unwrap()),
        bytes,
        "{point}"
    );
    let recorder = place.open();
    let numbers = numbers(&marks::counted(&recorder.snapshot()));
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!(stats.rings_lost, 0, "{point}");
    assert_eq!(seen(&place.store()), numbers, "{point}");
    assert_eq!(set_aside(place).unwrap(), bytes, "{point}");
    assert_eq!(files_in(&place.ring_dir()), [""; 0], "{point}");
    (numbers, stats)
}

#[test]
fn f07_killed_while_a_damaged_store_is_created_anew() {
    for point in [
        "create: header written",
        "recovery: before the commit",
        "set aside: after the rename",
        "create: before the rename",
        "create: after the rename",
    ] {
        let place = Place::new();
        die(&place, "records", "record: claimed", LOOSE + 1);
        recover_all(&place);
        let (numbers, stats) = give_way(&place, point);
        assert_eq!(numbers, up_to(0), "{point}");
        // A position is a record or a hole; the kill doesn't make it forgotten.
        assert_eq!(stats.lost, ALL + 1, "{point}");
    }
}

#[test]
fn f07_killed_while_a_checkpoint_takes_the_place_of_a_damaged_store() {
    for point in [
        "restore: before the rename",
        "recovery: before the replay",
        "recovery: before the commit",
        "set aside: after the rename",
        "create: before the rename",
        "recovery: after the commit",
    ] {
        let place = Place::new();
        die(&place, "records", "record: claimed", LOOSE + 1);
        let recorder = dying::with_checkpoints(place.builder()).open(place.store());
        recorder.unwrap().close(PATIENCE).unwrap();
        let (numbers, stats) = give_way(&place, point);
        assert_eq!(numbers, up_to(ALL), "{point}");
        assert_eq!((stats.holes, stats.replayed), (1, LOOSE), "{point}");
    }
}

/// Somebody removed the file, and the writer was about to write it anew.
#[test]
fn f07_killed_while_a_removed_store_is_written_anew() {
    for (point, is_there, counted) in [
        ("create: header written", false, 0),
        ("commit: mid row", false, 0),
        ("commit: before the store", false, 0),
        ("create: before the rename", false, ALL),
        ("create: after the rename", true, ALL),
        ("commit: before the release", true, ALL),
    ] {
        let place = Place::new();
        die(&place, "flushes without its file", point, 1);
        assert_eq!(place.aggregate().exists(), is_there, "{point}");
        assert_eq!(recover(&place).0, up_to(counted), "{point}");
    }
}

#[test]
fn f08_killed_while_the_file_grows() {
    for point in ["growth: allocated", "growth: before it counts"] {
        // Once for names and twice for rows.
        for nth in 1..=3 {
            let place = Place::new();
            die(&place, "grows", point, nth);
            let acknowledged = acknowledged(&place);
            assert!(acknowledged.len() as u64 > COMMITTED, "{point} {nth}");
            assert_eq!(seen(&place.store()), up_to(COMMITTED), "{point} {nth}");
            let (numbers, stats) = recover_all(&place);
            assert_eq!(numbers, acknowledged, "{point} {nth}");
            assert_eq!(stats.holes, 0, "{point} {nth}");
        }
    }
}

#[test]
fn f08_killed_in_the_middle_of_a_name_before_one_that_needs_another_extent() {
    let place = Place::new();
    die(&place, "interns", "names: half written", 1000);
    let open = || {
        let builder = place.builder().max_name_len(32 * 1024);
        builder.open(place.store()).unwrap()
    };
    let recorder = open();
    // Longer than what is left of the extent, where half of a name lies.
    let name = "c".repeat(32_000);
    let tenant = recorder.tenant(&name).unwrap();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    recorder.record(mark(usage.tenant(tenant), 0)).unwrap();
    recorder.close(PATIENCE).unwrap();
    drop(recorder);
    assert!(quipu::verify(place.store()).unwrap().is_sound());
    let tenants = open().snapshot().by_tenant();
    let of = tenants.iter().find(|of| of.tenant == *name).unwrap();
    assert_eq!(of.totals.requests, 1);
}

#[test]
fn f08_killed_while_a_checkpoint_is_written_or_renamed() {
    for (point, nth, counted) in [
        ("create: header written", 1, COMMITTED),
        // The first is that of the live file's commit.
        ("commit: before the store", 2, COMMITTED),
        ("checkpoint: written", 1, COMMITTED),
        ("checkpoint: renamed", 1, ALL),
    ] {
        let place = Place::new();
        die(&place, "writes checkpoints", point, nth);
        // The checkpoint by itself.
        let copy = place.path().join("copy.quipu");
        fs::create_dir(&copy).unwrap();
        let checkpoint = place.store().join("checkpoint");
        fs::copy(&checkpoint, copy.join("aggregate")).unwrap();
        assert_eq!(seen(&copy), up_to(counted), "{point}");
        assert_eq!(seen(&place.store()), up_to(ALL), "{point}");
        assert_eq!(recover_all(&place).0, up_to(ALL), "{point}");
    }
}

#[test]
#[ignore = "a child of other tests"]
fn child_dies() {
    dying::child();
}
