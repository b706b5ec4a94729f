//! `quipu replay` as a process: what it records, prints and leaves behind.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use quipu::{Day, Outcome, Reader};
use support::{CSV, DEADLINE, command, file, printed, replay, stdout, total};

/// Runs with `bytes` on standard input.
fn piped(command: &mut Command, bytes: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn what_is_recorded_is_in_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let trace = file(directory.path(), "trace.csv", CSV);
    let store = directory.path().join("usage.quipu");
    let text = printed(&mut replay(&trace, &store, &["--start", "2023-05-06"]));
    for words in [
        "gpt-4o",
        "mistral",
        "recorded   3 records",
        "committed  3 records",
        "ns of processor time",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    assert!(!text.contains("temporary"), "{text}");
    let snapshot = Reader::open(&store).unwrap().snapshot().unwrap();
    let total = snapshot.total();
    assert_eq!(total.tokens, [30, 0, 0, 13, 0, 0]);
    assert_eq!(total.reported, [2, 0, 0, 3, 0, 0]);
    assert_eq!(total.outcomes[Outcome::Timeout.index()], 1);
    let days: Vec<Day> = snapshot.by_day().into_iter().map(|day| day.day).collect();
    // The call without a time is booked to the start.
    assert_eq!(
        days,
        ["2023-05-06".parse().unwrap(), "2024-02-29".parse().unwrap()]
    );
    let tenants: Vec<String> = snapshot
        .by_tenant()
        .into_iter()
        .map(|tenant| tenant.tenant.to_string())
        .collect();
    assert_eq!(tenants, ["", "acme"]);
}

#[test]
fn totals_add_up_over_replays_and_repeats() {
    let directory = tempfile::tempdir().unwrap();
    let trace = file(directory.path(), "trace.csv", CSV);
    let store = directory.path().join("usage.quipu");
    printed(&mut replay(&trace, &store, &[]));
    assert_eq!(total(&store).requests, 3);
    let text = printed(&mut replay(
        &trace,
        &store,
        &["--repeat", "1000", "--producers", "3"],
    ));
    assert!(text.contains("1,000 times"), "{text}");
    assert!(text.contains("recorded   3,000 records"), "{text}");
    let total = total(&store);
    assert_eq!((total.requests, total.errors), (3_003, 1_001));
    assert_eq!(total.tokens, [30 * 1_001, 0, 0, 13 * 1_001, 0, 0]);
}

#[test]
fn without_a_store_nothing_stays_behind() {
    let directory = tempfile::tempdir().unwrap();
    let trace = file(directory.path(), "trace.csv", CSV);
    let temporary = tempfile::tempdir().unwrap();
    let mut replay = command(["replay".as_ref(), trace.as_os_str()]);
    let text = printed(replay.env("TMPDIR", temporary.path()));
    assert!(text.contains("recorded   3 records"), "{text}");
    assert!(text.contains("temporary and removed"), "{text}");
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0);
}

#[test]
fn standard_input_is_a_trace() {
    let directory = tempfile::tempdir().unwrap();
    let dash = Path::new("-");
    for (name, more) in [
        ("once", &[][..]),
        ("strict", &["--strict"]),
        ("twice", &["--repeat", "2"]),
    ] {
        let store = directory.path().join(name);
        let output = piped(&mut replay(dash, &store, more), CSV.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("standard input"), "{text}");
        let passes = if name == "twice" { 2 } else { 1 };
        assert_eq!(total(&store).requests, 3 * passes);
    }
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(CSV.as_bytes()).unwrap();
    let store = directory.path().join("gz");
    let output = piped(&mut replay(dash, &store, &[]), &gz.finish().unwrap());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(total(&store).requests, 3);
}

#[test]
fn the_synthetic_day_is_the_same_for_the_same_seed() {
    let directory = tempfile::tempdir().unwrap();
    let day = |name: &str, seed: &str, producers: &str| {
        let store = directory.path().join(name);
        stdout([
            "replay",
            "--requests",
            "20000",
            "--seed",
            seed,
            "--producers",
            producers,
            "--store",
            store.to_str().unwrap(),
        ]);
        total(&store)
    };
    let first = day("a", "1", "1");
    assert_eq!(first.requests, 20_000);
    assert!(first.errors > 100 && first.cost_nanos > 0 && first.unpriced() > 0);
    assert_eq!(first, day("b", "1", "4"));
    assert_ne!(first, day("c", "2", "1"));
}

#[test]
fn a_trace_longer_than_the_memory_bound_is_streamed() {
    let text = stdout(["replay", "--requests", "4300000", "--producers", "2"]);
    assert!(text.contains("recorded   4,300,000 records"), "{text}");
    assert!(text.contains("read while recording"), "{text}");
    assert!(text.contains("committed  4,300,000 records"), "{text}");
}

#[test]
fn the_trace_sets_the_pace() {
    let directory = tempfile::tempdir().unwrap();
    // An hour in all, out of order.
    let trace = file(
        directory.path(),
        "trace.csv",
        "at,provider,model\n\
         2024-01-01T01:00:00Z,p,late\n\
         2024-01-01T00:30:00Z,p,middle\n\
         2024-01-01T00:00:00Z,p,early\n",
    );
    let store = directory.path().join("usage.quipu");
    let began = Instant::now();
    printed(&mut replay(
        &trace,
        &store,
        &["--speed", "7200x", "--repeat", "2"],
    ));
    // Twice half a second; how much longer is the machine's business.
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(total(&store).requests, 6);
}

#[test]
fn a_slow_pipe_is_recorded_as_it_comes() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("usage.quipu");
    let mut child = replay(Path::new("-"), &store, &["--speed", "1000x"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
    let rows = "2023-11-16 18:00:00,1,1\n".repeat(100);
    pipe.write_all(format!("{header}{rows}").as_bytes())
        .unwrap();
    // The pipe is open and half a row is on its way.
    pipe.write_all(b"2023-11-16 18:00:01").unwrap();
    await_requests(&store, 100, &mut child);
    pipe.write_all(b",7,7\n").unwrap();
    await_requests(&store, 101, &mut child);
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(total(&store).tokens, [107, 0, 0, 107, 0, 0]);
}

#[test]
fn ctrl_c_ends_the_wait_for_a_silent_pipe() {
    let directory = tempfile::tempdir().unwrap();
    for (speed, begun) in [("max", false), ("1x", true)] {
        let store = directory.path().join(speed);
        let mut child = replay(Path::new("-"), &store, &["--speed", speed])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(CSV.as_bytes()).unwrap();
        if begun {
            await_requests(&store, 1, &mut child);
        } else {
            // Until it has begun to read.
            std::thread::sleep(Duration::from_millis(300));
        }
        let (code, _, errors) = interrupt(child);
        assert_eq!(code, 130, "{errors}");
        assert_eq!(store.exists(), begun);
        assert_eq!(errors.contains("nothing was recorded"), !begun, "{errors}");
        drop(pipe);
    }
}

/// Waits until the store holds `requests`, while its writer is at work.
fn await_requests(store: &Path, requests: u64, child: &mut Child) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let seen = Reader::open(store)
            .ok()
            .and_then(|reader| reader.snapshot().ok())
            .map_or(0, |snapshot| snapshot.total().requests);
        if seen >= requests {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{seen} of {requests} after {DEADLINE:?}"
        );
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn interrupt(mut child: Child) -> (i32, String, String) {
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let deadline = Instant::now() + DEADLINE;
    while child.try_wait().unwrap().is_none() {
        assert!(
            Instant::now() < deadline,
            "it did not end within {DEADLINE:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn ctrl_c_ends_a_waiting_replay_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let trace = file(
        directory.path(),
        "trace.csv",
        "at,provider,model\n2024-01-01T00:00:00Z,p,first\n2024-01-02T00:00:00Z,p,tomorrow\n",
    );
    let store = directory.path().join("usage.quipu");
    let mut child = replay(&trace, &store, &["--speed", "1x"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    await_requests(&store, 1, &mut child);
    let (code, text, errors) = interrupt(child);
    assert_eq!((code, &*errors), (130, ""));
    assert!(
        text.contains("first") && text.contains("recorded   1 record "),
        "{text}"
    );
    assert!(text.contains("stopped    before the end"), "{text}");
    assert_eq!(total(&store).requests, 1);
}

#[test]
fn ctrl_c_ends_a_busy_replay_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let trace = file(directory.path(), "trace.csv", CSV);
    let store = directory.path().join("usage.quipu");
    let mut child = replay(
        &trace,
        &store,
        &["--repeat", "1000000000000", "--producers", "2"],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    await_requests(&store, 100_000, &mut child);
    let (code, text, errors) = interrupt(child);
    assert_eq!((code, &*errors), (130, ""));
    assert!(text.contains("stopped    before the end"), "{text}");
    let reader = Reader::open(&store).unwrap();
    let stats = reader.stats().unwrap();
    assert!(reader.status().unwrap().clean);
    assert!(stats.committed >= 100_000);
    assert_eq!((stats.accepted, stats.in_ring), (stats.committed, 0));
    assert_eq!(reader.snapshot().unwrap().total().requests, stats.committed);
}
