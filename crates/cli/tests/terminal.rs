//! What people see on terminals of 80 and of 40 columns, where `script` can
//! make one.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use quipu::{Recorder, TokenKind, UsageRecord};
use support::{DEADLINE, hours, stdout, store};

/// Runs the command on a terminal of so many columns.
fn spawn(columns: usize, args: &str) -> Option<Child> {
    let line = format!(
        "stty cols {columns} rows 40; '{}' {args}",
        env!("CARGO_BIN_EXE_quipu")
    );
    let child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .ok();
    if child.is_none() {
        println!("skipped: there is no `script` to make a terminal with");
    }
    child
}

/// The lines it wrote, without what moves the cursor.
fn lines(child: Child) -> Vec<String> {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.find(char::is_ascii_alphabetic);
        } else if c != '\r' {
            plain.push(c);
        }
    }
    plain.lines().map(str::to_owned).collect()
}

/// A store in which most tokens come from a cache and nothing has a price.
fn cached(place: &Path) {
    store(place, |recorder| {
        for name in ["claude-opus-4-5-20251101", "claude-sonnet-4-20250514"] {
            record(recorder, name);
        }
    });
}

fn record(recorder: &Recorder, model: &str) {
    let model = recorder.model("anthropic", model).unwrap();
    for _ in 0..1_000 {
        let usage = UsageRecord::new(model)
            .at(hours(0))
            .tokens(TokenKind::Input, 54_317)
            .tokens(TokenKind::CacheRead, 1_455_711)
            .tokens(TokenKind::Output, 6_558)
            .latency(Duration::from_millis(730));
        recorder.record_timeout(usage, DEADLINE).unwrap();
    }
}

#[test]
fn a_report_keeps_what_matters_most() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    cached(&place);
    for (columns, needed) in [
        (40, &["model", "requests", "cache read"][..]),
        (
            80,
            &["requests", "cache read", "input", "output", "of tokens"],
        ),
        (120, &["cache read", "of tokens", "p50"]),
    ] {
        let args = format!("report '{}' --by model", place.display());
        let Some(child) = spawn(columns, &args) else {
            return;
        };
        let lines = lines(child);
        for header in needed {
            assert!(lines[1].contains(header), "{columns}: {lines:#?}");
        }
        if columns == 120 {
            assert!(lines[0].contains(" latency "), "{lines:#?}");
            assert!(lines.iter().any(|line| line.contains('█')), "{lines:#?}");
        }
        for line in &lines {
            assert!(line.chars().count() <= columns, "{columns}: {line}");
        }
    }
}

#[test]
fn top_says_everything_on_a_narrow_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    let recorder = Recorder::open(&place).unwrap();
    record(&recorder, "claude-opus-4-5-20251101");
    recorder.flush(DEADLINE).unwrap();
    for columns in [40, 80] {
        let args = format!("top '{}' --iterations 1", place.display());
        let Some(child) = spawn(columns, &args) else {
            return;
        };
        let lines = lines(child);
        let text = lines.join(" ");
        for words in ["slots in use,", "at most", "(longest ", "records each"] {
            assert!(text.contains(words), "{columns}: {words}: {lines:#?}");
        }
        assert!(!text.contains("▕▏"), "{lines:#?}");
        for line in &lines {
            assert!(line.chars().count() <= columns, "{columns}: {line}");
        }
    }
    recorder.close(DEADLINE).unwrap();
}

#[test]
fn tail_has_all_numbers_on_a_narrow_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    for columns in [40, 80] {
        let recorder = Recorder::open(&place).unwrap();
        let args = format!("tail '{}' --iterations 1", place.display());
        let Some(mut child) = spawn(columns, &args) else {
            return;
        };
        while child.try_wait().unwrap().is_none() {
            let model = recorder.model("p", "m").unwrap();
            let usage = UsageRecord::new(model)
                .tokens(TokenKind::Input, 12)
                .cost_nanos(1_000_000);
            recorder.record_timeout(usage, DEADLINE).unwrap();
            recorder.flush(DEADLINE).unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        recorder.close(DEADLINE).unwrap();
        let lines = lines(child);
        let line = lines.last().unwrap();
        for words in ["rec", "tok", "$0.0"] {
            assert!(line.contains(words), "{columns}: {lines:#?}");
        }
        assert!(line.chars().count() <= columns, "{columns}: {line}");
    }
}

#[test]
fn a_long_name_does_not_make_piped_lines_long() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    let long = "n".repeat(255);
    store(&place, |recorder| {
        record(recorder, &long);
        record(recorder, "short");
    });
    let place = place.to_str().unwrap();
    for args in [
        &["report", place, "--by", "model"][..],
        &["top", place, "--iterations", "1"],
    ] {
        let text = stdout(args);
        assert!(text.contains("nnn…nnn") && text.contains("short"), "{text}");
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest < Some(250), "{longest:?}: {text}");
    }
    let csv = stdout(["report", place, "--by", "model", "--format", "csv"]);
    assert!(csv.contains(&long), "{csv}");
}
