//! One bit flipped anywhere: an error, a problem that `verify` names, or the
//! same totals. Never other totals without a word, never a panic.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs;
use std::time::Duration;

use common::{PATIENCE, Place};
use quipu::{Reader, RowTotals, TokenKind, UsageRecord};

/// A closed store with both versions of rows in use.
fn store() -> Place {
    let place = Place::new();
    let recorder = place.open();
    for round in 0..3u64 {
        for n in 0..3 {
            let model = recorder.model("openai", &format!("m{n}")).unwrap();
            let tenant = recorder.tenant("acme").unwrap();
            let usage = UsageRecord::new(model)
                .tenant(tenant)
                .tokens(TokenKind::Input, 7 + round)
                .latency(Duration::from_millis(5))
                .at(std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
            recorder.record(usage).unwrap();
        }
        recorder.flush(PATIENCE).unwrap();
    }
    recorder.close(PATIENCE).unwrap();
    place
}

fn rows(place: &Place) -> Result<Vec<RowTotals>, String> {
    let reader = Reader::open(place.store()).map_err(|error| error.to_string())?;
    let snapshot = reader.snapshot().map_err(|error| error.to_string())?;
    Ok(snapshot.rows())
}

/// Flips every bit of the given bytes, one at a time.
fn flip(bytes: impl Iterator<Item = usize>) {
    let place = store();
    let whole = fs::read(place.aggregate()).unwrap();
    let sound = rows(&place).unwrap();
    let mut noticed = 0;
    for byte in bytes {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[byte] ^= 1 << bit;
            fs::write(place.aggregate(), &flipped).unwrap();
            let verified = quipu::verify(place.store());
            let is_sound = verified.is_ok_and(|found| found.is_sound());
            match rows(&place) {
                Ok(rows) if rows == sound => {}
                Ok(_) => panic!("byte {byte}, bit {bit}: other totals without a word"),
                Err(_) => {
                    noticed += 1;
                    assert!(!is_sound, "byte {byte}, bit {bit}: `verify` missed it");
                }
            }
        }
    }
    assert!(noticed > 0, "no flip was noticed");
}

#[test]
fn the_identity_and_live_words() {
    flip(0..512);
}

#[test]
fn the_commit_blocks() {
    flip((512..512 + 2 * 136 * 8).step_by(3));
}

/// The byte at which the extent of this kind begins.
fn extent(kind: &[u8; 8]) -> usize {
    let whole = fs::read(store().aggregate()).unwrap();
    let is_there = |at: &usize| whole[*at..].starts_with(kind);
    (0..whole.len()).step_by(4096).find(is_there).unwrap()
}

#[test]
fn names() {
    let start = extent(b"QPU-NAME");
    flip((start..start + 64).chain((start + 4096..start + 4096 + 160).step_by(2)));
}

#[test]
fn rows_in_both_versions() {
    let start = extent(b"QPU-ROWS");
    flip((start..start + 64).chain((start + 4096..start + 4096 + 1024).step_by(3)));
}
