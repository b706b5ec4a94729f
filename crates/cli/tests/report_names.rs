//! Names that break what doesn't escape, in each format of `quipu report`.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::path::Path;

use quipu::{Recorder, TokenKind, UsageRecord};
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

/// One record for each of [`NASTY`], and more that have no name of their own:
/// empty, too long, and beyond the limits.
fn full_store(place: &Path) -> u64 {
    let recorder = Recorder::builder()
        .max_models(NASTY.len() as u16)
        .max_tenants(NASTY.len() as u32)
        .open(place)
        .unwrap();
    let long = "x".repeat(257);
    let more = ["", &long, "one too many"];
    let names = NASTY.iter().copied().chain(more);
    let mut records = 0;
    for name in names {
        let usage = UsageRecord::new(recorder.model(name, name).unwrap())
            .tenant(recorder.tenant(name).unwrap())
            .tokens(TokenKind::Input, 1);
        recorder.record(usage).unwrap();
        records += 1;
    }
    recorder.close(support::DEADLINE).unwrap();
    records
}

#[test]
fn f39_every_format_has_every_name_and_the_exact_total() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    let records = full_store(&place);
    let mut expected: Vec<&str> = NASTY.to_vec();
    expected.push(quipu::OTHER);
    expected.sort_unstable();
    for key in ["provider", "model", "tenant"] {
        let args = ["report", path(&place), "--by", key];

        let report = json(&args);
        let rows = report["rows"].as_array().unwrap();
        let mut names: Vec<&str> = rows.iter().map(|row| row[key].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, expected);
        let requests = |row: &Value| row["requests"].as_u64().unwrap();
        assert_eq!(rows.iter().map(requests).sum::<u64>(), records);
        assert_eq!(requests(&report["total"]), records);

        let csv = stdout(args.iter().chain(&["--format", "csv"]));
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let place_of = |name: &str, header: &csv::StringRecord| {
            header.iter().position(|column| column == name).unwrap()
        };
        let header = reader.headers().unwrap().clone();
        let (name, requests) = (place_of(key, &header), place_of("requests", &header));
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let mut names: Vec<&str> = rows.iter().map(|row| &row[name]).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{csv}");
        let sum: u64 = rows
            .iter()
            .map(|row| row[requests].parse::<u64>().unwrap())
            .sum();
        assert_eq!(sum, records);

        let table = stdout(args);
        assert!(table.contains("__other__"), "{table}");
        assert!(table.chars().all(|c| c == '\n' || !c.is_control()));
        let total = table
            .lines()
            .find(|line| line.starts_with("total"))
            .unwrap();
        assert_eq!(total.split_whitespace().nth(1), Some("13"), "{table}");
    }
    let stats = json(&["stats", path(&place)]);
    assert_eq!(stats["names_refused"], 6);
    assert_eq!(stats["committed"], records);
    assert!(stdout(["top", path(&place), "--iterations", "1"]).contains("__other__"));
}

#[test]
fn f39_names_that_are_not_utf8_are_told_and_count_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let traces: [(&str, &[u8]); 2] = [
        (
            "trace.csv",
            b"provider,model,input\np,ok,1\np,bad\xff\xfename,2\np,ok,4\n",
        ),
        (
            "trace.jsonl",
            b"{\"provider\":\"p\",\"model\":\"ok\",\"input\":1}\n\
              {\"provider\":\"p\",\"model\":\"b\xff\xfe\",\"input\":2}\n\
              {\"provider\":\"p\",\"model\":\"ok\",\"input\":4}\n",
        ),
    ];
    for (name, bytes) in traces {
        let trace = dir.path().join(name);
        let place = dir.path().join(format!("{name}.quipu"));
        std::fs::write(&trace, bytes).unwrap();
        let output = support::run(["replay", path(&trace), "--store", path(&place)]);
        assert!(output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("1 line could not be read"), "{said}");
        let report = json(&["report", path(&place), "--by", "model"]);
        assert_eq!(report["rows"].as_array().unwrap().len(), 1);
        assert_eq!(report["rows"][0]["model"], "ok");
        assert_eq!(report["total"]["requests"], 2);
        assert_eq!(report["total"]["input"], 5);
    }
}
