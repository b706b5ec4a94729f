//! `quipu replay` with what it can't play: one line, the right exit code, and
//! nothing half made.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::io::Write;
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
fn a_trace_without_calls_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let bad = file("bad.csv", "provider,model,input\np,m,x\np,m,y\n");
    let header = file("header.csv", "provider,model");
    let session = file(
        "session.json",
        r#"{"id":"a","block_size":64,"requests":[]}"#,
    );
    for speed in ["--speed=max", "--speed=60x"] {
        refused(
            1,
            &bad,
            &[speed],
            &["none of the 2 lines of", "bad.csv", "line 2: input: \"x\""],
        );
        refused(1, &header, &[speed], &["no calls in", "header.csv"]);
        refused(1, &session, &[speed], &["no calls in", "session.json"]);
    }
}

/// Many rows, compressed.
fn long(rows: u64) -> Vec<u8> {
    let mut text = String::from("provider,model,input\n");
    for index in 0..rows {
        text.push_str(&format!("p,m{},{}\n", index % 7, index * 7919 % 100_003));
    }
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap()
}

#[test]
fn a_trace_that_breaks_off_records_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let gz = long(100_000);
    let cut = file("cut.csv.gz", &gz[..gz.len() / 2]);
    let trailing = file("trailing.csv.gz", &[&gz[..], b"garbage"].concat());
    let mut endless = b"provider,model\np,m\n".to_vec();
    endless.resize(66 << 20, b'x');
    let endless = file("endless.csv", &endless);
    // All is read before, or it fails later and is made undone.
    for speed in ["--speed=max", "--speed=1000000x"] {
        refused(1, &cut, &[speed], &["can't read the trace", "cut.csv.gz"]);
        refused(1, &trailing, &[speed], &["trailing.csv.gz", "gzip"]);
        refused(1, &endless, &[speed], &["longer than 64 MiB"]);
    }
    refused(1, &cut, &["--speed=1000000x"], &["was removed again"]);

    // A directory that was there stays, empty as it was.
    let store = directory.path().join("usage.quipu");
    std::fs::create_dir(&store).unwrap();
    let cut = cut.to_str().unwrap();
    let place = store.to_str().unwrap();
    failure(1, ["replay", cut, "--store", place, "--speed", "1000000x"]);
    assert_eq!(store.read_dir().unwrap().count(), 0);
    failure(1, ["replay", cut, "--speed", "1000000x"]);

    // A store that was there isn't touched by what fails before, and keeps
    // what was recorded by what fails later.
    let good = file("good.csv", GOOD.as_bytes());
    let output = run(["replay", good.to_str().unwrap(), "--store", place]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let seen = || Reader::open(&store).unwrap().snapshot().unwrap();
    let generation = seen().generation();
    failure(1, ["replay", cut, "--store", place]);
    assert_eq!(seen().generation(), generation);
    let line = failure(1, ["replay", cut, "--store", place, "--speed", "1000000x"]);
    let recorded = seen().total().requests - 1;
    assert!(recorded > 1_000 && recorded < 100_000, "{recorded}");
    let digits: String = line
        .split("; ")
        .last()
        .unwrap()
        .chars()
        .take_while(|c| *c != 'r')
        .filter(char::is_ascii_digit)
        .collect();
    assert_eq!(digits, recorded.to_string(), "{line}");
}

#[test]
fn wrong_usage_is_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("good.csv");
    std::fs::write(&trace, GOOD).unwrap();
    for (args, words) in [
        (
            &["--producers", "0"][..],
            &["--producers", "from 1 to 1024", "replay --help"][..],
        ),
        (&["--producers", "many"], &["many"]),
        (&["--speed", "fast"], &["max", "60x"]),
        (&["--speed", "0x"], &["60x"]),
        (&["--speed", "-1x"], &["'-1x'", "60x"]),
        (&["--bad-lines", "some"], &["or all"]),
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
    for about_traces in [
        &["--strict"][..],
        &["--model", "a/b"],
        &["--bad-lines", "3"],
    ] {
        let line = failure(2, std::iter::once(&"replay").chain(about_traces));
        let needed = format!("{} is about a trace", about_traces[0]);
        assert!(line.contains(&needed), "{line}");
    }
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
