//! `verify` beside a writer: a problem must last to be one.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod seam;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::image::{Image, ROW_WORDS};
use common::sums::one_two;
use common::{PATIENCE, Place};
use quipu::Recorder;
use quipu::fault::Verdict;
use seam::Seam;

/// A writer that has committed and has nothing to do; its file; and where a
/// byte of the first row is, with the byte.
fn writer(place: &Place) -> (Recorder, Arc<File>, u64, u8) {
    let builder = place.builder().flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(place.store()).unwrap();
    recorder.record(one_two(&recorder, "m", "t")).unwrap();
    recorder.flush(PATIENCE).unwrap();
    let image = Image::read(&place.aggregate());
    let at = image.in_force(image.row(0), ROW_WORDS).unwrap() + 100;
    let file = File::options().write(true).open(place.aggregate()).unwrap();
    (recorder, Arc::new(file), at as u64, image.bytes[at])
}

fn flip(file: &File, at: u64, byte: u8) {
    file.write_all_at(&[!byte], at).unwrap();
}

#[test]
fn what_is_damaged_beside_a_writer_is_said() {
    let _alone = Seam::take();
    let place = Place::new();
    let (recorder, file, at, byte) = writer(&place);
    flip(&file, at, byte);
    let found = quipu::verify(place.store()).unwrap();
    assert_eq!(found.problems[0].place, "row 0", "{:?}", found.problems);
    drop(recorder);
}

#[test]
fn a_problem_that_is_gone_at_the_next_look_is_none() {
    let seam = Seam::take();
    let place = Place::new();
    let (recorder, file, at, byte) = writer(&place);
    for (last, is_sound) in [(2, true), (9, true), (10, true), (11, false)] {
        flip(&file, at, byte);
        let (aggregate, file) = (place.aggregate(), Arc::clone(&file));
        let looks = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&looks);
        seam.on_calls(move |call| {
            let is_look = call.name == "open" && call.path == aggregate;
            if is_look && count.fetch_add(1, Ordering::SeqCst) + 1 == last {
                file.write_all_at(&[byte], at).unwrap();
            }
            Verdict::Go
        });
        let found = quipu::verify(place.store()).unwrap();
        seam.clear();
        assert_eq!(found.is_sound(), is_sound, "{:?}", found.problems);
        assert_eq!(looks.load(Ordering::SeqCst), last.min(10));
    }
    drop(recorder);
}

/// Commits that come after `verify` has looked which is the last one. A row has
/// two versions, so one is no matter; after two there is none of it any more.
#[test]
fn commits_in_between_are_no_problem_and_need_no_second_look() {
    let seam = Seam::take();
    for (commits, seen) in [(1, 1), (2, 3)] {
        let place = Place::new();
        let (recorder, ..) = writer(&place);
        let before = recorder.stats().generation;
        let usage = one_two(&recorder, "m", "t");
        let (aggregate, writer) = (place.aggregate(), recorder.clone());
        let (opens, maps) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
        let count = Arc::clone(&opens);
        seam.on_calls(move |call| {
            if call.path == aggregate && call.name == "open" {
                count.fetch_add(1, Ordering::SeqCst);
            }
            // The header is mapped first, the rows when the commit is known.
            let is_map = call.path == aggregate && call.name == "map";
            if is_map && maps.fetch_add(1, Ordering::SeqCst) == 1 {
                for _ in 0..commits {
                    writer.record(usage).unwrap();
                    writer.flush(PATIENCE).unwrap();
                }
            }
            Verdict::Go
        });
        let found = quipu::verify(place.store()).unwrap();
        seam.clear();
        assert!(found.is_sound(), "{:?}", found.problems);
        assert_eq!((found.generation, found.records), (before + seen - 1, seen));
        assert_eq!(opens.load(Ordering::SeqCst), 1, "looks");
        drop(recorder);
    }
}
