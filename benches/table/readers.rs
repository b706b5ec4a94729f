//! `record()` with nobody reading, against the same with a hundred readers in
//! another process that poll the store. The process is stopped and continued
//! in turn, round by round.

use std::hint::black_box;

use crate::common::readers::Readers;
use crate::common::sample::{Sample, ratio};
use crate::common::text::line;
use crate::common::usage::{lazy, usage};
use crate::common::{Effort, NEVER};
use crate::record::burst;

const READERS: usize = 100;
/// Bursts before the readers are stopped or continued.
const BURSTS: usize = 20;

pub(crate) fn measure(effort: Effort) {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("usage.quipu");
    let recorder = lazy().open(&store).unwrap();
    let usage = usage(&recorder);
    recorder.record(usage).unwrap();
    recorder.flush(NEVER).unwrap();
    let readers = Readers::start(&store, READERS);
    let (mut alone, mut polled) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        for (poll, took) in [(false, &mut alone), (true, &mut polled)] {
            if poll {
                readers.go_on();
            } else {
                readers.stop();
            }
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
