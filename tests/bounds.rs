//! Huge lengths and counts whose checksums are right: an error or the same
//! totals, no huge allocation, no panic.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs::{self, File};
use std::path::Path;

use common::image::{EXTENT_COUNT, EXTENT_HEADER, Image, NAME_COUNT, block, checksum};
use common::leftovers::Kept;
use common::{Place, child};
use quipu::Reader;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the words become: next to what they hold, at the ends of their types,
/// and at the limits of the format.
const HUGE: [u64; 12] = [
    65,
    1 << 16,
    (1 << 22) + 1,
    1 << 26,
    u32::MAX as u64,
    1 << 32,
    (1 << 40) + 8,
    (1 << 47) - 1,
    (1 << 48) - 1,
    1 << 63,
    u64::MAX - 7,
    u64::MAX,
];

/// How much address space a child may take beyond what it has.
const ROOM: u64 = 512 << 20;

/// Runs the ignored test `entry` with little memory. It must end well.
fn with_little_memory(entry: &str) {
    let place = Place::new();
    child::start(entry, place.path(), "").finish();
}

/// In the child: `false` where nobody started this as a child.
fn limit_memory() -> bool {
    if child::assignment().is_none() {
        return false;
    }
    let status = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = status.split(' ').next().unwrap().parse().unwrap_or(0);
    let limit = Rlimit {
        current: Some(pages * 4096 + ROOM),
        maximum: getrlimit(Resource::As).maximum,
    };
    setrlimit(Resource::As, limit).unwrap();
    true
}

/// Reader, `verify` and writer meet the image; each may say what it can't do.
fn meet(kept: &Kept, image: &Image, what: &str) {
    let place = &kept.place;
    image.write(&place.aggregate());
    let sound = |total: u64| assert!([0, 3, 4, 7].contains(&total), "{what}: {total} records");
    if let Ok(reader) = Reader::open(place.store()) {
        if let Ok(snapshot) = reader.snapshot() {
            sound(snapshot.total().requests);
            let _ = (snapshot.by_day(), snapshot.rows().len());
        }
        let _ = (reader.stats(), reader.status());
    }
    if let Ok(found) = quipu::verify(place.store()) {
        let _ = found.is_sound();
    }
    match place.builder().open(place.store()) {
        Ok(recorder) => {
            sound(recorder.snapshot().total().requests);
            let restarts = recorder.stats().restarts;
            let model = recorder.model("a new one", "m").unwrap();
            recorder.record(quipu::UsageRecord::new(model)).unwrap();
            recorder.flush(common::PATIENCE).unwrap();
            let panics = recorder.stats().restarts - restarts;
            assert_eq!(panics, 0, "{what}: the consumer panicked");
            let committed = recorder.close(common::PATIENCE).unwrap().committed;
            let reader = Reader::open(place.store()).unwrap();
            let total = reader.snapshot().unwrap().total().requests;
            assert_eq!(total, committed, "{what}: written and read again");
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(place.store().to_str().unwrap()), "{text}");
        }
    }
    kept.put_back();
}

fn each(change: impl Fn(&mut Image, u64), what: &str) {
    let kept = Kept::new();
    for value in HUGE {
        let mut image = Image {
            bytes: kept.aggregate.clone(),
        };
        change(&mut image, value);
        meet(&kept, &image, &format!("{what} {value:#x}"));
    }
}

#[test]
fn f17_counts_in_live_words_and_the_generation() {
    with_little_memory("child_live_words");
}

#[test]
#[ignore = "a child of another test"]
fn child_live_words() {
    if !limit_memory() {
        return;
    }
    const SEALED: u64 = (1 << 48) - 1;
    each(
        |image, value| image.set_sealed(EXTENT_COUNT, value & SEALED),
        "extents",
    );
    each(
        |image, value| image.set_sealed(NAME_COUNT, value & SEALED),
        "names",
    );
    each(
        |image, value| image.set_generation(value & SEALED),
        "generation",
    );
}

#[test]
fn f17_every_word_of_the_commit_block() {
    with_little_memory("child_commit_block");
}

#[test]
#[ignore = "a child of another test"]
fn child_commit_block() {
    if !limit_memory() {
        return;
    }
    for word in (0..32).chain([block::POSITIONS, 133]) {
        each(
            |image, value| image.set_block(word, value),
            &format!("word {word}"),
        );
    }
}

#[test]
fn f17_lengths_and_ordinals_of_extents() {
    with_little_memory("child_extents");
}

#[test]
#[ignore = "a child of another test"]
fn child_extents() {
    if !limit_memory() {
        return;
    }
    for holds_rows in [true, false] {
        for word in 0..7 {
            let change = |image: &mut Image, value| {
                let at = image.first_extent(holds_rows).at;
                image.set_extent(at, word, value);
            };
            each(change, &format!("rows: {holds_rows}, word {word}"));
        }
    }
    // A file that is as long as its extent claims, all holes.
    let kept = Kept::new();
    for bytes in [1u64 << 34, 1 << 40, (1 << 43) - 4096] {
        for holds_rows in [true, false] {
            let mut image = Image {
                bytes: kept.aggregate.clone(),
            };
            let at = image.first_extent(holds_rows).at;
            image.set_extent(at, 2, bytes);
            image.write(&kept.place.aggregate());
            let file = File::options().write(true).open(kept.place.aggregate());
            if let Err(error) = file.unwrap().set_len(at as u64 + bytes) {
                eprintln!("skipped: no file of {bytes} bytes: {error}");
                continue;
            }
            let reader = Reader::open(kept.place.store()).unwrap();
            let error = reader.snapshot().unwrap_err().to_string();
            assert!(error.contains("is damaged"), "{error}");
            assert!(!quipu::verify(kept.place.store()).unwrap().is_sound());
            let recorder = kept.place.open();
            assert_eq!(recorder.set_aside().len(), 1, "{bytes}");
            drop(recorder);
            kept.put_back();
        }
    }
}

#[test]
fn f17_rows_and_names() {
    with_little_memory("child_rows_and_names");
}

#[test]
#[ignore = "a child of another test"]
fn child_rows_and_names() {
    if !limit_memory() {
        return;
    }
    // Counters at their limits are nobody's error; they must do no harm.
    let kept = Kept::new();
    for (word, value) in (0..30).flat_map(|word| HUGE.map(|value| (word, value))) {
        let mut image = Image {
            bytes: kept.aggregate.clone(),
        };
        image.set_row(0, word, value);
        image.write(&kept.place.aggregate());
        let reader = Reader::open(kept.place.store()).unwrap();
        let _ = reader.snapshot().map(|it| (it.total(), it.rows()));
        let _ = quipu::verify(kept.place.store());
        let _ = kept.place.builder().open(kept.place.store());
        kept.put_back();
    }
    let sound = Image {
        bytes: kept.aggregate.clone(),
    };
    let mut at = sound.first_extent(false).at + EXTENT_HEADER;
    for number in 0..sound.sealed(NAME_COUNT) {
        // Length, provider and id, each at its limits.
        for (offset, shift, bits) in [(0, 8, 16), (0, 24, 16), (8, 0, 32)] {
            for value in [4, 255, 32_769, 65_000, u64::MAX >> (64 - bits)] {
                let mut image = sound.clone();
                let mask = u64::MAX >> (64 - bits) << shift;
                let word = image.word(at + offset) & !mask | value << shift & mask;
                image.set(at + offset, word);
                image.reseal_name(at);
                meet(&kept, &image, &format!("name {number}, {shift}, {value}"));
            }
        }
        at += 16 + ((sound.word(at) >> 8 & 0xffff) as usize).next_multiple_of(8);
    }
}

#[test]
fn f17_the_geometry_of_a_ring() {
    with_little_memory("child_geometry");
}

#[test]
#[ignore = "a child of another test"]
fn child_geometry() {
    if !limit_memory() {
        return;
    }
    let kept = Kept::new();
    for word in 5..8 {
        for value in HUGE.into_iter().chain([0, 2, 3, 64, 1 << 22]) {
            let mut ring = Image {
                bytes: kept.ring.clone(),
            };
            ring.set(8 * word, value);
            let sum = checksum(0, &ring.bytes[..248]);
            ring.set(248, sum);
            assert_unfit(&kept, &ring, &format!("word {word}: {value:#x}"));
        }
    }
    // Positions that no claim can have left.
    for at in [4096, 4096 + 128] {
        for value in HUGE {
            let mut ring = Image {
                bytes: kept.ring.clone(),
            };
            ring.set(at, value);
            ring.write(&kept.ring_path());
            let stats = kept.place.open().stats();
            let found = (stats.committed, stats.holes, stats.lost);
            // A tail before the commit is that of an older copy.
            let all = if stats.rings_lost == 0 { 7 } else { 4 };
            assert_eq!(found, (all, 0, 0), "{at}: {value:#x}");
            assert!(stats.rings_lost == 0 || at == 4096, "{at}: {value:#x}");
            kept.put_back();
        }
    }
}

fn assert_unfit(kept: &Kept, ring: &Image, what: &str) {
    let path: &Path = &kept.ring_path();
    ring.write(path);
    let reader = Reader::open(kept.place.store()).unwrap();
    assert_eq!(reader.stats().unwrap().in_ring, 0, "{what}");
    let recorder = kept.place.open();
    assert_eq!(recorder.snapshot().total().requests, 4, "{what}");
    assert_eq!(recorder.stats().rings_lost, 1, "{what}");
    assert_eq!(recorder.set_aside()[0].original, path, "{what}");
    drop(recorder);
    kept.put_back();
}
