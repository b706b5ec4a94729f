//! Bytes of a closed store.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use quipu::Recorder;

use crate::common::text::{count, figure};
use crate::common::usage::{mix, spread};
use crate::common::{Effort, NEVER, bytes};

const ROWS: [usize; 2] = [10_000, 100_000];
const DAYS: [u64; 2] = [10, 40];

pub(crate) fn measure(effort: Effort) {
    let dir = tempfile::tempdir().unwrap();
    let most = if effort.quick { 1 } else { 2 };
    let sizes: Vec<_> = ROWS[..most]
        .iter()
        .map(|rows| {
            let path = dir.path().join(format!("{rows} rows"));
            let recorder = Recorder::open(&path).unwrap();
            for usage in spread(&recorder, *rows) {
                recorder.record_timeout(usage, NEVER).unwrap();
            }
            recorder.close(NEVER).unwrap();
            let size = bytes(&path) as f64;
            figure(
                &format!("store of {} rows", count(*rows)),
                size / 1024.0,
                "KiB",
            );
            size
        })
        .collect();
    if let [few, many] = sizes[..] {
        let per_row = (many - few) / (ROWS[1] - ROWS[0]) as f64;
        figure(
            "  each further row, with its share of a name",
            per_row,
            "bytes",
        );
    }
    let sizes: Vec<_> = DAYS[..most]
        .iter()
        .map(|days| {
            let path = dir.path().join(format!("{days} days"));
            let rows = days_of(&path, *days);
            let size = bytes(&path) as f64;
            let name = format!("store of {days} days, 8 models, 32 tenants, {rows} rows");
            figure(&name, size / 1024.0, "KiB");
            size
        })
        .collect();
    if let [few, many] = sizes[..] {
        let per_day = (many - few) / (DAYS[1] - DAYS[0]) as f64 / 1024.0;
        figure("  each further day", per_day, "KiB");
    }
    figure(
        "an empty store, open: its files",
        empty(&dir.path().join("empty")) / 1024.0,
        "KiB",
    );
}

/// So many days of the same mix; gives the rows, those of histograms included.
fn days_of(path: &Path, days: u64) -> u64 {
    let recorder = Recorder::open(path).unwrap();
    for day in 0..days {
        let at = UNIX_EPOCH + Duration::from_secs(1_700_000_000 + day * 86_400);
        for usage in mix(&recorder) {
            recorder.record_timeout(usage.at(at), NEVER).unwrap();
        }
    }
    recorder.flush(NEVER).unwrap();
    let rows = recorder.stats().rows;
    recorder.close(NEVER).unwrap();
    rows
}

fn empty(path: &Path) -> f64 {
    let recorder = Recorder::open(path).unwrap();
    let size = bytes(path) as f64;
    recorder.close(NEVER).unwrap();
    size
}
