//! The design's table of numbers, measured in one process: whatever is
//! compared runs in turn, round by round, and medians and ratios are printed.
//!
//! `cargo bench --bench table` takes about a minute; `-- --quick` a few
//! seconds, to see that it runs; `-- record fold` only these stations.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
mod fold;
mod readers;
mod record;
mod recovery;
mod rows;

use common::{Effort, child, text};

const ABOUT: &str = "\
The design's table of numbers. About a minute.

  cargo bench --bench table -- [--quick] [STATION]...

  --quick  a few seconds, to see that it runs
  STATION  only these: record, readers, fold, rows, recovery

Recovery needs 264 MiB in /dev/shm; with less it says that its rings are on disk.";

/// What can be asked for by name.
type Station = (&'static str, fn(Effort));

fn main() {
    if let Some(job) = child::job() {
        return match job.what.as_str() {
            recovery::JOB => recovery::fill_and_die(&job.store, job.number),
            _ => common::readers::poll(&job.store, job.number),
        };
    }
    let stations: [Station; 5] = [
        ("record", record::run),
        ("readers", readers::measure),
        ("fold", fold::run),
        ("rows", rows::run),
        ("recovery", recovery::measure),
    ];
    let effort = Effort::from_args(31, ABOUT, &stations.map(|(name, _)| name));
    let named: Vec<_> = std::env::args()
        .filter(|arg| stations.iter().any(|(name, _)| name == arg))
        .collect();
    text::heading();
    for (name, station) in stations {
        if named.is_empty() || named.iter().any(|arg| arg == name) {
            station(effort);
        }
    }
}
