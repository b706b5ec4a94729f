//! The threads that stand for a gateway's: each takes batches and records
//! them one by one.

use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use quipu::{RecordError, Recorder, UsageRecord};

use super::batch::Batch;
use super::clock::ThreadClock;
use super::gauge::Gauge;
use super::stop::Stop;

/// How long one wait for room lasts before the stop is looked at again.
const WAIT: Duration = Duration::from_millis(50);

/// What producers did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Produced {
    /// Records that the recorder accepted.
    pub(super) records: u64,
    /// Processor time spent in `record` alone, waits not counted.
    pub(super) busy: Duration,
    /// How often the ring was full.
    pub(super) waits: u64,
    /// How long it was waited for, over all threads.
    pub(super) waited: Duration,
    /// The recorder was closed under the producer's hands.
    pub(super) is_refused: bool,
}

impl Produced {
    pub(super) fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.busy += other.busy;
        self.waits += other.waits;
        self.waited += other.waited;
        self.is_refused |= other.is_refused;
    }

    /// Processor time of one `record`.
    pub(super) fn per_record(&self) -> Option<f64> {
        (self.records > 0).then(|| self.busy.as_nanos() as f64 / self.records as f64)
    }
}

/// Records batches until there are no more.
pub(super) fn produce(
    recorder: &Recorder,
    batches: &Receiver<Batch>,
    gauge: &Gauge,
    stop: &Stop,
) -> Produced {
    let mut produced = Produced::default();
    for batch in batches {
        if stop.is_set() {
            break;
        }
        let before = produced.records;
        let is_done = play(recorder, batch.records(), stop, &mut produced);
        gauge.add_recorded(produced.records - before);
        if !is_done {
            break;
        }
    }
    produced
}

/// Records one batch; false if it was stopped.
fn play(
    recorder: &Recorder,
    mut records: &[UsageRecord],
    stop: &Stop,
    produced: &mut Produced,
) -> bool {
    loop {
        // One clock for a whole run: one for each call would cost more than
        // the call.
        let clock = ThreadClock::start();
        let refused = records
            .iter()
            .position(|record| recorder.record(*record).is_err());
        produced.busy += clock.elapsed();
        let Some(refused) = refused else {
            produced.records += records.len() as u64;
            return true;
        };
        produced.records += refused as u64;
        if !wait_for_room(recorder, records[refused], stop, produced) {
            return false;
        }
        produced.records += 1;
        records = &records[refused + 1..];
    }
}

/// Gets one record into a full ring; false if it was stopped before.
fn wait_for_room(
    recorder: &Recorder,
    record: UsageRecord,
    stop: &Stop,
    produced: &mut Produced,
) -> bool {
    produced.waits += 1;
    let began = Instant::now();
    let is_in = loop {
        match recorder.record_timeout(record, WAIT) {
            Ok(()) => break true,
            Err(RecordError::Closed) => {
                produced.is_refused = true;
                break false;
            }
            Err(RecordError::Full) if stop.is_set() => break false,
            Err(RecordError::Full) => {}
        }
    };
    produced.waited += began.elapsed();
    is_in
}
