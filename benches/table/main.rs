//! The design's table of numbers, measured in one process: whatever is
//! compared runs in turn, round by round, and medians and ratios are printed.
//!
//! `cargo bench --bench table` takes about a minute; `-- --quick` a few
//! seconds, to see that it runs; `-- record fold` only these stations.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod children;
mod fold;
mod readers;
mod record;
mod rows;
mod sample;

use std::time::Duration;

/// How much work to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) quick: bool,
}

fn main() {
    if children::is_child() {
        return children::run();
    }
    let quick = std::env::args().any(|arg| arg == "--quick" || arg == "--test");
    let effort = Effort {
        rounds: if quick { 3 } else { 31 },
        quick,
    };
    println!(
        "{:<58} {:>14} {:>22} {:>10}",
        "what", "median", "middle half", "ratio"
    );
    let stations: [(&str, fn(Effort)); 5] = [
        ("record", record::run),
        ("readers", readers::measure),
        ("fold", fold::run),
        ("rows", rows::run),
        ("children", children::measure),
    ];
    let named: Vec<_> = std::env::args()
        .filter(|arg| stations.iter().any(|(name, _)| name == arg))
        .collect();
    for (name, station) in stations {
        if named.is_empty() || named.iter().any(|arg| arg == name) {
            station(effort);
        }
    }
}

/// Prints one line of the table.
pub(crate) fn line(what: &str, sample: &sample::Sample, unit: &str, ratio: Option<f64>) {
    let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    println!(
        "{what:<58} {:>14} {:>22} {ratio:>10}",
        format!("{:.1} {unit}", sample.median()),
        format!("{:.1} – {:.1}", sample.quarter(1), sample.quarter(3)),
    );
}

/// Longer than any run: the consumer sleeps unless it is asked.
pub(crate) const NEVER: Duration = Duration::from_secs(3600);
