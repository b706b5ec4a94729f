//! Stores of other versions, of other features and of machines with the other
//! byte order: refused untouched, or read and kept as they are.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs;
use std::path::Path;

use common::image::{Image, checksum};
use common::sums::{self, one_two};
use common::{PATIENCE, Place, leftovers};
use quipu::{Durability, OpenError, Reader};

const BYTE_ORDER: usize = 1;
const VERSION: usize = 2;
const COMPATIBLE: usize = 3;
const INCOMPATIBLE: usize = 4;
/// A word that version 1.0 doesn't use.
const UNUSED: usize = 20;
const CHECKSUM: usize = 31;

/// A closed store with three records.
fn closed_store() -> Place {
    let place = Place::new();
    let recorder = place.open();
    let usage = one_two(&recorder, "m", "t");
    assert_eq!(recorder.record_batch(&[usage; 3]), 3);
    recorder.close(PATIENCE).unwrap();
    place
}

/// Writer, reader and `verify` each say that they can't, and touch nothing.
fn assert_refused(place: &Place, complaint: &str) {
    let before = place.contents();
    let errors = [
        place.builder().open(place.store()).unwrap_err(),
        Reader::open(place.store()).unwrap_err(),
        quipu::verify(place.store()).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, OpenError::Incompatible { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(complaint), "{text:?} without {complaint:?}");
        assert!(text.contains("nothing was changed"), "{text:?}");
    }
    assert!(place.contents() == before, "{complaint}: touched");
}

/// What a version that nobody knows yet might have in a file: only the first
/// three words are for ever.
fn newer_major() -> [Vec<u8>; 4] {
    let mut same = Image::read(&closed_store().aggregate());
    same.set_identity(VERSION, 2 << 32);
    let mut other_sum = same.clone();
    other_sum.set(8 * CHECKSUM, checksum(7, b"made otherwise"));
    let mut other_layout = same.clone();
    for at in (24..other_layout.bytes.len()).step_by(8) {
        other_layout.set(at, checksum(at as u64, b"something else"));
    }
    let mut short = other_layout.clone();
    short.bytes.truncate(24);
    [same, other_sum, other_layout, short].map(|image| image.bytes)
}

#[test]
fn f15_a_newer_major_is_refused_untouched() {
    for bytes in newer_major() {
        let place = closed_store();
        fs::write(place.aggregate(), bytes).unwrap();
        assert_refused(&place, "it has format version 2");
    }
}

#[test]
fn f15_a_checkpoint_of_a_newer_major_is_refused_untouched() {
    for bytes in newer_major() {
        for damage in [false, true] {
            let place = closed_store();
            fs::write(place.store().join("checkpoint"), &bytes).unwrap();
            if damage {
                fs::write(place.aggregate(), "no store").unwrap();
            }
            let before = place.contents();
            let durability = Durability::Checkpoint(PATIENCE);
            for builder in [place.builder(), place.builder().durability(durability)] {
                let error = builder.open(place.store()).unwrap_err();
                assert!(matches!(error, OpenError::Incompatible { .. }), "{error}");
                assert!(error.to_string().contains("checkpoint"), "{error}");
            }
            assert!(place.contents() == before, "touched; damaged: {damage}");
        }
    }
}

#[test]
fn f15_unknown_incompatible_bits_are_refused_untouched() {
    let place = closed_store();
    let sound = Image::read(&place.aggregate());
    for bit in 0..64 {
        let mut image = sound.clone();
        image.set_identity(INCOMPATIBLE, 1 << bit);
        image.write(&place.aggregate());
        assert_refused(&place, &format!("features {:#x} ", 1u64 << bit));
    }
}

/// Opened, read and written on; and what is not understood stays in the file,
/// also in a checkpoint and in what is restored from one.
#[test]
fn f15_a_newer_minor_and_unknown_compatible_bits_are_kept() {
    let additions: [&[(usize, u64)]; 3] = [
        &[(VERSION, 1 << 32 | 7)],
        &[(COMPATIBLE, 1 << 63 | 5)],
        &[
            (VERSION, (2 << 32) - 1),
            (COMPATIBLE, u64::MAX),
            (UNUSED, 9),
        ],
    ];
    for words in additions {
        let place = closed_store();
        let checkpoint = place.store().join("checkpoint");
        let mut image = Image::read(&place.aggregate());
        for (word, value) in words {
            image.set_identity(*word, *value);
        }
        image.write(&place.aggregate());
        let assert_kept = |path: &Path| {
            let identity = Image::read(path).bytes[..256].to_vec();
            assert!(identity == image.bytes[..256], "{words:?}");
        };
        let reader = Reader::open(place.store()).unwrap();
        assert_eq!(sums::check_one_two(&reader.snapshot().unwrap()), 3);
        assert!(quipu::verify(place.store()).unwrap().is_sound());

        for (records, is_damaged) in [(8, false), (13, true), (18, false)] {
            if is_damaged {
                fs::write(place.aggregate(), "no store").unwrap();
            }
            let builder = place.builder().durability(Durability::Checkpoint(PATIENCE));
            let recorder = builder.open(place.store()).unwrap();
            assert_eq!(recorder.set_aside().len(), usize::from(is_damaged));
            let usage = one_two(&recorder, "m", "t");
            assert_eq!(recorder.record_batch(&[usage; 5]), 5);
            recorder.close(PATIENCE).unwrap();
            assert_kept(&place.aggregate());
            assert_kept(&checkpoint);
            let reader = Reader::open(place.store()).unwrap();
            assert_eq!(sums::check_one_two(&reader.snapshot().unwrap()), records);
        }
    }
}

#[test]
fn f15_the_ring_of_a_newer_minor_is_replayed() {
    let place = Place::new();
    leftovers::leave(&place);
    let name = &common::files_in(&place.ring_dir())[0];
    let ring = place.ring_dir().join(name);
    let mut image = Image::read(&ring);
    // A ring's header has its version and its checksum in the same places.
    image.set_identity(VERSION, 1 << 32 | 7);
    image.write(&ring);
    assert_eq!(sums::check_one_two(&place.open().snapshot()), 50);
}

#[test]
fn f16_the_other_byte_order() {
    let place = closed_store();
    let mut all = Image::read(&place.aggregate());
    for at in (0..all.bytes.len()).step_by(8) {
        all.set(at, all.word(at).swap_bytes());
    }
    let mut all_but_the_magic = all.clone();
    all_but_the_magic.set(0, all.word(0).swap_bytes());
    let mut only_the_mark = Image::read(&place.aggregate());
    let swapped = only_the_mark.word(8 * BYTE_ORDER).swap_bytes();
    only_the_mark.set_identity(BYTE_ORDER, swapped);
    for image in [all, all_but_the_magic, only_the_mark] {
        image.write(&place.aggregate());
        assert_refused(&place, "wrong byte order");
    }
}

#[test]
#[ignore = "a child of another test"]
fn child_leaves_records() {
    leftovers::child();
}
