//! Names that break what doesn't escape, in each format of `quipu report`.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::{NASTY, record, stdout, store};

fn json(args: &[&str]) -> Value {
    let text = stdout(args.iter().chain(&["--format", "json"]));
    assert_eq!(text.lines().count(), 1);
    serde_json::from_str(&text).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn f39_no_name_breaks_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    store(&place, |recorder| {
        for (i, name) in NASTY.iter().enumerate() {
            record(recorder, name, name, 1 + i as u64);
        }
    });
    let text = stdout(["report", path(&place), "--by", "provider,model"]);
    let lines: Vec<&str> = text.lines().collect();
    // Two lines of headers, the rows, a rule and the total.
    let rows = &lines[2..2 + NASTY.len()];
    assert!(lines[2 + NASTY.len()].starts_with("----"), "{text}");
    assert!(lines[3 + NASTY.len()].starts_with("total"), "{text}");
    for row in rows {
        assert!(!row.chars().any(char::is_control), "{row:?}");
        assert!(
            !row.contains(['\u{202e}', '\u{200b}', '\u{feff}', '\u{2066}']),
            "{row:?}"
        );
        assert!(row.contains("$0.0000"), "a row is one line: {row:?}");
    }
    for escaped in [
        "line\\nbreak\\r\\n",
        "\\u{1b}[31m",
        "\\u{202e}",
        "back\\\\slash\\\\n",
        "模型-é-🦙",
    ] {
        assert!(text.contains(escaped), "{escaped}: {text}");
    }

    let report = json(&[
        "report",
        path(&place),
        "--by",
        "model",
        "--sort",
        "requests",
    ]);
    let models: Vec<&str> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["model"].as_str().unwrap())
        .collect();
    assert_eq!(models, NASTY.iter().rev().copied().collect::<Vec<_>>());
    let raw = stdout(["report", path(&place), "--format", "json"]);
    assert!(
        raw.trim_end()
            .chars()
            .all(|c| !c.is_control() && c != '\u{202e}'),
        "{raw:?}"
    );

    let text = stdout([
        "report",
        path(&place),
        "--by",
        "model",
        "--format",
        "csv",
        "--spreadsheet",
    ]);
    assert!(text.contains("\r\n'=1+1,"), "{text}");
    let text = stdout(["report", path(&place), "--by", "model", "--format", "csv"]);
    assert!(text.contains("\r\n=1+1,"), "{text}");
}
