//! What the consumer executes.

use std::time::Duration;

use quipu::{Recorder, TokenKind, UsageRecord};

use crate::paths::{NEVER, noon, one_per_row, quiet, settle, usage};

pub(crate) const RECORDS: u64 = 1 << 14;
/// Records before the mix begins anew: once through it is all its rows.
const MIX: u64 = 1 << 12;

pub(crate) fn fold_one_row(times: u64) {
    let recorder = quiet().in_memory().unwrap();
    let records = vec![usage(&recorder); MIX as usize];
    fold(&recorder, &records, times);
}

pub(crate) fn fold_many_rows(times: u64) {
    let recorder = quiet().in_memory().unwrap();
    let records = mix(&recorder);
    fold(&recorder, &records, times);
}

/// One flush of all records. Their rows are the same however many they are, so
/// the commit cancels.
fn fold(recorder: &Recorder, records: &[UsageRecord], times: u64) {
    settle();
    for _ in 0..times * RECORDS / MIX {
        assert_eq!(recorder.record_batch(records), records.len());
    }
    recorder.flush(NEVER).unwrap();
}

/// A mix such as a gateway sees: 8 models, 32 tenants, spread latencies.
fn mix(recorder: &Recorder) -> Vec<UsageRecord> {
    let rows = one_per_row(recorder, 8, 32);
    let usage = usage(recorder);
    (0..MIX)
        .map(|n| {
            let with = rows[(n * 37 % 256) as usize]
                .tokens(TokenKind::Input, n)
                .tokens(TokenKind::Output, n / 4)
                .cost_nanos(n * 1000)
                .latency(Duration::from_micros(200_000 + n * n % 3_000_000))
                .time_to_first_token(Duration::from_micros(100_000 + n * 91 % 300_000))
                .at(noon());
            // One in four is like the one before it, as in a busy session.
            if n % 4 == 0 { usage } else { with }
        })
        .collect()
}

/// Rows that are changed: all that are held, the second time.
pub(crate) const ROWS: u64 = 1 << 12;

/// One commit to a file. It has the same number of records whether half the
/// rows or all are changed, so folding them cancels.
pub(crate) fn commit(times: u64) {
    let dir = tempfile::tempdir().unwrap();
    let recorder = quiet().open(dir.path().join("usage.quipu")).unwrap();
    let records = one_per_row(&recorder, 64, 128);
    assert_eq!(records.len() as u64, 2 * ROWS);
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
