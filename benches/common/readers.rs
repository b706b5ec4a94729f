//! Readers that poll a store, as threads of a process of their own, which is
//! stopped and continued.

use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use quipu::Reader;
use rustix::process::{Pid, Signal, kill_process};

use super::child;

/// The word for the child's job.
pub(crate) const JOB: &str = "readers";

/// Each reader asks for a snapshot so often.
pub(crate) const EVERY: Duration = Duration::from_millis(10);

/// The process of the readers.
#[derive(Debug)]
pub(crate) struct Readers(Child);

impl Readers {
    pub(crate) fn start(store: &Path, count: usize) -> Self {
        let mut command = child::command(JOB, count, store);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");
        Self(child)
    }

    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
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

/// In the child: the readers.
pub(crate) fn poll(store: &Path, count: usize) {
    thread::scope(|scope| {
        for _ in 0..count {
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
