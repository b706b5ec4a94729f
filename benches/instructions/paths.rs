//! The paths and their budgets.

use std::time::{Duration, SystemTime};

use quipu::{Builder, Recorder, TokenKind, UsageRecord};

use crate::{consumer, producer, reader};

/// One path.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) name: &'static str,
    /// The most instructions that a unit of its work may take.
    pub(crate) budget: f64,
    /// Where they are counted.
    pub(crate) thread: Thread,
    /// Does `units` units of work, so many times.
    pub(crate) work: fn(u64),
    pub(crate) units: u64,
}

/// Threads of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Thread {
    /// That which calls the recorder.
    Caller,
    /// The recorder's own.
    Consumer,
}

impl Thread {
    /// Its part of what all threads executed.
    pub(crate) fn of(self, counts: &[u64]) -> u64 {
        match self {
            Self::Caller => counts[0],
            Self::Consumer => counts[1..].iter().sum(),
        }
    }
}

/// About a tenth above what was counted when they were set. One that is far
/// from being used up should be lowered: it guards nothing.
pub(crate) const PATHS: [Path; 9] = [
    Path {
        name: "record()",
        budget: 63.0,
        thread: Thread::Caller,
        work: producer::record,
        units: producer::RECORDS,
    },
    Path {
        name: "record_batch() of 64, per record",
        budget: 29.0,
        thread: Thread::Caller,
        work: producer::record_batch,
        units: producer::RECORDS,
    },
    Path {
        name: "record() on a full ring of 4 shards",
        budget: 208.0,
        thread: Thread::Caller,
        work: producer::refused,
        units: producer::REFUSALS,
    },
    Path {
        name: "drain and fold, one row, per record",
        budget: 346.0,
        thread: Thread::Consumer,
        work: consumer::fold_one_row,
        units: consumer::RECORDS,
    },
    Path {
        name: "drain and fold, 8 models × 32 tenants, per record",
        budget: 347.0,
        thread: Thread::Consumer,
        work: consumer::fold_many_rows,
        units: consumer::RECORDS,
    },
    Path {
        name: "commit and publish, per changed row",
        budget: 1020.0,
        thread: Thread::Consumer,
        work: consumer::commit,
        units: consumer::ROWS,
    },
    Path {
        name: "snapshot()",
        budget: 86.0,
        thread: Thread::Caller,
        work: reader::load,
        units: reader::LOADS,
    },
    Path {
        name: "Reader::open and first snapshot(), per row",
        budget: 1285.0,
        thread: Thread::Caller,
        work: reader::open,
        units: reader::ROWS * reader::OPENS,
    },
    Path {
        name: "Reader::snapshot() after a change, per row held",
        budget: 49.0,
        thread: Thread::Caller,
        work: reader::poll,
        units: reader::ROWS * reader::POLLS,
    },
];

/// Longer than any run: the consumer sleeps unless it is asked.
pub(crate) const NEVER: Duration = Duration::from_secs(3600);

/// A recorder whose consumer sleeps until it is told to flush, or a shard is
/// half full.
pub(crate) fn quiet() -> Builder {
    Recorder::builder()
        .shards(1)
        .shard_capacity(1 << 17)
        .flush_interval(NEVER)
        .flush_records(u64::MAX)
}

/// Lets the consumer fall asleep, so that it finds all of the next records at
/// once.
pub(crate) fn settle() {
    std::thread::sleep(Duration::from_millis(100));
}

/// One moment of one day: the same rows whenever this runs.
pub(crate) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// A call with everything that a record can hold.
pub(crate) fn usage(recorder: &Recorder) -> UsageRecord {
    UsageRecord::new(recorder.model("openai", "gpt-4o").unwrap())
        .tenant(recorder.tenant("acme").unwrap())
        .tokens(TokenKind::Input, 812)
        .tokens(TokenKind::Output, 143)
        .cost_nanos(4_110_000)
        .latency(Duration::from_millis(730))
        .time_to_first_token(Duration::from_millis(180))
        .at(noon())
}

/// Records of as many rows: of each of `models` models, `tenants` tenants.
/// None has a latency, so that no rows of histograms come with them.
pub(crate) fn one_per_row(recorder: &Recorder, models: u64, tenants: u64) -> Vec<UsageRecord> {
    let models: Vec<_> = (0..models)
        .map(|n| recorder.model("openai", &format!("model {n}")).unwrap())
        .collect();
    let tenants: Vec<_> = (0..tenants)
        .map(|n| recorder.tenant(&format!("tenant {n}")).unwrap())
        .collect();
    let record = |model, tenant| UsageRecord::new(model).tenant(tenant).at(noon());
    let of = |model| tenants.iter().map(move |tenant| record(model, *tenant));
    models.into_iter().flat_map(of).collect()
}
