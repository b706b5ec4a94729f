//! What `quipu report` is asked to leave out, and what it says of that.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::path::Path;

use quipu::{Recorder, UsageRecord};
use serde_json::Value;
use support::{DEADLINE, failure, hours, record, stdout, store};

fn json(args: &[&str]) -> Value {
    let text = stdout(args.iter().chain(&["--format", "json"]));
    serde_json::from_str(&text).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_largest_come_first_and_the_rest_adds_up() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    store(&place, |recorder| {
        for n in 1..=9 {
            record(recorder, "p", &format!("m{n}"), n);
        }
    });
    let report = json(&["report", path(&place), "--by", "model", "--top", "2"]);
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(
        (&rows[0]["model"], &rows[1]["model"]),
        (&"m9".into(), &"m8".into())
    );
    assert_eq!(rows.len(), 2);
    assert_eq!(report["rest"]["rows"], 7);
    assert_eq!(report["rest"]["requests"], 28);
    assert_eq!(report["total"]["requests"], 45);
    let text = stdout(["report", path(&place), "--by", "model", "--top", "2"]);
    assert!(text.contains("\n7 more"), "{text}");
    let csv = stdout([
        "report",
        path(&place),
        "--by",
        "model,tenant",
        "--top",
        "2",
        "--format",
        "csv",
    ]);
    let rows: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(rows.len(), 3, "{csv}");
    assert!(rows[2].starts_with("__rest__,__rest__,28,0,2800,"), "{csv}");
    let all = json(&["report", path(&place), "--by", "model", "--top", "9"]);
    assert!(all.get("rest").is_none());
}

#[test]
fn a_key_is_named_once() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    store(&place, |recorder| record(recorder, "p", "m", 1));
    for by in ["day,day", "model,day,model"] {
        let line = failure(2, ["report", path(&place), "--by", by]);
        assert!(line.contains("twice"), "{line}");
    }
    failure(2, ["report", path(&place), "--by", "day", "--by", "day"]);
}

#[test]
fn days_that_are_not_kept_apart_are_not_left_out_silently() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    let recorder = Recorder::builder().buckets_kept(2).open(&place).unwrap();
    let model = recorder.model("p", "m").unwrap();
    for day in 0..5 {
        for _ in 0..=day {
            let usage = UsageRecord::new(model).at(hours(day * 24));
            recorder.record_timeout(usage, DEADLINE).unwrap();
        }
        recorder.flush(DEADLINE).unwrap();
    }
    recorder.close(DEADLINE).unwrap();
    let all = stdout(["report", path(&place), "--by", "day"]);
    assert!(
        all.contains("older") && !all.contains("leaves out"),
        "{all}"
    );
    let some = stdout(["report", path(&place), "--since", "2023-11-17"]);
    assert!(
        some.contains("--since leaves out 6 requests in `older`"),
        "{some}"
    );
    let csv = stdout([
        "report",
        path(&place),
        "--since",
        "2023-11-17",
        "--format",
        "csv",
    ]);
    assert!(!csv.contains("leaves out"), "{csv}");
}
