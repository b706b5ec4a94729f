//! `record()` with nobody reading, against the same with a hundred readers in
//! another process that poll the store. The process is stopped and continued
//! in turn, round by round.

use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use quipu::{Reader, Recorder};
use rustix::process::{Pid, Signal, kill_process};

use crate::record::{CAPACITY, burst, usage};
use crate::sample::{Sample, ratio};
use crate::{Effort, NEVER, children, line};

const READERS: usize = 100;
/// Each reader asks for a snapshot so often.
const EVERY: Duration = Duration::from_millis(10);
/// Bursts before the readers are stopped or continued.
const BURSTS: usize = 20;

/// The process of the readers.
struct Readers(Child);

impl Readers {
    fn start(store: &Path) -> Self {
        let mut command = children::command("readers", store);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");
        Self(child)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn measure(effort: Effort) {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("usage.quipu");
    let recorder = Recorder::builder()
        .shards(2)
        .shard_capacity(CAPACITY)
        .flush_interval(NEVER)
        .flush_records(u64::MAX)
        .open(&store)
        .unwrap();
    let usage = usage(&recorder);
    recorder.record(usage).unwrap();
    recorder.flush(NEVER).unwrap();
    let readers = Readers::start(&store);
    let (mut alone, mut polled) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        for (signal, took) in [(Signal::STOP, &mut alone), (Signal::CONT, &mut polled)] {
            readers.signal(signal);
            for _ in 0..BURSTS {
                took.push(burst(1, || {
                    recorder.record(black_box(usage)).unwrap();
                }));
                // A commit for the readers to copy.
                recorder.flush(NEVER).unwrap();
            }
        }
    }
    let by = ratio(&polled, &alone);
    let name = format!("record(), {READERS} readers polling, against none");
    line(&name, &Sample::new(polled), "ns", Some(by));
    let name = "  record(), no readers, store in a file";
    line(name, &Sample::new(alone), "ns", None);
}

/// In the child: the readers.
pub(crate) fn poll(store: &Path) {
    thread::scope(|scope| {
        for _ in 0..READERS {
            let reader = Reader::open(store).unwrap();
            scope.spawn(move || {
                loop {
                    // One that says that the writer is too fast asks again.
                    let _ = black_box(reader.snapshot());
                    thread::sleep(EVERY);
                }
            });
        }
        println!("ready");
    });
}
