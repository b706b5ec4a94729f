//! `quipu replay` with what it can't play: one line, the right exit code, and
//! nothing half made.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::Path;

use quipu::Reader;
use support::{failure, run};

const GOOD: &str = "provider,model,input\np,m,1\n";
const HALF: &str = "provider,model,input\np,m,1\np,m,x\n";

/// Fails with `code`, says `words`, and leaves no store behind.
fn refused(code: i32, trace: &Path, more: &[&str], words: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("usage.quipu");
    let mut args = vec![
        "replay",
        trace.to_str().unwrap(),
        "--store",
        store.to_str().unwrap(),
    ];
    args.extend(more);
    let line = failure(code, &args);
    for word in words {
        assert!(line.contains(word), "{word:?} is not in {line}");
    }
    assert_eq!(directory.path().read_dir().unwrap().count(), 0, "{line}");
}

#[test]
fn what_is_not_a_trace_makes_no_store() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    refused(
        1,
        &directory.path().join("none.csv"),
        &[],
        &["none.csv", "No such file"],
    );
    refused(
        1,
        directory.path(),
        &[],
        &["is a directory", "name one trace file"],
    );
    refused(1, &file("empty", b""), &[], &["is empty"]);
    refused(
        1,
        &file("other.csv", b"a,b\n1,2\n"),
        &[],
        &["\"a,b\"", "known are", "BurstGPT"],
    );
    refused(1, &file("esc.csv", b"\x1b[2J\n"), &[], &["\\u{1b}[2J"]);
    refused(
        1,
        &file("columns.csv", b"provider,model,inptu\n"),
        &[],
        &["\"inptu\"", "cache_read"],
    );
    refused(1, &file("zeros", &[0; 4096]), &[], &["not a trace"]);
    // Standard input of the tests is empty.
    refused(1, Path::new("-"), &[], &["standard input is empty"]);
    refused(
        1,
        Path::new("-"),
        &["--repeat", "2"],
        &["standard input is empty"],
    );
}

#[test]
fn strict_records_all_or_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let half = directory.path().join("half.csv");
    std::fs::write(&half, HALF).unwrap();
    refused(
        1,
        &half,
        &["--strict"],
        &[
            "line 3 of",
            "half.csv",
            "input: \"x\"",
            "nothing was recorded",
        ],
    );

    let good = directory.path().join("good.csv");
    std::fs::write(&good, GOOD).unwrap();
    let store = directory.path().join("usage.quipu");
    let output = run([
        "replay",
        good.to_str().unwrap(),
        "--strict",
        "--store",
        store.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        Reader::open(&store)
            .unwrap()
            .snapshot()
            .unwrap()
            .total()
            .requests,
        1
    );
}

#[test]
fn a_trace_of_bad_lines_alone_fails() {
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("bad.csv");
    std::fs::write(&trace, "provider,model,input\np,m,x\n").unwrap();
    let output = run(["replay", trace.to_str().unwrap()]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("1 line could not be read"), "{errors}");
    assert!(
        errors.contains("none of the trace's lines could be read"),
        "{errors}"
    );
}

#[test]
fn a_header_alone_is_a_trace_of_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("header.csv");
    std::fs::write(&trace, "provider,model").unwrap();
    let output = run(["replay", trace.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("recorded   0 records")
    );
}

#[test]
fn wrong_usage_is_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("good.csv");
    std::fs::write(&trace, GOOD).unwrap();
    for (args, words) in [
        (&["--producers", "0"][..], &["--producers", "1..=1024"][..]),
        (&["--producers", "many"], &["many"]),
        (&["--speed", "fast"], &["max", "60x"]),
        (&["--speed", "0x"], &["60x"]),
        (&["--repeat", "0"], &["--repeat"]),
        (&["--repeat", "-1"], &["-1"]),
        (&["--model", "gpt-4o"], &["PROVIDER/MODEL"]),
        (&["--model", "/gpt-4o"], &["PROVIDER/MODEL"]),
        (&["--start", "yesterday"], &["yesterday", "not a time"]),
        (&["--seed", "1"], &["--seed"]),
        (&["--requests", "5"], &["--requests"]),
        (&["--sped", "max"], &["--sped", "--speed"]),
        (&["another.csv"], &["another.csv"]),
    ] {
        refused(2, &trace, args, words);
    }
    assert!(failure(2, ["replay", "--strict"]).contains("TRACE"));
    assert!(failure(2, ["replay", "--requests", "0"]).contains("--requests"));
}

#[test]
fn a_store_that_cannot_be_opened_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("good.csv");
    std::fs::write(&trace, GOOD).unwrap();
    let file = directory.path().join("a file");
    std::fs::write(&file, "mine").unwrap();
    let line = failure(
        1,
        [
            "replay",
            trace.to_str().unwrap(),
            "--store",
            file.to_str().unwrap(),
        ],
    );
    assert!(line.contains("a file"), "{line}");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");

    let held = directory.path().join("held.quipu");
    let recorder = quipu::Recorder::open(&held).unwrap();
    let line = failure(
        1,
        [
            "replay",
            trace.to_str().unwrap(),
            "--store",
            held.to_str().unwrap(),
        ],
    );
    assert!(line.contains("in use"), "{line}");
    drop(recorder);
}
