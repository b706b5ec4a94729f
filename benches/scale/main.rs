//! How figures change with the number of threads, shards, rows and readers,
//! and with the length of bursts.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod bursts;
#[path = "../common/mod.rs"]
mod common;
mod cpu;
mod producers;
mod readers;
mod rows;
mod shards;
mod sweep;

use common::{Effort, WRITE, child};
use sweep::Figure;

const ABOUT: &str = "\
How figures change with threads, shards, rows, readers and bursts. About two minutes.

  cargo bench --bench scale -- [--quick] [--write]

  --quick  a few seconds, to see that it runs
  --write  also writes docs/plots/*.csv and *.svg

Shards need 65 MiB in /dev/shm; with less it says that rings are on disk.";

fn main() {
    if let Some(job) = child::job() {
        return match job.what.as_str() {
            rows::JOB => rows::hold(&job.store),
            _ => common::readers::poll(&job.store, job.number),
        };
    }
    let effort = Effort::from_args(15, ABOUT, &[WRITE]);
    let figures: [fn(Effort) -> Figure; 5] = [
        producers::measure,
        shards::measure,
        rows::measure,
        readers::measure,
        bursts::measure,
    ];
    println!("Medians, and the middle half in brackets.");
    for measure in figures {
        let figure = measure(effort);
        figure.print();
        if effort.write {
            figure.write();
        }
    }
}
