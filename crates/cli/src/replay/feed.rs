//! The feeding end: what was read becomes records, records become batches,
//! batches go to the producers.

use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use quipu::UsageRecord;

use super::batch::{BATCH, Batch, IN_MEMORY};
use super::draft::Chunk;
use super::gauge::Gauge;
use super::input::Input;
use super::lookahead::Lookahead;
use super::names::Names;
use super::pace::{Due, Order, Pace};
use super::reading::{Next, Reading};
use super::remarks::Remarks;
use super::speed::Speed;
use super::stop::Stop;
use crate::error::CliError;

/// What was fed.
#[derive(Debug, Default)]
pub(super) struct Fed {
    /// When the first record could go out; `None` if none did.
    pub(super) began: Option<Instant>,
    /// The trace was longer than what is kept in memory.
    pub(super) is_streamed: bool,
    pub(super) remarks: Remarks,
    /// Calls whose names the recorder did not take.
    pub(super) others: u64,
    /// Why reading ended before the end.
    pub(super) failure: Option<CliError>,
}

/// Feeds the producers.
pub(super) struct Feeder<'a> {
    pub(super) input: Input,
    pub(super) names: Names,
    pub(super) repeat: u64,
    pub(super) batches: Sender<Batch>,
    pub(super) gauge: &'a Gauge,
    pub(super) stop: &'a Stop,
    pub(super) fed: Fed,
    /// The same lines are bad in every pass.
    pub(super) is_first_pass: bool,
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
    /// Feeds everything, `repeat` times, beginning with what was read ahead.
    pub(super) fn run(mut self, speed: Speed, ahead: Lookahead) -> Fed {
        let Lookahead {
            chunks,
            rest,
            remarks,
        } = ahead;
        self.fed.remarks = remarks;
        let end = match speed {
            Speed::Max => self.at_full_speed(chunks, rest),
            Speed::Times(factor) => self.by_the_clock(factor, chunks, rest),
        };
        if let Err(End::Failed(error)) = end {
            self.fed.failure = Some(error);
        }
        self.fed
    }

    fn at_full_speed(&mut self, chunks: Vec<Chunk>, mut rest: Option<Reading>) -> Result<(), End> {
        let reading = Instant::now();
        let mut records = 0;
        let mut batches = Vec::new();
        let mut keep = |batch: Batch| {
            records += batch.records().len();
            batches.push(batch);
            records < IN_MEMORY
        };
        let mut has_room = true;
        for chunk in chunks {
            has_room = keep(self.batch(&chunk)?);
        }
        while let (true, Some(reading)) = (has_room, &rest) {
            match self.next(reading)? {
                Some(chunk) => has_room = keep(self.batch(&chunk)?),
                None => rest = None,
            }
        }
        let Some(rest) = rest else {
            self.gauge.expect(records as u64 * self.repeat);
            self.fed.began = Some(Instant::now());
            for _ in 0..self.repeat {
                batches.iter().try_for_each(|b| self.send(b.clone()))?;
            }
            return Ok(());
        };
        self.fed.is_streamed = true;
        self.fed.began = Some(reading);
        batches.into_iter().try_for_each(|batch| self.send(batch))?;
        self.stream(&rest)?;
        for _ in 1..self.repeat {
            let reading = self.read_again()?;
            self.stream(&reading)?;
        }
        Ok(())
    }

    fn stream(&mut self, reading: &Reading) -> Result<(), End> {
        while let Some(chunk) = self.next(reading)? {
            let batch = self.batch(&chunk)?;
            self.send(batch)?;
        }
        Ok(())
    }

    fn by_the_clock(
        &mut self,
        factor: f64,
        chunks: Vec<Chunk>,
        rest: Option<Reading>,
    ) -> Result<(), End> {
        let mut window = BinaryHeap::new();
        for chunk in chunks {
            window.extend(self.due(&chunk)?);
        }
        self.one_pass(factor, window, rest)?;
        for _ in 1..self.repeat {
            let reading = self.read_again()?;
            self.one_pass(factor, BinaryHeap::new(), Some(reading))?;
        }
        Ok(())
    }

    /// One pass by the trace's clock. The window keeps what came too early in
    /// the file until its time.
    fn one_pass(
        &mut self,
        factor: f64,
        mut window: BinaryHeap<Due>,
        mut rest: Option<Reading>,
    ) -> Result<(), End> {
        let order = self.input.order();
        let mut batch = Vec::with_capacity(BATCH);
        let mut pace: Option<Pace> = None;
        loop {
            while let (true, Some(reading)) = (window.len() < order.window(), &rest) {
                let until_due = match (order, window.peek(), &pace) {
                    (Order::Any, ..) | (_, None, _) => Duration::MAX,
                    (_, Some(first), Some(pace)) => pace.wait(first.at),
                    (_, Some(_), None) => Duration::ZERO,
                };
                let mut next = reading.next(Duration::ZERO, self.stop)?;
                if matches!(next, Next::Nothing) && !until_due.is_zero() {
                    self.send(Batch::from(std::mem::take(&mut batch)))?;
                    next = reading.next(until_due, self.stop)?;
                }
                match next {
                    Next::Chunk(mut chunk) => {
                        self.take_in(&mut chunk);
                        window.extend(self.due(&chunk)?);
                    }
                    Next::End => rest = None,
                    Next::Nothing => break,
                    Next::Stopped(_) => return Err(End::Stopped),
                }
            }
            let Some(Due { at, record }) = window.pop() else {
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
        self.send(Batch::from(batch))
    }

    fn read_again(&mut self) -> Result<Reading, End> {
        self.is_first_pass = false;
        Ok(Reading::start(self.input.start()?)?)
    }

    /// Waits for the next chunk; `None` at the end.
    fn next(&mut self, reading: &Reading) -> Result<Option<Chunk>, End> {
        loop {
            match reading.next(Duration::MAX, self.stop)? {
                Next::Chunk(mut chunk) => {
                    self.take_in(&mut chunk);
                    return Ok(Some(chunk));
                }
                Next::End => return Ok(None),
                Next::Nothing => {}
                Next::Stopped(_) => return Err(End::Stopped),
            }
        }
    }

    /// Notes what a chunk tells beside its calls.
    fn take_in(&mut self, chunk: &mut Chunk) {
        if self.is_first_pass {
            self.gauge.add_read(chunk.calls.len() as u64);
            self.fed.remarks.take(chunk);
        }
    }

    fn batch(&mut self, chunk: &Chunk) -> Result<Batch, End> {
        let records = self.records(chunk)?.map(|(_, record)| record);
        Ok(Batch::from(records.collect::<Vec<_>>()))
    }

    fn due(&mut self, chunk: &Chunk) -> Result<Vec<Due>, End> {
        let records = self.records(chunk)?;
        Ok(records.map(|(at, record)| Due::new(at, record)).collect())
    }

    fn records<'c>(
        &mut self,
        chunk: &'c Chunk,
    ) -> Result<impl Iterator<Item = (u64, UsageRecord)> + use<'_, 'c>, End> {
        let records = self.names.records(chunk)?;
        let others = &mut self.fed.others;
        let is_first_pass = self.is_first_pass;
        Ok(records.inspect(move |(_, record)| {
            let is_other = record.model_id().is_other() || record.tenant_id().is_other();
            *others += u64::from(is_first_pass && is_other);
        }))
    }

    fn send(&self, batch: Batch) -> Result<(), End> {
        if batch.records().is_empty() {
            return Ok(());
        }
        // Fails when all producers are gone.
        self.batches.send(batch).map_err(|_| End::Stopped)
    }
}
