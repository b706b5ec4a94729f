//! What is no store is refused untouched (I11).

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::{PATIENCE, Place};
use quipu::{OpenError, Reader, UsageRecord};

/// A closed store with one record.
fn closed_store() -> Place {
    let place = Place::new();
    let recorder = place.open();
    let model = recorder.model("openai", "gpt-4o").unwrap();
    recorder.record(UsageRecord::new(model)).unwrap();
    recorder.close(PATIENCE).unwrap();
    place
}

/// Writer, reader and `verify` each say that they can't; `complaint` is part
/// of what they say.
fn assert_refused(place: &Place, complaint: &str) {
    let errors = [
        place.builder().open(place.store()).unwrap_err(),
        Reader::open(place.store()).unwrap_err(),
        quipu::verify(place.store()).unwrap_err(),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(text.contains(complaint), "{text:?} without {complaint:?}");
    }
}

#[test]
fn bytes_that_are_no_store_stay_as_they_are() {
    let random: Vec<u8> = (0..9000u32).map(|n| ((n * n) >> 3) as u8).collect();
    for bytes in [vec![], vec![0; 10], vec![0; 8192], random] {
        let place = Place::new();
        fs::create_dir(place.store()).unwrap();
        fs::write(place.aggregate(), &bytes).unwrap();
        assert_refused(&place, "nothing was changed");
        assert_eq!(fs::read(place.aggregate()).unwrap(), bytes);
    }
}

#[test]
fn a_store_cut_at_any_length_is_refused() {
    let place = closed_store();
    let whole = fs::read(place.aggregate()).unwrap();
    let cuts = (0..4096)
        .step_by(97)
        .chain((4096..whole.len()).step_by(4999));
    for len in cuts {
        fs::write(place.aggregate(), &whole[..len]).unwrap();
        assert_refused_or_unsound(&place, len);
        assert_eq!(
            fs::read(place.aggregate()).unwrap(),
            whole[..len],
            "cut at {len}"
        );
    }
}

fn assert_refused_or_unsound(place: &Place, len: usize) {
    let error = place.builder().open(place.store()).unwrap_err();
    assert!(error.is_damage(), "cut at {len}: {error}");
    let read = Reader::open(place.store()).map_err(|error| error.to_string());
    let read = read.and_then(|reader| reader.snapshot().map_err(|error| error.to_string()));
    assert!(read.is_err(), "cut at {len}");
    let verified = quipu::verify(place.store());
    assert!(
        verified.is_err() || !verified.unwrap().is_sound(),
        "cut at {len}"
    );
}

/// What the refusal says, and how to put the thing there.
type Put<'a> = (&'a str, &'a dyn Fn(&Path));

#[test]
fn something_else_in_place_of_the_file_is_refused() {
    let other = closed_store();
    let put: [Put<'_>; 5] = [
        ("symbolic link", &|at| {
            symlink(other.aggregate(), at).unwrap();
        }),
        ("symbolic link", &|at| symlink("nowhere", at).unwrap()),
        ("directory", &|at| fs::create_dir(at).unwrap()),
        ("hard link", &|at| {
            fs::hard_link(other.aggregate(), at).unwrap();
        }),
        ("FIFO", &|at| {
            let mode = rustix::fs::Mode::from_raw_mode(0o600);
            rustix::fs::mknodat(rustix::fs::CWD, at, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        }),
    ];
    for (complaint, put) in put {
        let place = Place::new();
        fs::create_dir(place.store()).unwrap();
        put(&place.aggregate());
        assert_refused(&place, complaint);
        assert!(fs::symlink_metadata(place.aggregate()).is_ok());
        fs::remove_file(place.aggregate())
            .or_else(|_| fs::remove_dir(place.aggregate()))
            .unwrap();
    }
    assert!(quipu::verify(other.store()).unwrap().is_sound());
}

#[test]
fn a_store_that_is_not_there_or_is_a_file() {
    let place = Place::new();
    assert!(Reader::open(place.store()).unwrap_err().is_not_found());
    fs::write(place.store(), "something").unwrap();
    assert!(matches!(
        place.builder().open(place.store()),
        Err(OpenError::NotAStore { .. })
    ));
    assert_eq!(fs::read(place.store()).unwrap(), b"something");
    let deep = place.path().join("a/b/c");
    assert!(place.builder().open(deep).unwrap_err().is_not_found());
    assert!(!place.path().join("a").exists());
}

#[test]
fn files_of_others_in_the_directory_are_left_alone() {
    let place = Place::new();
    fs::create_dir(place.store()).unwrap();
    let mine = place.store().join("notes.txt");
    fs::write(&mine, "mine").unwrap();
    place.open().close(PATIENCE).unwrap();
    assert_eq!(fs::read(mine).unwrap(), b"mine");
}
