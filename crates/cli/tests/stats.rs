//! `quipu stats` against what the recorder says of itself.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use quipu::{Recorder, Stats, UsageRecord};
use serde_json::Value;
use support::{DEADLINE, command, record, run, stdout, store, wait_for};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&stdout(["stats", text(path), "--format", "json"])).unwrap()
}

/// Makes a store that has seen a full ring, and returns its last word.
fn busy(place: &Path) -> Stats {
    let recorder = Recorder::builder()
        .shards(1)
        .shard_capacity(64)
        .open(place)
        .unwrap();
    let model = recorder.model("p", "m").unwrap();
    recorder.tenant("acme").unwrap();
    let mut refused = 0;
    while refused < 10 {
        for _ in 0..1_000 {
            refused += u64::from(recorder.record(UsageRecord::new(model)).is_err());
        }
    }
    recorder.flush(DEADLINE).unwrap();
    recorder.close(DEADLINE).unwrap()
}

#[test]
fn a_closed_store_says_what_its_recorder_said() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    let stats = busy(&place);
    assert!(stats.rejected_full >= 10);
    let json = json(&place);
    for (field, expected) in [
        ("attempted", stats.attempted),
        ("accepted", stats.accepted),
        ("rejected", stats.rejected),
        ("rejected_full", stats.rejected_full),
        ("rejected_closed", stats.rejected_closed),
        ("committed", stats.committed),
        ("in_ring", 0),
        ("replayed", 0),
        ("holes", 0),
        ("generation", stats.generation),
        ("models", stats.models),
        ("tenants", stats.tenants),
    ] {
        assert_eq!(json[field].as_u64(), Some(expected), "{field}");
    }
    assert_eq!(json["balances"], true);
    assert_eq!(json["clean"], true);
    assert_eq!(json["writer"], "gone");
    assert!(json["writer_pid"].is_null());
    assert!(json["degraded"].is_null());
    assert!(json["age_us"].is_u64());

    let table = stdout(["stats", text(&place)]);
    for name in [
        "attempted",
        "accepted",
        "in ring",
        "writer",
        "ring high water",
    ] {
        assert!(
            table.lines().any(|line| line.starts_with(name)),
            "{name}: {table}"
        );
    }
    assert!(
        table.contains(" = accepted ") && table.contains(" = committed "),
        "{table}"
    );
    assert!(!table.contains('≠'), "{table}");

    let csv = stdout(["stats", text(&place), "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1);
    for (name, value) in header.iter().zip(&rows[0]) {
        match &json[name] {
            Value::Null => assert_eq!(value, "", "{name}"),
            Value::String(text) => assert_eq!(value, text, "{name}"),
            // Time goes on between two calls.
            _ if name == "age_us" => assert!(value.parse::<u64>().is_ok()),
            other => assert_eq!(value, other.to_string(), "{name}"),
        }
    }
}

#[test]
fn a_live_writer_is_alive() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    let recorder = Recorder::open(&place).unwrap();
    record(&recorder, "p", "m", 1_000);
    recorder.flush(DEADLINE).unwrap();
    let json = json(&place);
    assert_eq!(json["writer"], "alive");
    assert_eq!(json["writer_pid"].as_u64(), Some(std::process::id().into()));
    assert_eq!(json["clean"], false);
    assert_eq!(json["committed"], 1_000);
    assert_eq!(json["balances"], true);
    recorder.close(DEADLINE).unwrap();
}

#[test]
fn numbers_go_on_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    for round in 1..=3u64 {
        store(&place, |recorder| record(recorder, "p", "m", 10));
        assert_eq!(json(&place)["committed"].as_u64(), Some(round * 10));
    }
}

/// A real writer in a process of its own, to be stopped and killed.
struct Writer(std::process::Child);

impl Writer {
    /// Plays a synthetic day in real time, so it lives until it is killed.
    fn start(place: &Path) -> Self {
        let args = ["replay", "--speed", "1x", "--store", text(place)];
        let mut command = command(args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.0.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_writer_that_is_stopped_or_killed_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    let writer = Writer::start(&place);
    let seen = |state: &str| {
        wait_for(state, || {
            let output = run(["stats", text(&place), "--format", "json"]);
            let json: Value = serde_json::from_slice(&output.stdout).ok()?;
            (json["writer"] == state).then_some(json)
        })
    };
    let alive = seen("alive");
    assert_eq!(alive["writer_pid"].as_u64(), Some(writer.0.id().into()));
    assert_eq!(alive["clean"], false);

    writer.signal("-STOP");
    let stalled = seen("stalled");
    assert_eq!(stalled["writer_pid"].as_u64(), Some(writer.0.id().into()));
    assert!(stalled["writer_silent_us"].as_u64() > Some(0), "{stalled}");
    assert_eq!(stalled["balances"], true);
    let report = stdout(["report", text(&place)]);
    assert!(report.contains("silent for"), "{report}");

    writer.signal("-KILL");
    let gone = seen("gone");
    assert_eq!(gone["clean"], false);
    assert_eq!(gone["balances"], true);
    let report = stdout(["report", text(&place)]);
    assert!(report.contains("writer gone without closing"), "{report}");
    let top = stdout(["top", text(&place), "--iterations", "1"]);
    assert!(top.contains("writer gone without closing"), "{top}");
    stdout(["verify", text(&place)]);

    // The next writer counts what the ring still held and closes properly.
    store(&place, |_| {});
    let closed = json(&place);
    assert_eq!(closed["clean"], true);
    assert_eq!(closed["in_ring"], 0);
    assert_eq!(closed["balances"], true);
}
