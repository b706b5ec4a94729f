//! One bit flipped anywhere: an error that names the part, a problem that
//! `verify` names, or the same totals. Never other totals without a word,
//! never a panic.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use common::image::{
    COMMIT, COMMIT_WORDS, EXTENT_HEADER, Extent, Image, LIVE, NAME_COUNT, ROW, ROW_WORDS, block,
};
use common::leftovers::Kept;
use common::sums::check_one_two;
use common::{PATIENCE, Place};
use quipu::{Reader, RowTotals, TokenKind, UsageRecord};

/// A closed store with both versions of rows in use.
struct Store {
    place: Place,
    image: Image,
    file: File,
    sound: Vec<RowTotals>,
}

/// What readers and `verify` say.
struct Said {
    rows: Result<Vec<RowTotals>, String>,
    /// Nothing where all is well.
    verified: String,
}

impl Store {
    fn new() -> Self {
        let place = Place::new();
        let recorder = place.open();
        for round in 0..3u64 {
            for n in 0..3 {
                let model = recorder.model("openai", &format!("m{n}")).unwrap();
                let tenant = recorder.tenant("acme").unwrap();
                let usage = UsageRecord::new(model)
                    .tenant(tenant)
                    .tokens(TokenKind::Input, 7 + round)
                    .latency(std::time::Duration::from_millis(5))
                    .at(common::at(1_700_000_000));
                recorder.record(usage).unwrap();
            }
            recorder.flush(PATIENCE).unwrap();
        }
        recorder.close(PATIENCE).unwrap();
        let reader = Reader::open(place.store()).unwrap();
        Self {
            sound: reader.snapshot().unwrap().rows(),
            image: Image::read(&place.aggregate()),
            file: File::options().write(true).open(place.aggregate()).unwrap(),
            place,
        }
    }

    /// Flips each bit of `bytes`, one at a time.
    fn flip(&self, bytes: Range<usize>, check: impl Fn(usize, &Said)) {
        for at in bytes {
            for bit in 0..8 {
                let flipped = self.image.bytes[at] ^ 1 << bit;
                self.file.write_all_at(&[flipped], at as u64).unwrap();
                let said = self.ask();
                if let Ok(rows) = &said.rows {
                    assert!(*rows == self.sound, "byte {at}, bit {bit}: other totals");
                }
                if said.rows.is_err() {
                    assert!(!said.verified.is_empty(), "`verify` missed byte {at}");
                }
                check(at, &said);
            }
            self.file
                .write_all_at(&self.image.bytes[at..=at], at as u64)
                .unwrap();
        }
    }

    fn ask(&self) -> Said {
        let reader = Reader::open(self.place.store());
        let rows = reader
            .map_err(|error| error.to_string())
            .and_then(|reader| reader.snapshot().map_err(|error| error.to_string()));
        let verified = match quipu::verify(self.place.store()) {
            Err(error) => error.to_string(),
            Ok(found) => {
                let problems = found.problems.iter().map(|problem| format!("{problem}\n"));
                problems.collect()
            }
        };
        Said {
            rows: rows.map(|snapshot| snapshot.rows()),
            verified,
        }
    }

    /// Flips every bit of one thing's two versions.
    fn flip_versions(&self, at: usize, words: usize, name: &str) {
        let in_force = self.image.in_force(at, words).unwrap();
        for version in [at, at + 8 * words] {
            let end = version + 8 * words;
            if version == in_force {
                self.flip(version..end, |byte, said| said.names(name, byte));
                continue;
            }
            // A version that is not in force has no generation or one above
            // the committed one; its other bits must be right all the same.
            self.flip(version..version + 8, |byte, said| said.is_harmless(byte));
            self.flip(version + 8..end, |byte, said| {
                said.is_harmless(byte);
                let verified = &said.verified;
                assert!(verified.contains(name), "byte {byte}: {verified:?}");
            });
        }
    }
}

impl Said {
    /// Both say what is damaged.
    fn names(&self, part: &str, byte: usize) {
        let complaint = self.rows.as_ref().expect_err("it was read");
        assert!(complaint.contains(part), "byte {byte}: {complaint:?}");
        let verified = &self.verified;
        assert!(verified.contains(part), "byte {byte}: {verified:?}");
    }

    /// The other version is used.
    fn is_harmless(&self, byte: usize) {
        assert!(self.rows.is_ok(), "byte {byte}: {:?}", self.rows);
    }
}

#[test]
fn f12_the_identity() {
    let store = Store::new();
    let all = [
        (0..8, "its first 8 bytes are not those of a quipu file"),
        (8..16, "the byte-order mark"),
        (16..20, "the identity in bytes 16 to 255"),
        (20..24, "it has format version"),
        (24..LIVE, "the identity in bytes 16 to 255"),
    ];
    for (bytes, part) in all {
        store.flip(bytes, |byte, said| said.names(part, byte));
    }
}

#[test]
fn f12_the_live_words() {
    let store = Store::new();
    for word in 0..32 {
        let part = match word {
            0 => "live word `ready`",
            8 => "the committed generation (live word 8)",
            16 => "the number of extents (live word 16)",
            17 => "the number of names (live word 17)",
            _ => "",
        };
        let at = LIVE + 8 * word;
        store.flip(at..at + 8, |byte, said| match part {
            "" => assert!(said.rows.is_ok() && said.verified.is_empty(), "byte {byte}"),
            part => said.names(part, byte),
        });
    }
}

#[test]
fn f12_the_commit_block() {
    Store::new().flip_versions(COMMIT, COMMIT_WORDS, "commit block");
}

#[test]
fn f13_both_versions_of_a_row() {
    let store = Store::new();
    // Row 0 counts usage, row 1 is a part of a histogram.
    for number in [0, 1] {
        let at = store.image.row(number);
        store.flip_versions(at, ROW_WORDS, "row");
    }
}

#[test]
fn f13_the_headers_of_extents() {
    let store = Store::new();
    for Extent { at, .. } in store.image.extents() {
        let part = format!("the extent at byte {at}");
        store.flip(at..at + 64, |byte, said| said.names(&part, byte));
    }
}

/// Where the names begin and end.
fn names(image: &Image) -> Range<usize> {
    let start = image.first_extent(false).at + EXTENT_HEADER;
    let end = (0..image.sealed(NAME_COUNT)).fold(start, |at, _| {
        let len = (image.word(at) >> 8 & 0xffff) as usize;
        at + 16 + len.next_multiple_of(8)
    });
    start..end
}

#[test]
fn f13_names() {
    let store = Store::new();
    store.flip(names(&store.image), |byte, said| {
        said.names("name number", byte);
    });
}

/// A writer refuses the file untouched, or sets it aside, or counts right and
/// leaves a sound store.
fn open_flipped(kept: &Kept, at: usize, bit: usize) {
    let place = &kept.place;
    let what = format!("byte {at}, bit {bit}");
    let mut flipped = kept.aggregate.clone();
    flipped[at] ^= 1 << bit;
    fs::write(place.aggregate(), &flipped).unwrap();
    let recorder = match place.builder().open(place.store()) {
        Ok(recorder) => recorder,
        Err(error) => {
            assert!(error.to_string().contains("format version"), "{error}");
            assert!(fs::read(place.aggregate()).unwrap() == flipped, "{what}");
            assert!(fs::read(kept.ring_path()).unwrap() == kept.ring, "{what}");
            return;
        }
    };
    let total = check_one_two(&recorder.snapshot());
    match recorder.set_aside() {
        [] => assert_eq!(total, 7, "{what}"),
        [aside] => {
            assert_eq!(aside.original, place.aggregate(), "{what}");
            assert!(fs::read(&aside.path).unwrap() == flipped, "{what}");
            assert!([0, 3].contains(&total), "{what}: {total}");
        }
        more => panic!("{what}: {more:?}"),
    }
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!(stats.committed, total, "{what}");
    if total == 3 {
        // The ring went on, and what it continues is known to be missing.
        assert_eq!(stats.lost, 4, "{what}");
    }
    assert!(quipu::verify(place.store()).unwrap().is_sound(), "{what}");
    let reader = Reader::open(place.store()).unwrap();
    let read = check_one_two(&reader.snapshot().unwrap());
    assert_eq!(read, total, "{what}");
    kept.put_back();
}

/// Two bits of each byte, so that each bit is had by one byte in four.
fn some_bits(bytes: Range<usize>) -> impl Iterator<Item = (usize, usize)> {
    bytes.flat_map(|at| [(at, at % 4), (at, 7 - at % 4)])
}

#[test]
fn f12_a_writer_and_the_header() {
    let kept = Kept::new();
    let all = (0..72).chain(248..256).chain(LIVE..LIVE + 16);
    let all = all.chain(LIVE + 64..LIVE + 72).chain(LIVE + 128..COMMIT);
    for (at, bit) in all.flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        open_flipped(&kept, at, bit);
    }
    // Of each word of the commit blocks one byte.
    for word in 0..2 * COMMIT_WORDS {
        let at = COMMIT + 8 * word + word % 8;
        some_bits(at..at + 1).for_each(|(at, bit)| open_flipped(&kept, at, bit));
    }
}

#[test]
fn f13_a_writer_and_rows_names_and_extents() {
    let kept = Kept::new();
    let image = Image {
        bytes: kept.aggregate.clone(),
    };
    let [row, rows, log] = [
        image.row(0),
        image.first_extent(true).at,
        image.first_extent(false).at,
    ];
    let names = names(&image);
    for at in [row, row + ROW / 2] {
        // The generations, which decide which of the versions is in force.
        (0..8).for_each(|bit| open_flipped(&kept, at, bit));
    }
    for bytes in [row..row + ROW, rows..rows + 64, log..log + 64, names] {
        let some = some_bits(bytes).filter(|(at, _)| at % 3 == 0);
        some.for_each(|(at, bit)| open_flipped(&kept, at, bit));
    }
}

/// A ring's slots have no checksum: they are memory of a process that was
/// killed. Its header has one, and names are never mixed up.
#[test]
fn f13_the_header_of_a_ring() {
    let kept = Kept::new();
    let place = &kept.place;
    for (at, bit) in (0..256).map(|at| (at, at % 8)) {
        let mut flipped = kept.ring.clone();
        flipped[at] ^= 1 << bit;
        fs::write(kept.ring_path(), &flipped).unwrap();
        let recorder = place.open();
        assert_eq!(check_one_two(&recorder.snapshot()), 4, "byte {at}");
        assert_eq!(recorder.stats().rings_lost, 1, "byte {at}");
        let aside = &recorder.set_aside()[0];
        assert!(fs::read(&aside.path).unwrap() == flipped, "byte {at}");
        drop(recorder);
        kept.put_back();
    }
}

/// A reader doesn't take it for one that a writer is busy with.
#[test]
fn f13_a_row_that_has_no_version_any_more() {
    let mut store = Store::new();
    let row = store.image.row(0);
    for version in [row, row + 8 * ROW_WORDS] {
        store.image.set(version, 0);
    }
    store.image.write(&store.place.aggregate());
    store.ask().names("row 0", row);
}

/// Every checksum is right, as a writer with an error in it would leave it.
#[test]
fn f13_rows_that_contradict_each_other_and_the_commit() {
    let store = Store::new();
    for (counter, what) in [
        (0, "the rows count 10 records, the commit 9"),
        (23, "the rows count 10 latencies, the histograms 9"),
        (
            25,
            "the rows count 1 times to first token, the histograms 0",
        ),
    ] {
        let mut image = store.image.clone();
        let row = image.in_force(image.row(0), ROW_WORDS).unwrap();
        let word = 2 + counter;
        image.set_row(0, word, image.word(row + 8 + 8 * word) + 1);
        image.write(&store.place.aggregate());
        let verified = store.ask().verified;
        assert!(verified.contains(what), "{verified:?}");
    }
}

/// The number of names that are in the file has its check, and is too small.
#[test]
fn f13_fewer_names_than_were_committed() {
    let mut store = Store::new();
    let names = store.image.sealed(NAME_COUNT);
    store.image.set_sealed(NAME_COUNT, names - 1);
    store.image.write(&store.place.aggregate());
    let said = store.ask();
    let complaint = said.rows.unwrap_err();
    let expected = format!("{} names are there, {names} were committed", names - 1);
    assert!(complaint.contains(&expected), "{complaint:?}");
    let expected = "names: there are fewer than were committed";
    assert!(said.verified.contains(expected), "{:?}", said.verified);
}

/// The commit is sound, and of a longer file.
#[test]
fn f13_fewer_rows_than_were_committed() {
    let mut store = Store::new();
    let extent = store.image.first_extent(true);
    let rows = (extent.bytes - EXTENT_HEADER) / ROW;
    store.image.set_block(block::ROWS, rows as u64 + 1);
    store.image.write(&store.place.aggregate());
    let said = store.ask();
    let complaint = said.rows.unwrap_err();
    assert!(complaint.contains("fewer rows"), "{complaint:?}");
    let expected = format!("rows: {} are committed, {rows} are there", rows + 1);
    assert!(said.verified.contains(&expected), "{:?}", said.verified);
}

/// What was damaged where no row was must not become a part of the next one:
/// the file would open once and then never again.
#[test]
fn f13_a_row_that_is_not_in_use_yet() {
    let store = Store::new();
    let free = store.image.block(block::ROWS) as usize;
    let row = store.image.row(free);
    for version in [row, row + 8 * ROW_WORDS] {
        store.image.write(&store.place.aggregate());
        store.file.write_all_at(&[1], version as u64).unwrap();
        for tenant in ["a new one", "another"] {
            let recorder = store.place.open();
            assert!(
                recorder.set_aside().is_empty(),
                "{:?}",
                recorder.set_aside()
            );
            let model = recorder.model("openai", "m0").unwrap();
            let usage = UsageRecord::new(model).tenant(recorder.tenant(tenant).unwrap());
            recorder.record(usage).unwrap();
            recorder.close(PATIENCE).unwrap();
        }
        let found = quipu::verify(store.place.store()).unwrap();
        assert!(found.is_sound(), "{:?}", found.problems);
        assert_eq!(found.records, 9 + 2);
    }
}
