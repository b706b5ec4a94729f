//! What the consumer executes.

use quipu::{Recorder, UsageRecord};

use crate::common::NEVER;
use crate::common::usage::{mix, spread, usage};
use crate::ground::{noon, roomy, settle};

pub(crate) const RECORDS: u64 = 1 << 14;
const REPEATED: usize = 1 << 12;

pub(crate) fn fold_one_row(times: u64) {
    let recorder = roomy().in_memory().unwrap();
    let records = vec![usage(&recorder).at(noon()); REPEATED];
    fold(&recorder, &records, times);
}

pub(crate) fn fold_many_rows(times: u64) {
    let recorder = roomy().in_memory().unwrap();
    let records: Vec<_> = mix(&recorder)
        .iter()
        .map(|usage| usage.at(noon()))
        .collect();
    fold(&recorder, &records, times);
}

/// One flush of all records. Their rows are the same however many they are, so
/// the commit cancels.
fn fold(recorder: &Recorder, records: &[UsageRecord], times: u64) {
    settle();
    for _ in 0..times * RECORDS / records.len() as u64 {
        assert_eq!(recorder.record_batch(records), records.len());
    }
    recorder.flush(NEVER).unwrap();
}

/// Rows that are changed: all that are held, the second time.
pub(crate) const ROWS: u64 = 1 << 12;

/// One commit to a file. It has the same number of records whether half the
/// rows or all are changed, so folding them cancels.
pub(crate) fn commit(times: u64) {
    let dir = tempfile::tempdir().unwrap();
    let recorder = roomy().open(dir.path().join("usage.quipu")).unwrap();
    let records = spread(&recorder, 2 * ROWS as usize);
    let half = &records[..ROWS as usize];
    // What was replaced is used again only by later commits.
    for _ in 0..3 {
        assert_eq!(recorder.record_batch(&records), records.len());
        recorder.flush(NEVER).unwrap();
    }
    settle();
    let changes = if times == 1 {
        [half, half].concat()
    } else {
        records
    };
    assert_eq!(recorder.record_batch(&changes), changes.len());
    recorder.flush(NEVER).unwrap();
}
