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

#[test]
fn an_open_that_fails_leaves_nothing_behind() {
    let place = Place::new();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    // No ring can be created in any of these.
    for dir in ["/proc", file.to_str().unwrap(), "/nonexistent"] {
        let error = place.builder().ring_dir(dir).open(place.store());
        assert!(
            matches!(error, Err(OpenError::Io { .. })),
            "{dir}: {error:?}"
        );
        assert!(!place.store().exists(), "{dir}");
    }
    // What was there before stays.
    fs::create_dir(place.store()).unwrap();
    fs::write(place.store().join("notes.txt"), "mine").unwrap();
    place
        .builder()
        .ring_dir("/proc")
        .open(place.store())
        .unwrap_err();
    assert_eq!(common::files_in(&place.store()), ["notes.txt"]);
    place.open().close(PATIENCE).unwrap();
    place
        .builder()
        .ring_dir("/proc")
        .open(place.store())
        .unwrap_err();
    assert_eq!(
        common::files_in(&place.store()),
        ["aggregate", "lock", "notes.txt"]
    );
    assert!(quipu::verify(place.store()).unwrap().is_sound());
}
