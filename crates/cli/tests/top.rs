//! `quipu top` on a pipe, and on a terminal where `script` can make one.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use quipu::Recorder;
use support::{DEADLINE, command, interrupt, record, stdout, store, wait_for};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn f39_frames_on_a_pipe_are_plain_and_end() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| {
        for name in support::NASTY {
            record(recorder, name, name, 2);
        }
        record(recorder, "openai", "gpt-4o", 1_200);
    });
    let said = stdout([
        "top",
        text(&place),
        "--iterations",
        "3",
        "--interval",
        "10ms",
    ]);
    assert_eq!(said.matches("openai").count(), 3, "{said}");
    assert!(
        said.chars().all(|c| c == '\n' || !c.is_control()),
        "{said:?}"
    );
    for words in [
        "1,220",
        "no writer: the store was closed",
        "rejected 0",
        "of 0 slots",
    ] {
        assert_eq!(
            said.contains(words),
            words != "of 0 slots",
            "{words}: {said}"
        );
    }
    // The first frame has nothing to compare with, the second has.
    let frames: Vec<&str> = said.split("\n\n").collect();
    assert!(
        frames[0].contains("requests") && !frames[0].contains("0/s"),
        "{said}"
    );
    assert!(said.contains("0/s"), "{said}");
}

#[test]
fn rates_are_those_of_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    let recorder = Recorder::open(&place).unwrap();
    record(&recorder, "openai", "gpt-4o", 10);
    recorder.flush(DEADLINE).unwrap();
    let mut top = Running::start(command(["top", text(&place), "--interval", "50ms"]));
    let alive = format!("writer alive (process {})", std::process::id());
    top.wait_for(&alive);
    wait_for("a rate", || {
        record(&recorder, "openai", "gpt-4o", 100);
        let seen = top.seen();
        seen.lines()
            .any(|line| {
                let rate = line
                    .strip_prefix("requests")
                    .and_then(|line| line.trim().split(' ').next_back());
                rate.is_some_and(|rate| rate.ends_with("/s") && rate != "0/s")
            })
            .then_some(())
    });
    interrupt(top.child.id());
    assert_eq!(top.child.wait().unwrap().code(), Some(0));
    recorder.close(DEADLINE).unwrap();
}

#[test]
fn a_store_that_appears_later_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    let mut top = Running::start(command(["top", text(&place), "--interval", "10ms"]));
    top.wait_for("there is no store yet");
    store(&place, |recorder| record(recorder, "openai", "gpt-4o", 42));
    top.wait_for("gpt-4o");
    interrupt(top.child.id());
    assert_eq!(top.child.wait().unwrap().code(), Some(0));
}

#[test]
fn q_ends_it_on_a_terminal_and_gives_the_screen_back() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| {
        record(recorder, "openai", "gpt-4o", 1_234);
    });
    for end in [&b"q"[..], b"\x03", b"\x1b"] {
        let line = format!("'{}' top '{}'", env!("CARGO_BIN_EXE_quipu"), text(&place));
        let mut script = Command::new("script");
        script
            .args(["-qec", &line, "/dev/null"])
            .stdin(Stdio::piped());
        let Some(mut top) = Running::try_start(script) else {
            println!("skipped: there is no `script` to make a terminal with");
            return;
        };
        top.wait_for("1,234");
        let mut keys = top.child.stdin.take().unwrap();
        keys.write_all(end).unwrap();
        keys.flush().unwrap();
        let status = wait_for("the end", || top.child.try_wait().unwrap());
        assert_eq!(status.code(), Some(0), "{end:?}");
        top.wait_for("\u{1b}[?1049l");
        let seen = top.seen();
        assert!(
            seen.contains("\u{1b}[?1049h") && seen.contains("\u{1b}[?25h"),
            "{seen:?}"
        );
    }
}

/// A process whose output can be looked at while it runs.
struct Running {
    child: Child,
    output: Arc<Mutex<Vec<u8>>>,
}

impl Running {
    fn start(command: Command) -> Self {
        Self::try_start(command).unwrap()
    }

    fn try_start(mut command: Command) -> Option<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().ok()?;
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let output = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&output);
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(n @ 1..) = stdout.read(&mut piece) {
                sink.lock().unwrap().extend_from_slice(&piece[..n]);
            }
        });
        Some(Self { child, output })
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()).into_owned()
    }

    fn wait_for(&mut self, words: &str) {
        wait_for(words, || self.seen().contains(words).then_some(()));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Where a test fails half-way, its process must not stay.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
