//! The reading end: calls become records, records become batches, batches go
//! to the producers.

use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::Sender;
use quipu::UsageRecord;

use super::bad_lines::BadLines;
use super::batch::{BATCH, Batch};
use super::gauge::Gauge;
use super::input::{Calls, Input};
use super::names::Names;
use super::pace::{Due, Pace};
use super::speed::Speed;
use super::stop::Stop;
use crate::error::CliError;
use crate::trace::Step;

/// As many records (224 MiB) are kept in memory at full speed, so that the
/// recorder's speed shows and not the reader's. Longer traces are streamed.
pub(super) const IN_MEMORY: usize = 1 << 22;

/// As many rows are put in order when a trace is played by its clock.
pub(super) const ORDERED: usize = 1 << 20;

/// What was fed.
#[derive(Debug, Default)]
pub(super) struct Fed {
    /// When the first record could go out; `None` if none did.
    pub(super) began: Option<Instant>,
    /// The trace was longer than what is kept in memory.
    pub(super) is_streamed: bool,
    pub(super) bad: BadLines,
    /// Why reading ended before the end.
    pub(super) failure: Option<CliError>,
}

/// Reads the input and feeds the producers.
pub(super) struct Feeder<'a> {
    pub(super) input: Input,
    pub(super) names: Names,
    pub(super) repeat: u64,
    pub(super) batches: Sender<Batch>,
    pub(super) gauge: &'a Gauge,
    pub(super) stop: &'a Stop,
    pub(super) fed: Fed,
}

/// Why feeding ended early.
enum End {
    /// Nobody wants more.
    Stopped,
    Failed(CliError),
}

impl<E: Into<CliError>> From<E> for End {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Feeder<'_> {
    /// Feeds everything, `repeat` times.
    pub(super) fn run(mut self, speed: Speed) -> Fed {
        let end = match speed {
            Speed::Max => self.at_full_speed(),
            Speed::Times(factor) => self.by_the_clock(factor),
        };
        if let Err(End::Failed(error)) = end {
            self.fed.failure = Some(error);
        }
        self.fed
    }

    fn at_full_speed(&mut self) -> Result<(), End> {
        let reading = Instant::now();
        let mut calls = self.input.start()?;
        let mut records = Vec::new();
        let read = self.read(&mut calls, 0, &mut records, IN_MEMORY, |_, record| record);
        let records = Arc::new(records);
        let is_whole = matches!(read, Ok(false));
        if !is_whole {
            self.fed.is_streamed = read.is_ok();
            self.fed.began = Some(reading);
            self.send_all(&records)?;
            // What came before the failure is recorded.
            read?;
            drop(records);
            self.stream(&mut calls, 0)?;
            for pass in 1..self.repeat {
                let mut calls = self.input.start()?;
                self.stream(&mut calls, pass)?;
            }
            return Ok(());
        }
        self.gauge.expect(records.len() as u64 * self.repeat);
        self.fed.began = Some(Instant::now());
        for _ in 0..self.repeat {
            self.send_all(&records)?;
        }
        Ok(())
    }

    fn stream(&mut self, calls: &mut Calls, pass: u64) -> Result<(), End> {
        loop {
            let mut records = Vec::with_capacity(BATCH);
            let read = self.read(calls, pass, &mut records, BATCH, |_, record| record);
            self.send(Batch::from(records))?;
            if !read? {
                return Ok(());
            }
        }
    }

    fn by_the_clock(&mut self, factor: f64) -> Result<(), End> {
        for pass in 0..self.repeat {
            let mut calls = self.input.start()?;
            // The window keeps what came too early in the file until its time.
            let mut window = BinaryHeap::new();
            let mut early = Vec::new();
            let mut batch = Vec::with_capacity(BATCH);
            let mut pace = None;
            let mut read = Ok(true);
            loop {
                if matches!(read, Ok(true)) && window.len() < ORDERED {
                    let room = (ORDERED - window.len()).min(BATCH);
                    read = self.read(&mut calls, pass, &mut early, room, Due::new);
                    window.extend(early.drain(..));
                    continue;
                }
                let Some(Due { at, record, .. }) = window.pop() else {
                    break;
                };
                let pace = pace.get_or_insert_with(|| Pace::new(at, factor));
                self.fed.began.get_or_insert_with(Instant::now);
                let wait = pace.wait(at);
                if !wait.is_zero() || batch.len() == BATCH {
                    self.send(Batch::from(std::mem::take(&mut batch)))?;
                    if !wait.is_zero() && !self.stop.sleep(wait) {
                        return Err(End::Stopped);
                    }
                }
                self.gauge.set_moment(at);
                batch.push(record);
            }
            self.send(Batch::from(batch))?;
            read?;
        }
        Ok(())
    }

    /// Reads until `records` has `room` more; false at the end of the pass.
    fn read<T>(
        &mut self,
        calls: &mut Calls,
        pass: u64,
        records: &mut Vec<T>,
        room: usize,
        keep: impl Fn(u64, UsageRecord) -> T,
    ) -> Result<bool, End> {
        let full = records.len() + room;
        while records.len() < full {
            let before = records.len();
            let mut refused = None;
            let step = calls.next(&mut |event| match self.names.record(&event) {
                Ok(record) => records.push(keep(event.at, record)),
                Err(error) => refused = Some(error),
            })?;
            if let Some(error) = refused {
                return Err(error.into());
            }
            match step {
                Step::Read => {}
                Step::End => return Ok(false),
                // The same lines would be bad in every pass.
                Step::Bad(line) if pass == 0 => self.fed.bad.push(line),
                Step::Bad(_) => {}
            }
            if pass == 0 {
                self.gauge.add_read((records.len() - before) as u64);
            }
            if self.stop.is_set() {
                return Err(End::Stopped);
            }
        }
        Ok(true)
    }

    fn send_all(&self, records: &Arc<Vec<UsageRecord>>) -> Result<(), End> {
        Batch::split(records).try_for_each(|batch| self.send(batch))
    }

    fn send(&self, batch: Batch) -> Result<(), End> {
        if batch.records().is_empty() {
            return Ok(());
        }
        // Fails when all producers are gone.
        self.batches.send(batch).map_err(|_| End::Stopped)
    }
}
