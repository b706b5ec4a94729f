//! Files that were cut: an error that says so, or set aside; never a signal,
//! never a panic, never other totals without a word.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs::{self, File};
use std::ops::Range;
use std::thread;

use common::leftovers::Kept;
use common::sums::{check_one_two, one_two};
use common::{PATIENCE, Place};
use quipu::{Durability, Reader};

/// A closed store with five records, and a checkpoint of it.
fn closed_store() -> Place {
    let place = Place::new();
    let builder = place.builder().durability(Durability::Checkpoint(PATIENCE));
    let recorder = builder.open(place.store()).unwrap();
    let usage = one_two(&recorder, "m", "t");
    assert_eq!(recorder.record_batch(&[usage; 5]), 5);
    recorder.close(PATIENCE).unwrap();
    place
}

/// Cuts a store to each of `lengths`, from the longest on. Where the header is
/// whole, every other length is for readers and every other for `verify`.
fn cut_for_readers(lengths: Range<u64>) {
    let place = closed_store();
    let file = File::options().write(true).open(place.aggregate()).unwrap();
    for len in lengths.rev() {
        file.set_len(len).unwrap();
        if len < 4200 || len.is_multiple_of(2) {
            let read = Reader::open(place.store()).map_err(|error| error.to_string());
            let read = read.and_then(|reader| reader.snapshot().map_err(|error| error.to_string()));
            let complaint = read.expect_err("a file that was cut was read");
            assert!(complaint.contains("is damaged"), "{len}: {complaint}");
        }
        if len < 4200 || !len.is_multiple_of(2) {
            match quipu::verify(place.store()) {
                Ok(found) => assert!(!found.is_sound(), "{len}: `verify` missed it"),
                Err(error) => assert!(error.is_damage(), "{len}: {error}"),
            }
        }
    }
}

#[test]
fn f11_a_store_cut_at_every_length() {
    let len = fs::metadata(closed_store().aggregate()).unwrap().len();
    let half = thread::spawn(move || cut_for_readers(0..len / 2));
    cut_for_readers(len / 2..len);
    half.join().unwrap();
}

/// Some lengths less than `len`: those next to where a part begins, and others.
fn some_lengths(len: usize) -> Vec<usize> {
    let parts = [8, 24, 256, 512, 1600, 2688, 4096, 8192, 69_632, len];
    let beside = parts.iter().flat_map(|at| [at - 1, *at, at + 1]);
    let others = (0..512).step_by(61).chain((512..len).step_by(11_111));
    let mut lengths: Vec<_> = beside.chain(others).filter(|it| *it < len).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

/// The writer's side of a store that was cut is in set_aside.rs; here it also
/// has a checkpoint, which was cut too.
#[test]
fn f11_a_checkpoint_that_was_cut() {
    let place = closed_store();
    let path = place.store().join("checkpoint");
    let [aggregate, whole] = [&place.aggregate(), &path].map(|path| fs::read(path).unwrap());
    for len in some_lengths(whole.len()) {
        for is_damaged in [false, true] {
            let live = match is_damaged {
                true => b"no store",
                false => &aggregate[..],
            };
            fs::write(place.aggregate(), live).unwrap();
            fs::write(&path, &whole[..len]).unwrap();
            let builder = place.builder().durability(Durability::Checkpoint(PATIENCE));
            let recorder = builder.open(place.store()).unwrap();
            let expected = if is_damaged { 0 } else { 5 };
            assert_eq!(
                check_one_two(&recorder.snapshot()),
                expected,
                "cut at {len}"
            );
            let usage = one_two(&recorder, "m", "t");
            recorder.record(usage).unwrap();
            let stats = recorder.close(PATIENCE).unwrap();
            assert_eq!(stats.committed, expected + 1, "cut at {len}");

            // The old bytes are beside the new checkpoint, which is whole.
            let mut aside = 0;
            for name in common::files_in(&place.store()) {
                let found = place.store().join(&name);
                if name.starts_with("checkpoint.") {
                    assert_eq!(fs::read(&found).unwrap(), whole[..len], "cut at {len}");
                    aside += 1;
                }
                if name.matches('.').count() > 0 {
                    fs::remove_file(found).unwrap();
                }
            }
            assert_eq!(aside, 1, "cut at {len}, damaged: {is_damaged}");
            fs::remove_file(place.aggregate()).unwrap();
            let total = place.open().snapshot().total().requests;
            assert_eq!(total, expected + 1, "cut at {len}");
        }
    }
}

#[test]
fn f11_a_ring_cut_at_every_length() {
    let kept = Kept::new();
    let place = &kept.place;
    for len in (0..kept.ring.len()).rev() {
        let file = File::options().write(true).open(kept.ring_path());
        match file {
            Ok(file) if !len.is_multiple_of(97) => file.set_len(len as u64).unwrap(),
            _ => {
                kept.put_back();
                fs::write(kept.ring_path(), &kept.ring[..len]).unwrap();
            }
        }
        let reader = Reader::open(place.store()).unwrap();
        assert_eq!(
            check_one_two(&reader.snapshot().unwrap()),
            4,
            "cut at {len}"
        );
        assert_eq!(reader.stats().unwrap().in_ring, 0, "cut at {len}");
        if !len.is_multiple_of(97) {
            continue;
        }
        let recorder = place.open();
        assert_eq!(check_one_two(&recorder.snapshot()), 4, "cut at {len}");
        assert_eq!(recorder.stats().rings_lost, 1, "cut at {len}");
        let [aside] = recorder.set_aside() else {
            panic!("cut at {len}: {recorder:?}");
        };
        assert_eq!(aside.original, kept.ring_path());
        assert_eq!(fs::read(&aside.path).unwrap(), kept.ring[..len]);
        drop(recorder);
        kept.put_back();
    }
    kept.put_back();
    assert_eq!(check_one_two(&place.open().snapshot()), 7);
}

/// What is mapped and gone from the file must not be touched.
#[test]
fn f11_a_store_that_is_cut_while_it_is_read() {
    for len in some_lengths(204_800) {
        let place = closed_store();
        let reader = Reader::open(place.store()).unwrap();
        assert_eq!(check_one_two(&reader.snapshot().unwrap()), 5);
        let file = File::options().write(true).open(place.aggregate()).unwrap();
        file.set_len(len as u64).unwrap();
        let error = reader.snapshot().unwrap_err().to_string();
        assert!(error.contains("cut it short"), "{len}: {error}");
        assert!(reader.stats().is_err() && reader.status().is_err());
    }
}
