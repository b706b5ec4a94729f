//! Stores of format version 1 that were written once and are kept: whatever
//! becomes of the code, it reads them, goes on with them, and counts the same.
//!
//! `tests/golden/` has each file compressed, and as a text what it counts. A
//! new kind of store gets new files; those that are there are never written
//! again: `cargo test --test golden write -- --ignored` only adds what is
//! missing.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::by_the_page::Store;
use common::counts::Counts;
use common::image::{COMMITTED, Image, NAME_COUNT, block};
use common::{PATIENCE, Place, at};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use quipu::{
    Bucket, Builder, Durability, OTHER, Outcome, Reader, Recorder, TokenKind, UsageRecord, Writer,
};

/// Where the ring of a killed writer is looked for.
const SHARED_MEMORY: &str = "/dev/shm";

fn golden(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    tests.join(name)
}

/// A golden file's bytes.
fn bytes_of(name: &str) -> Vec<u8> {
    let file = File::open(golden(&format!("{name}.gz"))).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes
}

fn image_of(name: &str) -> Image {
    Image {
        bytes: bytes_of(name),
    }
}

/// What a golden file must count.
fn expected(name: &str) -> String {
    fs::read_to_string(golden(&format!("{name}.txt"))).unwrap()
}

/// A place whose store has a golden file under the name `file`.
fn with(name: &str, file: &str) -> Place {
    let place = Place::new();
    fs::create_dir(place.store()).unwrap();
    image_of(name).write(&place.store().join(file));
    place
}

/// Sound to readers, to `verify` and to the page.
fn check(place: &Place, name: &str) {
    let expected = expected(name);
    let by_the_page = Store::read(image_of(name));
    assert_eq!(by_the_page.counts.to_string(), expected, "{name}");
    let reader = Reader::open(place.store()).unwrap();
    let counts = Counts::of(&reader.snapshot().unwrap());
    assert_eq!(counts.to_string(), expected, "{name}");
    let found = quipu::verify(place.store()).unwrap();
    assert!(found.is_sound(), "{name}: {:?}", found.problems);
    assert_eq!(found.records, counts.requests(), "{name}");
    let image = image_of(name);
    let expected = (image.sealed(COMMITTED), image.block(block::ROWS));
    assert_eq!((found.generation, found.rows), expected, "{name}");
    assert_eq!(found.names, image.sealed(NAME_COUNT), "{name}");
}

/// A writer counts the same, and goes on.
fn check_writer(place: &Place, expected: &str) {
    let recorder = place.builder().open(place.store()).unwrap();
    assert!(recorder.set_aside().is_empty());
    let counts = Counts::of(&recorder.snapshot());
    assert_eq!(counts.to_string(), expected);
    let model = recorder.model("golden", "new").unwrap();
    let usage = UsageRecord::new(model).at(at(1_800_000_000));
    assert_eq!(recorder.record_batch(&[usage; 7]), 7);
    let committed = recorder.close(PATIENCE).unwrap().committed;
    assert_eq!(committed, counts.requests() + 7);
    assert!(quipu::verify(place.store()).unwrap().is_sound());
    let reader = Reader::open(place.store()).unwrap();
    let total = reader.snapshot().unwrap().total();
    assert_eq!(total.requests, counts.requests() + 7);
}

#[test]
fn closed_stores() {
    for name in ["days", "hours"] {
        let place = with(name, "aggregate");
        check(&place, name);
        let status = Reader::open(place.store()).unwrap().status().unwrap();
        assert!(status.clean, "{name}");
        check_writer(&place, &expected(name));
    }
}

#[test]
fn a_checkpoint_takes_the_place_of_a_store() {
    let place = with("checkpoint", "aggregate");
    check(&place, "checkpoint");
    let place = with("checkpoint", "checkpoint");
    check_writer(&place, &expected("checkpoint"));
}

/// Removes a file when the test is over.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn the_ring_of_a_killed_writer() {
    let place = with("killed", "aggregate");
    check(&place, "killed");
    let mut by_the_page = Store::read(image_of("killed"));
    let inode = fs::metadata(place.aggregate()).unwrap().ino();
    assert_eq!(by_the_page.ring_dir(), SHARED_MEMORY);
    let ring = Path::new(SHARED_MEMORY).join(by_the_page.ring_name(inode));
    if let Err(error) = fs::write(&ring, bytes_of("killed.ring")) {
        eprintln!("skipped: no shared memory: {error}");
        return;
    }
    let ring = Removed(ring);
    let reader = Reader::open(place.store()).unwrap();
    let (stats, status) = (reader.stats().unwrap(), reader.status().unwrap());
    assert_eq!((status.writer, status.clean), (Writer::Gone, false));
    assert_eq!((stats.committed, stats.in_ring), (10, 16));

    by_the_page.recover(bytes_of("killed.ring"));
    let expected = expected("killed.recovered");
    assert_eq!(by_the_page.counts.to_string(), expected);
    assert_eq!(by_the_page.holes, 1);
    check_writer(&place, &expected);
    assert!(!ring.0.exists());
    let stats = Reader::open(place.store()).unwrap().stats().unwrap();
    let found = (stats.replayed, stats.holes, stats.lost, stats.rings_lost);
    assert_eq!(found, (15, 1, 0, 0));
}

// How the files came about.

/// Writes what isn't there.
fn keep(name: &str, bytes: &[u8]) {
    if let Ok(file) = File::create_new(golden(&format!("{name}.gz"))) {
        let mut to = GzEncoder::new(file, Compression::best());
        to.write_all(bytes).unwrap();
        to.finish().unwrap();
    }
}

fn keep_text(name: &str, text: &str) {
    if let Ok(mut file) = File::create_new(golden(&format!("{name}.txt"))) {
        file.write_all(text.as_bytes()).unwrap();
    }
}

/// Keeps the store's file of this name, as that of a system that doesn't say
/// which boot it is.
fn keep_file(place: &Place, file: &str, name: &str) {
    let mut image = Image::read(&place.store().join(file));
    image.set_block(block::BOOT_HIGH, 0);
    image.set_block(block::BOOT_LOW, 0);
    keep(name, &image.bytes);
}

fn create(place: &Place, name: &str, fill: impl FnOnce(&Recorder), builder: Builder) {
    let recorder = builder.open(place.store()).unwrap();
    fill(&recorder);
    recorder.flush(PATIENCE).unwrap();
    keep_text(name, &Counts::of(&recorder.snapshot()).to_string());
    recorder.close(PATIENCE).unwrap();
}

fn usage(recorder: &Recorder, model: &str, tenant: &str) -> UsageRecord {
    let usage = UsageRecord::new(recorder.model("provider", model).unwrap());
    match tenant {
        "" => usage,
        tenant => usage.tenant(recorder.tenant(tenant).unwrap()),
    }
}

/// Each field at its limits, and names as they come.
fn fields_and_names(recorder: &Recorder) {
    let day = at(1_709_164_800);
    let record = |usage: UsageRecord| {
        recorder.record_timeout(usage.at(day), PATIENCE).unwrap();
    };
    for outcome in Outcome::ALL {
        record(usage(recorder, "outcomes", outcome.name()).outcome(outcome));
    }
    for kind in TokenKind::ALL {
        for tokens in [0, 1, u64::from(u32::MAX)] {
            record(usage(recorder, "tokens", kind.name()).tokens(kind, tokens));
        }
    }
    record(usage(recorder, "tokens", "too many").tokens(TokenKind::Audio, 1 << 40));
    recorder.flush(PATIENCE).unwrap();
    for cost in [0, 1, u64::MAX] {
        record(usage(recorder, "costs", "").cost_nanos(cost));
    }
    record(usage(recorder, "flags", "").streamed(true));
    record(usage(recorder, "flags", "").estimated(true));
    for shift in 0..33 {
        let duration = Duration::from_micros((1 << shift) - 1);
        let usage = usage(recorder, "durations", "t");
        record(usage.latency(duration).time_to_first_token(duration / 3));
    }
    let long = "long ".repeat(50);
    for name in [
        "a,b;c\t|d",
        "\"quoted\" and 'quoted'",
        "two\nlines\r\n",
        "\0\u{1}\u{7f}\u{85}",
        "\\x89\\",
        "=1+1",
        "\u{202e}right to left",
        "数え紐 🪢 e\u{301}",
        " ",
        long.as_str(),
        OTHER,
    ] {
        record(usage(recorder, name, name));
        recorder.flush(PATIENCE).unwrap();
    }
    for moment in [0, 951_827_696, 1_704_067_199, 1_704_067_200, 16_725_225_600] {
        let usage = usage(recorder, "moments", "t");
        recorder.record(usage.at(at(moment))).unwrap();
    }
}

/// More of everything than is kept apart.
fn beyond_the_limits(recorder: &Recorder) {
    for hour in [3, 1, 4, 2, 5, 9, 6, 8, 7] {
        for n in 0..5u64 {
            let usage = usage(recorder, &format!("m{n}"), &format!("t{n}"));
            let usage = usage.at(at(1_700_000_000 + 3600 * hour));
            let usage = usage.tokens(TokenKind::Output, hour * 10 + n);
            let latency = Duration::from_millis(1 << n << hour);
            let usage = usage.latency(latency);
            recorder.record_timeout(usage, PATIENCE).unwrap();
        }
        recorder.flush(PATIENCE).unwrap();
    }
}

#[test]
#[ignore = "writes the golden files that are missing"]
fn write_the_golden_files() {
    fs::create_dir_all(golden("")).unwrap();
    // With the ring in shared memory: no path of this machine is kept.
    let builder = || Recorder::builder().shards(1).shard_capacity(32);
    let place = Place::new();
    create(&place, "days", fields_and_names, builder());
    keep_file(&place, "aggregate", "days");

    let place = Place::new();
    let hours = builder().bucket(Bucket::Hour).max_rows(40);
    let hours = hours.buckets_kept(3).max_models(3).max_tenants(2);
    create(&place, "hours", beyond_the_limits, hours);
    keep_file(&place, "aggregate", "hours");

    let place = Place::new();
    let durability = Durability::Checkpoint(PATIENCE);
    let checkpoints = builder().durability(durability);
    create(&place, "checkpoint", beyond_the_limits, checkpoints);
    keep_file(&place, "checkpoint", "checkpoint");

    write_a_killed_writer(builder());
}

/// Ten records that are committed, and fifteen that aren't; and a slot that
/// was claimed and never filled.
fn write_a_killed_writer(builder: Builder) {
    let place = Place::new();
    let builder = builder.flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(place.store()).unwrap();
    let record = |n: u64| {
        let usage = usage(&recorder, &format!("m{}", n % 3), "t");
        let usage = usage.at(at(1_700_000_000 + n * 9000));
        let usage = usage.tokens(TokenKind::ALL[n as usize % 6], n);
        let usage = usage.cost_nanos(n).outcome(Outcome::ALL[n as usize % 8]);
        let usage = usage.latency(Duration::from_micros(n << n));
        recorder.record(usage).unwrap();
    };
    (0..10).for_each(record);
    recorder.flush(PATIENCE).unwrap();
    keep_text("killed", &Counts::of(&recorder.snapshot()).to_string());
    (10..25).for_each(record);
    keep_file(&place, "aggregate", "killed");
    let store = Store::read(Image::read(&place.aggregate()));
    let inode = fs::metadata(place.aggregate()).unwrap().ino();
    let ring = Path::new(store.ring_dir()).join(store.ring_name(inode));
    let mut ring = Image::read(&ring);
    assert_eq!(ring.word(4096), 25, "the tail");
    ring.set(4096, 26);
    keep("killed.ring", &ring.bytes);
    recorder.flush(PATIENCE).unwrap();
    let recovered = Counts::of(&recorder.snapshot()).to_string();
    keep_text("killed.recovered", &recovered);
}
