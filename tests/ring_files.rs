//! The file of a ring that a killed writer left: gone, damaged, or beside a copy
//! of its store.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs;
use std::path::PathBuf;

use common::image::{Image, block, checksum};
use common::leftovers::Kept;
use common::sums::{self, one_two};
use common::{PATIENCE, Place, leftovers};
use quipu::Reader;

#[test]
fn f23_a_ring_that_is_gone_is_counted_as_lost() {
    let place = Place::new();
    leftovers::leave(&place);
    for name in common::files_in(&place.ring_dir()) {
        fs::remove_file(place.ring_dir().join(name)).unwrap();
    }
    let recorder = place.open();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 20);
    let usage = one_two(&recorder, "m", "t");
    recorder.record(usage).unwrap();
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!(
        (stats.committed, stats.rings_lost, stats.replayed),
        (21, 1, 0)
    );
    let stats = place.open().stats();
    assert_eq!((stats.committed, stats.rings_lost), (21, 1));
}

#[test]
fn f23_a_copied_store_leaves_the_ring_to_the_original() {
    let place = Place::new();
    leftovers::leave(&place);
    let copy = place.path().join("copy.quipu");
    fs::create_dir(&copy).unwrap();
    for name in common::files_in(&place.store()) {
        fs::copy(place.store().join(&name), copy.join(&name)).unwrap();
    }
    let recorder = place.builder().open(&copy).unwrap();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 20);
    assert_eq!(recorder.stats().rings_lost, 1);
    drop(recorder);
    let recorder = place.open();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 50);
    assert_eq!(recorder.stats().rings_lost, 0);
}

#[test]
fn f23_a_damaged_ring_is_set_aside() {
    let place = Place::new();
    leftovers::leave(&place);
    let ring = place
        .ring_dir()
        .join(&common::files_in(&place.ring_dir())[0]);
    let sound = fs::read(&ring).unwrap();
    let aggregate = fs::read(place.aggregate()).unwrap();
    let header = "its header is not that of the ring";
    let length = "it doesn't have its length";
    let damages: [(&str, Vec<u8>); 7] = [
        ("it ends within its header", Vec::new()),
        ("it ends within its header", sound[..255].to_vec()),
        (length, sound[..256].to_vec()),
        (length, sound[..sound.len() / 2].to_vec()),
        (length, [&sound[..], &[0]].concat()),
        (header, vec![0; sound.len()]),
        (header, {
            let mut bytes = sound.clone();
            // A huge capacity.
            bytes[56..64].copy_from_slice(&(1u64 << 60).to_le_bytes());
            bytes
        }),
    ];
    for (damage, bytes) in damages {
        fs::write(&ring, &bytes).unwrap();
        let reader = Reader::open(place.store()).unwrap();
        assert_eq!(sums::check_one_two(&reader.snapshot().unwrap()), 20);
        let recorder = place.open();
        assert_eq!(sums::check_one_two(&recorder.snapshot()), 20, "{damage}");
        assert_eq!(recorder.stats().rings_lost, 1, "{damage}");
        let aside = recorder.set_aside()[0].clone();
        assert_eq!(aside.original, ring);
        assert!(aside.reason.contains(damage), "{damage}: {aside}");
        assert_eq!(fs::read(&aside.path).unwrap(), bytes, "{damage}");
        drop(recorder);
        // Whoever has the ring back may put everything as it was.
        fs::remove_file(&aside.path).unwrap();
        fs::write(place.aggregate(), &aggregate).unwrap();
    }
    fs::write(&ring, sound).unwrap();
    assert_eq!(sums::check_one_two(&place.open().snapshot()), 50);
}

/// What is published is found without the tail, and a tail that no claim can
/// have written makes no holes.
#[test]
fn f23_a_ring_whose_tails_are_damaged() {
    let place = Place::new();
    leftovers::leave(&place);
    let ring = place
        .ring_dir()
        .join(&common::files_in(&place.ring_dir())[0]);
    let mut bytes = fs::read(&ring).unwrap();
    let [shards, capacity] = [48, 56].map(|at| word(&bytes, at));
    for shard in 0..shards as usize {
        let tail = 4096 + 256 * shard;
        let beyond = word(&bytes, tail) + capacity + 1;
        bytes[tail..tail + 8].copy_from_slice(&beyond.to_le_bytes());
    }
    fs::write(&ring, &bytes).unwrap();
    let recorder = place.open();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 50);
    let stats = recorder.stats();
    assert_eq!((stats.replayed, stats.holes, stats.lost), (30, 0, 0));
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

#[test]
fn a_commit_that_names_no_directory_for_its_ring_is_noticed() {
    for unknown in [7, u64::MAX] {
        let place = Place::new();
        leftovers::leave(&place);
        let mut image = Image::read(&place.aggregate());
        image.set_block(block::RING_DIR, unknown);
        image.write(&place.aggregate());
        let found = quipu::verify(place.store()).unwrap();
        let said: Vec<_> = found.problems.iter().map(ToString::to_string).collect();
        let expected = "commit: the name of the ring's directory is missing";
        assert_eq!(said, [expected]);
        // As with any other damage: what was there is kept, and the rest is
        // counted from now on.
        let recorder = place.open();
        let [live] = recorder.set_aside() else {
            panic!("{:?}", recorder.set_aside());
        };
        assert!(live.reason.contains("directory is missing"), "{live:?}");
        assert_eq!(fs::read(&live.path).unwrap(), image.bytes);
        recorder.record(one_two(&recorder, "m", "t")).unwrap();
        let stats = recorder.close(PATIENCE).unwrap();
        assert_eq!((stats.committed, stats.rings_lost), (1, 1));
    }
}

/// Heads and tails of so many take more than a page.
#[test]
fn each_of_64_shards_has_slots_of_its_own() {
    let place = Place::new();
    let builder = place.builder().shards(64).shard_capacity(8);
    let recorder = builder.open(place.store()).unwrap();
    let usages = [one_two(&recorder, "m", "t"); 64 * 8];
    for round in 1..4 {
        assert_eq!(recorder.record_batch(&usages), usages.len());
        recorder.flush(PATIENCE).unwrap();
        let counted = sums::check_one_two(&recorder.snapshot());
        assert_eq!(counted, round * usages.len() as u64);
        common::wait_until("all slots are free", || recorder.stats().in_ring == 0);
    }
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!((stats.committed, stats.holes), (3 * 64 * 8, 0));
}

/// They go with it, but for those that somebody may have recorded on.
#[test]
fn the_rings_of_a_file_that_was_not_finished() {
    let kept = Kept::new();
    let place = &kept.place;
    let ring = |number: u64, is_used: bool| {
        let mut bytes = kept.ring.clone();
        bytes[40..48].copy_from_slice(&number.to_le_bytes());
        let sum = checksum(0, &bytes[..248]);
        bytes[248..256].copy_from_slice(&sum.to_le_bytes());
        if !is_used {
            bytes[4096..4104].fill(0);
        }
        bytes
    };
    let rings = [
        (2, ring(2, true), true),
        (3, ring(3, false), false),
        (4, ring(2, false), true),
        // Whoever created these was killed before there was a header.
        (5, Vec::new(), false),
        (6, vec![0; kept.ring.len()], false),
        // Nobody did create these.
        (7, vec![0; 100], true),
        (8, vec![1; 100], true),
    ];
    let first = kept.ring_path();
    let path = |number: u64| {
        let name = first.to_str().unwrap().strip_suffix("1.ring").unwrap();
        PathBuf::from(format!("{name}{number}.ring"))
    };
    for (number, bytes, _) in &rings {
        fs::write(path(*number), bytes).unwrap();
    }
    // The rings are named after its inode.
    fs::rename(place.aggregate(), place.store().join("aggregate.new")).unwrap();
    fs::write(place.aggregate(), "no store").unwrap();
    place.open().close(PATIENCE).unwrap();
    assert!(fs::read(&first).unwrap() == kept.ring);
    for (number, bytes, stays) in rings {
        let found = fs::read(path(number)).ok();
        assert!(found == stays.then_some(bytes), "ring {number}");
    }
    assert!(!place.store().join("aggregate.new").exists());
}

#[test]
#[ignore = "a child of another test"]
fn child_leaves_records() {
    leftovers::child();
}
