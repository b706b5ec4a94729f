//! A recorder with default settings that does nothing, in a process of its own.

use std::path::Path;
use std::thread;
use std::time::Duration;

use quipu::Recorder;

use crate::common::text::{count, figure};
use crate::common::usage::spread;
use crate::common::{Effort, NEVER, child, process};

/// Rows of the second store.
const ROWS: usize = 10_000;
const MIB: f64 = 1024.0 * 1024.0;

pub(crate) fn measure(effort: Effort) {
    let seconds = if effort.quick { 1 } else { 10 };
    let dir = tempfile::tempdir().unwrap();
    print!(
        "{}",
        child::output("idle, empty", seconds, &dir.path().join("empty"))
    );
    let store = dir.path().join("used");
    let recorder = Recorder::open(&store).unwrap();
    for usage in spread(&recorder, ROWS) {
        recorder.record_timeout(usage, NEVER).unwrap();
    }
    recorder.close(NEVER).unwrap();
    let what = format!("idle, {} rows", count(ROWS));
    print!("{}", child::output(&what, seconds, &store));
}

/// In the child.
pub(crate) fn run(store: &Path, seconds: usize) {
    let what = child::job().unwrap().what;
    let nothing = process::resident();
    let recorder = Recorder::open(store).unwrap();
    let before = (process::cpu_nanos(), process::switches());
    thread::sleep(Duration::from_secs(seconds as u64));
    let cpu = (process::cpu_nanos() - before.0) as f64 / 1e9;
    let wakes = (process::switches() - before.1) as f64;
    let seconds = seconds as f64;
    figure(
        &format!("{what}: share of one core"),
        cpu / seconds * 100.0,
        "%",
    );
    figure(&format!("{what}: wake-ups"), wakes / seconds, "/s");
    let resident = process::resident();
    let mib = |bytes: u64| bytes as f64 / MIB;
    figure(
        &format!("{what}: resident memory"),
        mib(resident.total()),
        "MiB",
    );
    figure("  of which own memory", mib(resident.own), "MiB");
    figure(
        "  before the recorder was opened",
        mib(nothing.total()),
        "MiB",
    );
    drop(recorder);
}
