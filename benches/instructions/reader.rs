//! What those execute that look at the counts.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use quipu::{Reader, Recorder, UsageRecord};
use tempfile::TempDir;

use crate::common::NEVER;
use crate::common::usage::{spread, usage};
use crate::ground::{roomy, settle};

pub(crate) const LOADS: u64 = 1 << 14;

pub(crate) fn load(times: u64) {
    let recorder = roomy().in_memory().unwrap();
    recorder.record(usage(&recorder)).unwrap();
    recorder.flush(NEVER).unwrap();
    settle();
    for _ in 0..times * LOADS {
        black_box(recorder.snapshot());
    }
}

/// Rows held.
pub(crate) const ROWS: u64 = 1 << 12;

/// A store of [`ROWS`] rows, that is being written.
struct Store {
    recorder: Recorder,
    records: Vec<UsageRecord>,
    path: PathBuf,
    _dir: TempDir,
}

impl Store {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("usage.quipu");
        let recorder = roomy().open(&path).unwrap();
        let records = spread(&recorder, ROWS as usize);
        assert_eq!(recorder.record_batch(&records), records.len());
        recorder.flush(NEVER).unwrap();
        settle();
        Self {
            recorder,
            records,
            path,
            _dir: dir,
        }
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn change_one(&self) {
        self.recorder.record(self.records[0]).unwrap();
        self.recorder.flush(NEVER).unwrap();
    }
}

pub(crate) const OPENS: u64 = 8;

pub(crate) fn open(times: u64) {
    let store = Store::new();
    for _ in 0..times * OPENS {
        let reader = Reader::open(store.path()).unwrap();
        black_box(reader.snapshot().unwrap());
    }
}

pub(crate) const POLLS: u64 = 64;

/// The same commits however often the reader looks.
pub(crate) fn poll(times: u64) {
    let store = Store::new();
    let reader = Reader::open(store.path()).unwrap();
    reader.snapshot().unwrap();
    for n in 0..2 * POLLS {
        store.change_one();
        if n < times * POLLS {
            black_box(reader.snapshot().unwrap());
        }
    }
}
