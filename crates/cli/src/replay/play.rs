//! The threads of a replay, from the first record to the last.

use std::time::Instant;

use crossbeam_channel::{RecvTimeoutError, bounded};
use quipu::Recorder;

use super::feed::{Fed, Feeder};
use super::gauge::Gauge;
use super::input::Input;
use super::lookahead::Lookahead;
use super::names::Names;
use super::producers::{self, Produced};
use super::progress::{self, Progress};
use super::speed::Speed;
use super::stop::Stop;

/// Batches that wait for each producer.
const WAITING_BATCHES: usize = 4;

/// How to play.
#[derive(Debug)]
pub(super) struct Play {
    pub(super) speed: Speed,
    pub(super) repeat: u64,
    pub(super) producers: usize,
}

impl Play {
    /// Plays the input and tells when the last producer was done.
    pub(super) fn run(
        &self,
        input: Input,
        ahead: Lookahead,
        recorder: &Recorder,
        gauge: &Gauge,
        stop: &Stop,
    ) -> (Fed, Produced, Instant) {
        if let Some(calls) = input.calls() {
            gauge.expect(calls.saturating_mul(self.repeat));
        }
        let (batches, work) = bounded(self.producers * WAITING_BATCHES);
        // Never carries anything: it ends when the last producer does.
        let (at_work, done) = bounded::<()>(0);
        let feeder = Feeder {
            input,
            names: Names::new(recorder.clone()),
            repeat: self.repeat,
            batches,
            gauge,
            stop,
            fed: Fed::default(),
            is_first_pass: true,
        };
        std::thread::scope(|scope| {
            let feeding = scope.spawn(|| feeder.run(self.speed, ahead));
            let producing: Vec<_> = (0..self.producers)
                .map(|_| {
                    let (work, at_work) = (work.clone(), at_work.clone());
                    scope.spawn(move || {
                        let produced = producers::produce(recorder, &work, gauge, stop);
                        drop(at_work);
                        produced
                    })
                })
                .collect();
            drop((work, at_work));
            let mut progress = Progress::new();
            while let Err(RecvTimeoutError::Timeout) = done.recv_timeout(progress::INTERVAL) {
                progress.show(gauge, Some(recorder));
            }
            let produced_at = Instant::now();
            drop(progress);
            let mut produced = Produced::default();
            for thread in producing {
                produced.merge(&joined(thread.join()));
            }
            (joined(feeding.join()), produced, produced_at)
        })
    }
}

/// A thread's result; its panic, if it had one, goes on here.
fn joined<T>(result: std::thread::Result<T>) -> T {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
