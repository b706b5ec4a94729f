//! The program as it is called.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::{Command, Output};

fn torture(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quipu-torture"))
        .args(args)
        .arg("--dir")
        .arg(dir)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn f09_killed_at_random_instants_and_at_all_points() {
    let dir = tempfile::tempdir().unwrap();
    let output = torture(dir.path(), &["--kills", "60", "--seed", "9"]);
    let (figures, complaints) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{complaints}");
    let last = figures.lines().last().unwrap();
    assert!(last.starts_with("seed 9: 60 kills at "), "{last}");
    assert!(last.contains(" lost 0, doubled 0, "), "{last}");
    assert_eq!(figures.lines().count(), 24 + 2, "{figures}");
    // Without a failure nothing is left.
    assert_eq!(dir.path().read_dir().unwrap().count(), 0);
}

#[test]
fn one_kill_is_repeated_with_those_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let output = torture(dir.path(), &["--seed", "9", "--only", "23"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("seed 9: 4 kills at "));
}

#[test]
fn one_point_is_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let args = [
        "--kills",
        "5",
        "--seed",
        "1",
        "--point",
        "recovery: ring created",
    ];
    let output = torture(dir.path(), &args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let figures = text(&output.stdout);
    assert!(
        figures.contains("      5  recovery: ring created\n"),
        "{figures}"
    );
}

#[test]
fn a_wrong_command_line_is_told_from_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["--kills", "many"][..],
        &["--point", "nowhere"],
        &["--what"],
    ] {
        let output = torture(dir.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
    let output = torture(dir.path(), &["--list-points"]);
    let points: Vec<_> = quipu::fault::POINTS.to_vec();
    let listed = text(&output.stdout);
    assert_eq!(listed.lines().collect::<Vec<_>>(), points);
}

/// A store that can't be made is a failure that is told, with the way to
/// repeat it.
#[test]
fn a_failure_says_how_to_repeat_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = torture(&file, &["--kills", "5", "--seed", "4"]);
    assert_eq!(output.status.code(), Some(1));
    let complaints = text(&output.stderr);
    assert!(
        complaints.contains("kill 0 of seed 4 failed"),
        "{complaints}"
    );
    assert!(complaints.contains("--seed 4 --only 0"), "{complaints}");
}
