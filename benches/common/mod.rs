//! What several benches need. Each takes a part of it.

#![allow(dead_code, unreachable_pub)]

pub(crate) mod chart;
pub(crate) mod child;
pub(crate) mod drive;
pub(crate) mod process;
pub(crate) mod readers;
pub(crate) mod ring_place;
pub(crate) mod sample;
pub(crate) mod spin_barrier;
pub(crate) mod stopwatch;
pub(crate) mod text;
pub(crate) mod usage;

use std::path::Path;
use std::time::Duration;

/// Longer than any run: the consumer sleeps unless it is asked.
pub(crate) const NEVER: Duration = Duration::from_secs(3600);

/// Slots of a shard, and of a queue.
pub(crate) const CAPACITY: usize = 1 << 16;

/// Bytes of all files of a store.
pub(crate) fn bytes(store: &Path) -> u64 {
    let files = std::fs::read_dir(store).unwrap();
    files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum()
}

/// The option of benches whose figures are in docs/plots.
pub(crate) const WRITE: &str = "--write";

/// What the command line asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// A few seconds in all, to see that it runs.
    pub(crate) quick: bool,
    /// Tables and plots go to docs/plots, too.
    pub(crate) write: bool,
}

impl Effort {
    /// `about` says what the bench is for `--help`, which ends the process, as
    /// does an argument that is neither known to all benches nor among `others`:
    /// `--write`, and names of parts.
    pub(crate) fn from_args(rounds: usize, about: &str, others: &[&str]) -> Self {
        let mut effort = Self {
            rounds,
            quick: false,
            write: false,
        };
        for arg in std::env::args().skip(1) {
            match arg.as_str() {
                "--quick" | "--test" => effort.quick = true,
                // Cargo's own.
                "--bench" => {}
                other if others.contains(&other) => effort.write |= other == WRITE,
                "--help" | "-h" => {
                    println!("{about}");
                    std::process::exit(0);
                }
                other => {
                    eprintln!("error: {other} is not an argument of this bench:\n\n{about}");
                    std::process::exit(2);
                }
            }
        }
        if effort.quick {
            effort.rounds = rounds.min(3);
        }
        effort
    }

    /// Rounds of something that takes long.
    pub(crate) fn few(self) -> usize {
        self.rounds.min(9)
    }
}
