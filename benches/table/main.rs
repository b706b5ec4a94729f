//! The design's table of numbers, measured in one process: whatever is
//! compared runs in turn, round by round, and medians and ratios are printed.
//!
//! `cargo bench --bench table` takes about a minute; `-- --quick` a few
//! seconds, to see that it runs.

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

  cargo bench --bench table -- [--quick]

  --quick  a few seconds, to see that it runs";

fn main() {
    if let Some(job) = child::job() {
        return match job.what.as_str() {
            recovery::JOB => recovery::fill_and_die(&job.store, job.number),
            _ => common::readers::poll(&job.store, job.number),
        };
    }
    let effort = Effort::from_args(31, ABOUT);
    text::heading();
    record::run(effort);
    readers::measure(effort);
    fold::run(effort);
    rows::run(effort);
    recovery::measure(effort);
}
