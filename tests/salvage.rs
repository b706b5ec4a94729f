//! Salvage: every row whose checksum holds is added to a store, once, and what
//! can't be is said.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use common::{PATIENCE, Place, at};
use quipu::{Bucket, Durability, Reader, Salvage, SalvageError, TokenKind, UsageRecord, salvage};

const DAY: u64 = 86_400;

/// A closed store: 3 models and 40 tenants on 2 days, 480 records.
fn store() -> Place {
    let place = Place::new();
    let recorder = place.open();
    for n in 0..480u64 {
        let model = recorder.model("provider", &format!("model {}", n % 3));
        let tenant = recorder.tenant(&format!("tenant {}", n % 40)).unwrap();
        let usage = UsageRecord::new(model.unwrap())
            .tenant(tenant)
            .at(at((19_000 + n % 2) * DAY))
            .tokens(TokenKind::Input, 1 + n)
            .latency(std::time::Duration::from_micros(n * 1000));
        recorder.record_timeout(usage, PATIENCE).unwrap();
    }
    recorder.close(PATIENCE).unwrap();
    place
}

type Rows = BTreeMap<(String, String, String), (u64, u64)>;

/// Requests and input tokens of each row.
fn rows(store: PathBuf) -> Rows {
    let reader = Reader::open(store).unwrap();
    let rows = reader.snapshot().unwrap().rows();
    rows.into_iter()
        .map(|row| {
            let key = (
                row.day.to_string(),
                row.model.to_string(),
                row.tenant.to_string(),
            );
            (
                key,
                (row.totals.requests, row.totals.token(TokenKind::Input)),
            )
        })
        .collect()
}

/// Salvages the aggregate file of `place` with these bytes into a new store.
fn salvaged(place: &Place, bytes: &[u8]) -> (Salvage, PathBuf) {
    let damaged = place.path().join("damaged");
    fs::write(&damaged, bytes).unwrap();
    let into = place.path().join("into");
    if into.exists() {
        fs::remove_dir_all(&into).unwrap();
    }
    let found = salvage(&damaged, &into).unwrap();
    assert_eq!(fs::read(&damaged).unwrap(), bytes, "only read");
    let verified = quipu::verify(&into).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.problems);
    (found, into)
}

#[test]
fn of_a_sound_file_everything() {
    let place = store();
    let bytes = fs::read(place.aggregate()).unwrap();
    let (found, into) = salvaged(&place, &bytes);
    assert_eq!((found.records, found.expected), (480, Some(480)));
    assert_eq!(
        (found.lost_rows, found.older_rows, found.lost_names),
        (0, 0, 0)
    );
    assert_eq!(found.notes, [""; 0]);
    assert_eq!(rows(into.clone()), rows(place.store()));
    let reader = Reader::open(into).unwrap();
    let salvaged = reader.snapshot().unwrap();
    let original = Reader::open(place.store()).unwrap().snapshot().unwrap();
    assert_eq!(salvaged.total(), original.total());
    assert_eq!(salvaged.by_day(), original.by_day());
    assert_eq!(salvaged.by_model(), original.by_model());
    assert_eq!(salvaged.by_tenant(), original.by_tenant());
    let stats = reader.stats().unwrap();
    assert_eq!(
        (stats.salvaged, stats.committed, stats.accepted),
        (480, 480, 480)
    );
}

#[test]
fn of_a_file_with_any_page_gone_all_others() {
    let place = store();
    let bytes = fs::read(place.aggregate()).unwrap();
    let sound = rows(place.store());
    let mut lost_something = 0;
    for page in 0..bytes.len() / 4096 {
        let mut damaged = bytes.clone();
        damaged[page * 4096..][..4096].fill(0x5a);
        if damaged == bytes {
            continue;
        }
        let (found, into) = salvaged(&place, &damaged);
        let got = rows(into);
        if found.lost_names == 0 {
            for (key, counts) in &got {
                assert_eq!(sound.get(key), Some(counts), "page {page}: {key:?}");
            }
        }
        let records: u64 = got.values().map(|(requests, _)| requests).sum();
        assert_eq!(records, found.records);
        let is_whole = found.lost_rows == 0 && found.lost_names == 0 && found.notes.is_empty();
        lost_something += u32::from(records < 480);
        // Pages without anything in them are damage too, and said.
        assert!(records == 480 || !is_whole, "page {page}: {found:?}");
    }
    assert!(lost_something > 5, "{lost_something}");
}

#[test]
fn of_a_flipped_bit_all_but_its_row() {
    let place = store();
    let mut bytes = fs::read(place.aggregate()).unwrap();
    let extent = bytes
        .windows(8)
        .position(|word| word == b"QPU-ROWS")
        .unwrap();
    // In a counter of the first row's value: its newer version.
    let row = extent + 4096;
    let generation = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let newer = if generation(row) > generation(row + 256) {
        row
    } else {
        row + 256
    };
    bytes[newer + 24] ^= 1;
    let (found, into) = salvaged(&place, &bytes);
    assert_eq!(found.lost_rows + found.older_rows, 1);
    assert_eq!(found.notes.len(), 1, "{:?}", found.notes);
    assert!(found.notes[0].starts_with("row 0: "), "{:?}", found.notes);
    assert!(rows(into).len() >= rows(place.store()).len() - 1);
}

/// The file after two commits, of one record and of one record more in each of
/// two rows; and what it was after the first.
fn two_commits(place: &Place) -> [Vec<u8>; 2] {
    let builder = place.builder().flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(place.store()).unwrap();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    let first = usage.tenant(recorder.tenant("first").unwrap());
    let second = usage.tenant(recorder.tenant("second").unwrap());
    [&[first][..], &[first, second]].map(|records| {
        assert_eq!(recorder.record_batch(records), records.len());
        recorder.flush(PATIENCE).unwrap();
        fs::read(place.aggregate()).unwrap()
    })
}

#[test]
fn of_a_commit_that_never_happened_nothing() {
    let place = Place::new();
    let [first, mut bytes] = two_commits(&place);
    // As a writer leaves it that dies before its commit counts.
    bytes[320..328].copy_from_slice(&first[320..328]);
    let (found, into) = salvaged(&place, &bytes);
    assert_eq!((found.records, found.expected), (1, Some(1)));
    assert_eq!((found.lost_rows, found.older_rows), (0, 0));
    let tenants: Vec<_> = rows(into).into_keys().map(|(.., tenant)| tenant).collect();
    assert_eq!(tenants, ["first"]);
}

#[test]
fn of_a_damaged_row_the_value_before() {
    let place = Place::new();
    let [first, mut bytes] = two_commits(&place);
    let extent = bytes.windows(8).position(|word| word == b"QPU-ROWS");
    let row = extent.unwrap() + 4096;
    let is_new = |from: usize| first[from..from + 256] != bytes[from..from + 256];
    let newer = [row, row + 256].into_iter().find(|from| is_new(*from));
    bytes[newer.unwrap() + 24] ^= 1;
    let (found, _) = salvaged(&place, &bytes);
    assert_eq!((found.older_rows, found.lost_rows), (1, 0));
    assert_eq!((found.records, found.expected), (2, Some(3)));
}

#[test]
fn of_a_damaged_commit_block_every_row() {
    let place = Place::new();
    let [first, mut bytes] = two_commits(&place);
    // The two versions of the commit block are 1088 bytes each.
    let is_new = |from: usize| first[from..from + 1088] != bytes[from..from + 1088];
    let newer = [512, 1600].into_iter().find(|from| is_new(*from)).unwrap();
    bytes[newer + 40] ^= 1;
    let (found, into) = salvaged(&place, &bytes);
    assert_eq!(found.records, 3, "{found:?}");
    assert_eq!(rows(into).len(), 2);
    assert_eq!(found.lost_rows, 0);
    assert!(found.expected.is_none_or(|all| all >= 3), "{found:?}");
}

#[test]
fn what_a_damaged_store_had_salvaged_is_not_salvaged_again() {
    let (first, second) = (store(), Place::new());
    salvage(first.aggregate(), second.store()).unwrap();
    let third = first.path().join("third");
    assert_eq!(salvage(second.aggregate(), &third).unwrap().records, 480);
    let again = salvage(first.aggregate(), &third).unwrap_err();
    assert!(matches!(again, SalvageError::Refused { .. }), "{again}");
    let records = rows(third).values().map(|(n, _)| n).sum::<u64>();
    assert_eq!(records, 480);
}

#[test]
fn once_and_not_on_top_of_a_checkpoint() {
    let place = store();
    let damaged = place.path().join("damaged");
    let mut bytes = fs::read(place.aggregate()).unwrap();
    let end = bytes.len();
    bytes[end - 4096..].fill(1);
    fs::write(&damaged, bytes).unwrap();

    let into = Place::new();
    let recorder = into.open();
    let usage = UsageRecord::new(recorder.model("provider", "model 1").unwrap());
    recorder.record(usage.at(at(19_000 * DAY))).unwrap();
    recorder.close(PATIENCE).unwrap();
    let found = salvage(&damaged, into.store()).unwrap();
    let after = rows(into.store());
    assert_eq!(
        found.records + 1,
        after.values().map(|(n, _)| n).sum::<u64>()
    );
    let again = salvage(&damaged, into.store()).unwrap_err();
    assert!(matches!(again, SalvageError::Refused { .. }), "{again}");
    assert_eq!(rows(into.store()), after);
    // Nor another copy of the same store, damaged or not.
    let sound = salvage(place.aggregate(), into.store()).unwrap_err();
    assert!(matches!(sound, SalvageError::Refused { .. }), "{sound}");
    assert_eq!(rows(into.store()), after);
    assert!(Reader::open(into.store()).unwrap().status().unwrap().clean);

    let durability = Durability::Checkpoint(PATIENCE);
    let builder = place.builder().durability(durability);
    builder
        .open(place.store())
        .unwrap()
        .close(PATIENCE)
        .unwrap();
    let mut bytes = fs::read(place.aggregate()).unwrap();
    bytes[80_000] ^= 1;
    fs::write(place.aggregate(), bytes).unwrap();
    let recorder = place.open();
    let aside = recorder.set_aside()[0].path.clone();
    recorder.close(PATIENCE).unwrap();
    let refused = salvage(aside, place.store()).unwrap_err();
    assert!(refused.to_string().contains("checkpoint"), "{refused}");
    assert_eq!(
        rows(place.store()).values().map(|(n, _)| n).sum::<u64>(),
        480
    );
}

#[test]
fn of_nothing_nothing() {
    let place = Place::new();
    let into = place.path().join("into");
    let file = place.path().join("file");
    for bytes in [vec![], vec![7; 100], vec![0; 20_000], vec![0xff; 20_000]] {
        fs::write(&file, &bytes).unwrap();
        let error = salvage(&file, &into).unwrap_err();
        assert!(
            error.to_string().contains(file.to_str().unwrap()),
            "{error}"
        );
        assert!(!into.exists(), "{error}");
    }
    let missing = salvage(place.path().join("missing"), &into).unwrap_err();
    assert!(matches!(&missing, SalvageError::Open(error) if error.is_not_found()));
}

#[test]
fn hours_stay_hours_also_without_an_identity() {
    let place = Place::new();
    let recorder = place.builder().bucket(Bucket::Hour).open(place.store());
    let recorder = recorder.unwrap();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    recorder
        .record(usage.at(at(19_000 * DAY + 7 * 3600)))
        .unwrap();
    recorder.close(PATIENCE).unwrap();
    let mut bytes = fs::read(place.aggregate()).unwrap();
    bytes[..256].fill(0xee);
    let (found, into) = salvaged(&place, &bytes);
    assert_eq!(found.records, 1);
    let rows = Reader::open(into).unwrap().snapshot().unwrap().rows();
    assert_eq!(rows[0].hour, Some(7));
}
