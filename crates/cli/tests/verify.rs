//! `quipu verify` against sound stores and stores with wrong bytes.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::fs;
use std::path::Path;

use quipu::Recorder;
use support::{DEADLINE, record, run, stdout, store};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_sound_store_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| record(recorder, "p", "m", 100));
    let said = stdout(["verify", text(&place)]);
    assert!(said.contains(": sound, "), "{said}");
    assert!(said.contains("100 records"), "{said}");
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn a_store_in_use_can_be_checked_again_and_again() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    let recorder = Recorder::open(&place).unwrap();
    for round in 0..10 {
        record(&recorder, "p", &format!("m{round}"), 1_000);
        stdout(["verify", text(&place)]);
    }
    recorder.close(DEADLINE).unwrap();
    stdout(["verify", text(&place)]);
}

/// Each byte that is wrong is either found, with its place and exit code 3, or
/// one that nothing is kept in: then all numbers still are what they were.
#[test]
fn a_wrong_byte_never_passes_for_a_number() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| {
        record(recorder, "openai", "gpt-4o", 100);
        record(recorder, "anthropic", "claude", 50);
    });
    let rows = || {
        let output = run([
            "report",
            text(&place),
            "--by=day,provider,model,tenant",
            "--format=csv",
        ]);
        (output.status.code(), output.stdout)
    };
    let (code, sound) = rows();
    assert_eq!(code, Some(0));
    let aggregate = place.join("aggregate");
    let bytes = fs::read(&aggregate).unwrap();
    let used = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
    let mut found = 0;
    // A prime step meets every field sooner or later.
    for at in (0..used).step_by((used / 150).max(1) | 1) {
        let mut wrong = bytes.clone();
        wrong[at] ^= 1 << (at % 8);
        fs::write(&aggregate, &wrong).unwrap();
        let output = run(["verify", text(&place)]);
        let errors = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => assert_eq!(rows(), (Some(0), sound.clone()), "byte {at}"),
            Some(3) => {
                found += 1;
                assert!(errors.contains(text(&place)), "byte {at}: {errors}");
            }
            // Bytes that say it is a store, or which program wrote it.
            Some(1) => assert!(errors.starts_with("quipu: "), "byte {at}: {errors}"),
            code => panic!("byte {at}: {code:?} {errors}"),
        }
        let report = run(["report", text(&place)]);
        assert!(matches!(report.status.code(), Some(0 | 1 | 3)), "byte {at}");
    }
    assert!(found > 0, "no wrong byte was found");
}

#[test]
fn every_problem_is_listed_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| {
        record(recorder, "openai", "gpt-4o", 1_234_567);
    });
    let aggregate = place.join("aggregate");
    let mut bytes = fs::read(&aggregate).unwrap();
    // The cost, which nothing but rows holds.
    let count = 1_234_567_000u64.to_le_bytes();
    let places: Vec<usize> = (0..bytes.len() - 8)
        .step_by(8)
        .filter(|at| bytes[*at..*at + 8] == count)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at] ^= 1;
    }
    fs::write(&aggregate, &bytes).unwrap();
    let output = run(["verify", text(&place)]);
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}{errors}");
    assert!(
        said.lines().any(|line| line.starts_with("row ")),
        "{said}{errors}"
    );
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("problem"), "{errors}");
}
