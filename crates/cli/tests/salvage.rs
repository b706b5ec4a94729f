//! `quipu salvage`, and what a replay into a damaged store says.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;
use std::path::Path;

use support::{failure, record, run, stdout, store};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A store of 12 records whose first row is damaged.
fn damaged(dir: &Path) -> std::path::PathBuf {
    let place = dir.join("store");
    store(&place, |recorder| {
        record(recorder, "p", "lost", 5);
        recorder.flush(support::DEADLINE).unwrap();
        record(recorder, "p", "kept", 7);
    });
    let aggregate = place.join("aggregate");
    let mut bytes = fs::read(&aggregate).unwrap();
    let extent = bytes
        .windows(8)
        .position(|word| word == b"QPU-ROWS")
        .unwrap();
    // Both versions of the first row, but for their generations.
    for version in [0, 256] {
        bytes[extent + 4096 + version + 8..][..200].fill(0xa5);
    }
    fs::write(&aggregate, bytes).unwrap();
    place
}

#[test]
fn what_is_sound_is_recovered_and_the_rest_said() {
    let dir = tempfile::tempdir().unwrap();
    let place = damaged(dir.path());
    let into = dir.path().join("recovered");
    let output = run(["salvage", text(&place), "--into", text(&into)]);
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.starts_with("row 0: neither of its values is sound\n"),
        "{told}"
    );
    assert!(told.contains("7 records in "), "{told}");
    assert!(told.ends_with(", of 12 records\n"), "{told}");
    let summary = String::from_utf8(output.stderr).unwrap();
    assert!(summary.contains("1 row lost"), "{summary}");
    let report = stdout(["report", text(&into), "--by", "model", "--format", "csv"]);
    // Its histogram has rows of its own, and those are sound.
    assert!(
        report.contains("kept,7,") && report.contains("lost,0,"),
        "{report}"
    );
    assert!(stdout(["verify", text(&into)]).contains("sound"));

    let again = failure(1, ["salvage", text(&place), "--into", text(&into)]);
    assert!(again.contains("before"), "{again}");
}

#[test]
fn a_replay_goes_on_beside_what_it_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let place = damaged(dir.path());
    let output = run(["replay", "--requests", "1000", "--store", text(&place)]);
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8(output.stderr).unwrap();
    let line = told
        .lines()
        .find(|line| line.contains("set aside as"))
        .unwrap();
    let name = fs::read_dir(&place).unwrap().find_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.starts_with("aggregate.2").then_some(name)
    });
    assert!(line.contains(&name.clone().unwrap()), "{line}");
    assert!(stdout(["verify", text(&place)]).contains("1,000 records"));
    let aside = place.join(name.unwrap());
    let output = run(["salvage", text(&aside), "--into", text(&place)]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(["verify", text(&place)]).contains("1,007 records"));
}

#[test]
fn nothing_from_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    let into = dir.path().join("into");
    fs::write(&file, vec![1; 10_000]).unwrap();
    let line = failure(3, ["salvage", text(&file), "--into", text(&into)]);
    assert!(line.contains("nothing can be recovered"), "{line}");
    failure(
        1,
        [
            "salvage",
            text(&dir.path().join("missing")),
            "--into",
            text(&into),
        ],
    );
    failure(2, ["salvage", text(&file)]);
    assert!(!into.exists());
}
