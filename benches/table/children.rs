//! What needs a process of its own: recovery after a death, and idling.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use quipu::{Recorder, UsageRecord};

use crate::sample::Sample;
use crate::{Effort, NEVER, line, readers};

const CHILD: &str = "QUIPU_BENCH_CHILD";
const STORE: &str = "QUIPU_BENCH_STORE";

pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

pub(crate) fn run() {
    let store = std::env::var_os(STORE).unwrap();
    match std::env::var(CHILD).unwrap().as_str() {
        "idle" => idle(Path::new(&store)),
        "readers" => readers::poll(Path::new(&store)),
        records => fill_and_die(Path::new(&store), records.parse().unwrap()),
    }
}

pub(crate) fn measure(effort: Effort) {
    let records = if effort.quick { 1 << 16 } else { 1 << 20 };
    let rounds = (0..effort.rounds.min(9)).map(|_| {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("usage.quipu");
        spawn(&records.to_string(), &store);
        let start = Instant::now();
        let recorder = Recorder::open(&store).unwrap();
        let took = start.elapsed().as_secs_f64() * 1e3;
        assert_eq!(recorder.stats().replayed, records);
        took
    });
    let sample = Sample::new(rounds.collect());
    let name = format!("recovery of {records} records left in the ring");
    line(&name, &sample, "ms", None);

    let dir = tempfile::tempdir().unwrap();
    let seconds = if effort.quick { "1" } else { "10" };
    print!("{}", spawn_for(seconds, dir.path()));
}

fn spawn(what: &str, store: &Path) {
    let mut child = command(what, store).stdout(Stdio::null()).spawn().unwrap();
    assert!(!child.wait().unwrap().success(), "the child was to die");
}

fn spawn_for(seconds: &str, dir: &Path) -> String {
    let mut command = command("idle", &dir.join("usage.quipu"));
    let output = command.env("SECONDS", seconds).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn command(what: &str, store: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(CHILD, what).env(STORE, store);
    command
}

/// Leaves `records` records in the ring and dies. The ring is twice as large,
/// so that the consumer is not woken.
fn fill_and_die(store: &Path, records: usize) {
    let recorder = Recorder::builder()
        .shards(1)
        .shard_capacity(4 * records)
        .flush_interval(NEVER)
        .flush_records(u64::MAX)
        .open(store)
        .unwrap();
    let models: Vec<_> = (0..16)
        .map(|n| recorder.model("openai", &format!("model {n}")).unwrap())
        .collect();
    for n in 0..records {
        let usage = UsageRecord::new(models[n % 16])
            .tokens(quipu::TokenKind::Input, n as u64)
            .latency(Duration::from_micros(n as u64))
            .at(std::time::SystemTime::now());
        recorder.record(usage).unwrap();
    }
    std::process::abort();
}

/// Opens a store with default settings, does nothing for a while, and prints
/// what that took.
fn idle(store: &Path) {
    let seconds: f64 = std::env::var("SECONDS").unwrap().parse().unwrap();
    let recorder = Recorder::open(store).unwrap();
    let before = (cpu_nanos(), switches());
    std::thread::sleep(Duration::from_secs_f64(seconds));
    let cpu = (cpu_nanos() - before.0) as f64 / 1e9 / seconds * 100.0;
    let wakes = (switches() - before.1) as f64 / seconds;
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let rss = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let rss: f64 = rss.trim().trim_end_matches(" kB").parse().unwrap();
    println!(
        "{:<58} {:>14}",
        "idle: share of one core",
        format!("{cpu:.3} %")
    );
    println!("{:<58} {:>14}", "idle: wake-ups", format!("{wakes:.1} /s"));
    println!(
        "{:<58} {:>14}",
        "idle: resident memory",
        format!("{:.1} MiB", rss / 1024.0)
    );
    drop(recorder);
}

/// CPU time of all threads, in nanoseconds.
fn cpu_nanos() -> u64 {
    threads()
        .map(|dir| fs::read_to_string(dir.join("schedstat")).unwrap())
        .map(|text| text.split(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}

/// Voluntary context switches of all threads.
fn switches() -> u64 {
    threads()
        .map(|dir| fs::read_to_string(dir.join("status")).unwrap())
        .filter_map(|text| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            line.trim().parse::<u64>().ok()
        })
        .sum()
}

fn threads() -> impl Iterator<Item = std::path::PathBuf> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    tasks.map(|entry| entry.unwrap().path())
}
