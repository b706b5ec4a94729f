//! docs/file-format.md says all that it takes to read a store: a reader that
//! knows nothing else counts what the library counts.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use common::by_the_page::Store;
use common::counts::Counts;
use common::image::{Image, LIVE};
use common::{PATIENCE, Place, at};
use quipu::{Bucket, Outcome, Reader, Recorder, Snapshot, TokenKind, UsageRecord};

/// The `n`-th of records that differ in every field.
fn varied(recorder: &Recorder, n: u64) -> UsageRecord {
    let model = format!("m{}", n % 5);
    let mut usage = UsageRecord::new(recorder.model("p", &model).unwrap())
        .tenant(recorder.tenant(&format!("tenant {}", n % 300)).unwrap())
        .at(at(1_700_000_000 + n * 700))
        .outcome(Outcome::ALL[n as usize % 8])
        .streamed(n.is_multiple_of(2))
        .estimated(n.is_multiple_of(3));
    for (bit, kind) in TokenKind::ALL.into_iter().enumerate() {
        if n >> bit & 1 == 1 {
            usage = usage.tokens(kind, n * n * (bit as u64 + 1));
        }
    }
    if n % 7 > 1 {
        usage = usage
            .cost_nanos(n << (n % 64))
            .latency(Duration::from_micros(n * n));
    }
    if n % 11 > 1 {
        usage = usage.time_to_first_token(Duration::from_micros(n << (n % 40)));
    }
    usage
}

fn check(store: &Store, snapshot: &Snapshot) {
    let counts = Counts::of(snapshot);
    assert_eq!(store.counts.to_string(), counts.to_string());
    assert_eq!(store.counts, counts);
}

#[test]
fn a_reader_made_from_the_page_counts_the_same() {
    for bucket in [Bucket::Day, Bucket::Hour] {
        let place = Place::new();
        let builder = place.builder().bucket(bucket).buckets_kept(9);
        let recorder = builder.open(place.store()).unwrap();
        for n in 0..3000 {
            let usage = varied(&recorder, n);
            recorder.record_timeout(usage, PATIENCE).unwrap();
        }
        // So many that the names need a second extent.
        for n in 0..300 {
            recorder.tenant(&format!("{n:0>250}")).unwrap();
        }
        recorder.close(PATIENCE).unwrap();
        let reader = Reader::open(place.store()).unwrap();
        let snapshot = reader.snapshot().unwrap();
        let image = Image::read(&place.aggregate());
        let extents = image.extents();
        assert!(extents.len() > 4, "the file has grown: {extents:?}");
        let store = Store::read(image);
        check(&store, &snapshot);
        assert_eq!(store.counts.requests(), 3000);
    }
}

#[test]
fn a_ring_replayed_by_the_page_counts_the_same() {
    let place = Place::new();
    let builder = place.builder().flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(place.store()).unwrap();
    let record = |numbers: std::ops::Range<u64>| {
        for n in numbers {
            recorder.record(varied(&recorder, n)).unwrap();
        }
    };
    record(0..90);
    recorder.flush(PATIENCE).unwrap();
    record(90..200);
    // What a process that is killed now leaves.
    let mut store = Store::read(Image::read(&place.aggregate()));
    let inode = fs::metadata(place.aggregate()).unwrap().ino();
    let name = store.ring_name(inode);
    assert_eq!(common::files_in(&place.ring_dir()), [name.as_str()]);
    let ring_dir = place.ring_dir().canonicalize().unwrap();
    assert_eq!(store.ring_dir(), ring_dir.to_str().unwrap());
    check(&store, &recorder.snapshot());
    store.recover(fs::read(place.ring_dir().join(name)).unwrap());
    recorder.flush(PATIENCE).unwrap();
    check(&store, &recorder.snapshot());
    assert_eq!((store.counts.requests(), store.holes), (200, 0));
}

#[test]
fn the_live_words_say_who_writes() {
    let place = Place::new();
    let _recorder = place.open();
    let image = Image::read(&place.aggregate());
    assert_eq!(image.word(LIVE + 8 * 25), u64::from(std::process::id()));
    assert_ne!(image.word(LIVE + 8 * 24), 0, "the heartbeat");
}
