//! `quipu tail` beside a writer that comes, works, goes and is replaced.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use quipu::Recorder;
use serde_json::Value;
use support::{DEADLINE, command, interrupt, record, store, wait_for};

/// A running `quipu tail` whose lines arrive as they are written.
struct Tail {
    child: Child,
    lines: Receiver<String>,
    remarks: Receiver<String>,
}

impl Tail {
    fn start(place: &Path, args: &[&str]) -> Self {
        let place = place.to_str().unwrap();
        let mut child = command(["tail", place, "--interval", "10ms"].iter().chain(args))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = read_lines(child.stdout.take().unwrap());
        let remarks = read_lines(child.stderr.take().unwrap());
        Self {
            child,
            lines,
            remarks,
        }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).unwrap()
    }

    /// Adds lines up until they count so many records: a commit may come at
    /// any time.
    fn records(&self, records: u64) -> Vec<Value> {
        let mut lines: Vec<Value> = Vec::new();
        let mut seen = 0;
        while seen < records {
            let line: Value = serde_json::from_str(&self.line()).unwrap();
            seen += line["records"].as_u64().unwrap();
            lines.push(line);
        }
        assert_eq!(seen, records);
        lines
    }

    /// Waits for a remark with these words.
    fn remark(&self, words: &str) {
        while !self.remarks.recv_timeout(DEADLINE).unwrap().contains(words) {}
    }

    /// Ends it as a user does; its exit code, and lines nobody asked for.
    fn end(mut self) -> (Option<i32>, Vec<String>) {
        interrupt(self.child.id());
        let code = self.child.wait().unwrap().code();
        (code, self.lines.iter().collect())
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        // Where a test fails half-way, its process must not stay.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn sum(lines: &[Value], field: &str) -> u64 {
    lines.iter().filter_map(|line| line[field].as_u64()).sum()
}

/// The models of all lines; the commit that makes a store has none.
fn models(lines: &[Value]) -> Vec<&str> {
    let models = lines
        .iter()
        .flat_map(|line| line["models"].as_array().unwrap());
    models
        .map(|model| model["model"].as_str().unwrap())
        .collect()
}

#[test]
fn each_commit_is_a_line_and_all_add_up() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| record(recorder, "p", "before", 1_000));
    let recorder = Recorder::open(&place).unwrap();
    let tail = Tail::start(&place, &["--format", "json"]);
    tail.remark("1,000 records at generation");
    record(&recorder, "p", "m\n1", 10);
    record(&recorder, "p", "m2", 20);
    recorder.flush(DEADLINE).unwrap();
    let mut lines = tail.records(30);
    record(&recorder, "p", "m2", 3);
    recorder.flush(DEADLINE).unwrap();
    lines.extend(tail.records(3));
    assert_eq!(sum(&lines, "tokens"), 33 * 110);
    assert_eq!(sum(&lines, "cost_nanos"), 33 * 1_000);
    assert_eq!(sum(&lines, "errors"), 0);
    let generations: Vec<_> = lines.iter().map(|l| l["generation"].as_u64()).collect();
    assert!(generations.is_sorted(), "{generations:?}");
    let models = lines
        .iter()
        .flat_map(|line| line["models"].as_array().unwrap());
    let by_name = |name: &str| {
        let of_model = models.clone().filter(|model| model["model"] == name);
        of_model
            .map(|model| model["records"].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!(
        (by_name("m\n1"), by_name("m2"), by_name("before")),
        (10, 23, 0)
    );
    let (code, rest) = tail.end();
    assert_eq!(code, Some(0));
    assert!(rest.is_empty(), "{rest:?}");
    recorder.close(DEADLINE).unwrap();
}

#[test]
fn a_store_that_appears_later_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    let tail = Tail::start(&place, &["--format", "json"]);
    tail.remark("waiting for");
    assert!(!place.exists(), "a reader makes nothing");
    store(&place, |recorder| record(recorder, "p", "m", 5));
    let lines = tail.records(5);
    assert_eq!(models(&lines), ["m"]);
    assert_eq!(tail.end().0, Some(0));
}

#[test]
fn the_writer_may_go_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| record(recorder, "p", "m", 5));
    let tail = Tail::start(&place, &["--format", "json"]);
    tail.remark("has no writer");
    for round in 1..=3 {
        let recorder = Recorder::open(&place).unwrap();
        tail.remark("written by process");
        record(&recorder, "p", "m", round);
        recorder.close(DEADLINE).unwrap();
        tail.records(round);
        tail.remark("has no writer");
    }
    assert_eq!(tail.end().0, Some(0));
}

#[test]
fn a_new_store_in_the_same_place_starts_anew() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| {
        for _ in 0..10 {
            record(recorder, "p", "old", 5);
            recorder.flush(DEADLINE).unwrap();
        }
    });
    let tail = Tail::start(&place, &["--format", "json"]);
    tail.remark("50 records");
    // Renamed rather than removed, so that its inode is not used again.
    fs::rename(&place, dir.path().join("moved")).unwrap();
    tail.remark("waiting for");
    store(&place, |recorder| record(recorder, "p", "new", 7));
    let lines = tail.records(7);
    assert_eq!(models(&lines), ["new"]);
    assert_eq!(tail.end().0, Some(0));
}

#[test]
fn f39_lines_for_people_are_lines() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    let recorder = Recorder::open(&place).unwrap();
    recorder.flush(DEADLINE).unwrap();
    let mut tail = Tail::start(&place, &["--iterations", "1"]);
    tail.remark("0 records at generation");
    for name in support::NASTY {
        record(&recorder, name, name, 1);
    }
    recorder.flush(DEADLINE).unwrap();
    let line = tail.line();
    assert!(
        line.contains(" records") && line.contains(" tokens") && line.contains("+$"),
        "{line}"
    );
    assert!(!line.chars().any(char::is_control), "{line:?}");
    let code = wait_for("the end after one line", || tail.child.try_wait().unwrap());
    assert_eq!(code.code(), Some(0));
    recorder.close(DEADLINE).unwrap();
}

#[test]
fn what_is_damaged_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| record(recorder, "p", "m", 5));
    let aggregate = place.join("aggregate");
    let mut bytes = fs::read(&aggregate).unwrap();
    bytes[64..].fill(0xff);
    fs::write(&aggregate, bytes).unwrap();
    for command in ["tail", "top"] {
        let output = support::run([command, place.to_str().unwrap(), "--interval", "10ms"]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{command}: {errors}");
    }
}
