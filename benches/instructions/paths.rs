//! The paths and their budgets.

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

/// A twentieth above what was counted when they were set; a tenth or more where
/// the C library's way to copy counts (commit) or what the compiler inlines does
/// (`snapshot()`). One that is far from being used up should be lowered: it
/// guards nothing.
pub(crate) const PATHS: [Path; 9] = [
    Path {
        name: "record()",
        budget: 60.0,
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
        budget: 220.0,
        thread: Thread::Caller,
        work: producer::refused,
        units: producer::REFUSALS,
    },
    Path {
        name: "drain and fold, one row, per record",
        budget: 148.0,
        thread: Thread::Consumer,
        work: consumer::fold_one_row,
        units: consumer::RECORDS,
    },
    Path {
        name: "drain and fold, 8 models × 32 tenants, per record",
        budget: 148.0,
        thread: Thread::Consumer,
        work: consumer::fold_many_rows,
        units: consumer::RECORDS,
    },
    Path {
        name: "commit and publish, per changed row",
        budget: 945.0,
        thread: Thread::Consumer,
        work: consumer::commit,
        units: consumer::ROWS,
    },
    Path {
        name: "snapshot()",
        budget: 92.0,
        thread: Thread::Caller,
        work: reader::load,
        units: reader::LOADS,
    },
    Path {
        name: "Reader::open and first snapshot(), per row",
        budget: 1190.0,
        thread: Thread::Caller,
        work: reader::open,
        units: reader::ROWS * reader::OPENS,
    },
    Path {
        name: "Reader::snapshot() after a change, per row held",
        budget: 51.0,
        thread: Thread::Caller,
        work: reader::poll,
        units: reader::ROWS * reader::POLLS,
    },
];
