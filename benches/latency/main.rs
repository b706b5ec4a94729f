//! How long single calls take, as a distribution: in a tight loop, and paced.
//!
//! Each call is timed by itself; what timing costs is measured in the same
//! rounds and taken off. The recorder has default settings and a store in a
//! file, its consumer drains and commits, and ten readers in another process
//! poll the store all the time, also while the others are measured.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
mod contenders;
mod load;
mod plot;
mod spread;

use std::time::Duration;

use common::readers::{self, Readers};
use common::sample::ratio;
use common::text::{Table, count, number};
use common::usage::usage;
use common::{Effort, WRITE, child};
use contenders::{Alone, Contender, Copy64, FetchAdd, Queue};
use load::{Load, Loads, Outcome};
use quipu::Recorder;
use spread::{Spread, TOP};

const READERS: usize = 10;
const THREADS: [usize; 4] = [1, 2, 4, 8];

const ABOUT: &str = "\
How long single calls of record() take, as a distribution. About two minutes.

  cargo bench --bench latency -- [--quick] [--write]

  --quick  a few seconds, to see that it runs
  --write  also writes docs/plots/latency.csv and latency.svg";

fn main() {
    if let Some(job) = child::job() {
        return readers::poll(&job.store, job.number);
    }
    let effort = Effort::from_args(9, ABOUT, &[WRITE]);
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("usage.quipu");
    let recorder = Recorder::open(&store).unwrap();
    let usage = usage(&recorder);
    recorder.record(usage).unwrap();
    recorder.flush(common::NEVER).unwrap();
    let _readers = Readers::start(&store, READERS);

    let scale = if effort.quick { 20 } else { 1 };
    let loads = [
        Load::tight(200_000 / scale),
        Load::paced(100_000, Duration::from_millis(250) / scale as u32),
        Load::paced(1_000_000, Duration::from_millis(250) / scale as u32),
    ];
    println!("Nanoseconds per call; what the clock takes is taken off. {READERS} readers poll.");
    println!(
        "The clock steps by {:.1} ns: so far apart are the shortest times. mean: of the fastest 99 %.",
        common::stopwatch::Stopwatch::new().step()
    );
    let mut plot = plot::Plot::default();
    for load in loads {
        for threads in THREADS {
            let slots = recorder.stats().ring_capacity as usize;
            let queue = Queue::new(usage, slots, load.nap(slots));
            let results = measure(effort, &Loads::new(load, threads), &recorder, usage, &queue);
            show(load, threads, &results);
            plot.add(load, threads, &results);
        }
    }
    if effort.write {
        plot.write();
    }
    recorder.close(common::NEVER).unwrap();
}

/// What was measured of one contender, round by round.
struct Measured {
    name: &'static str,
    rounds: Vec<Outcome>,
    /// What the clock alone took in the same rounds: its mean.
    clock: f64,
}

fn measure(
    effort: Effort,
    loads: &Loads,
    recorder: &Recorder,
    usage: quipu::UsageRecord,
    queue: &Queue,
) -> Vec<Measured> {
    let ours = contenders::Record(recorder, usage);
    let copy = Copy64(usage);
    let mut rounds: [Vec<Outcome>; 5] = Default::default();
    for round in 0..effort.rounds {
        // Nobody always comes after the same neighbour.
        for turn in 0..rounds.len() {
            let turn = (turn + round) % rounds.len();
            rounds[turn].push(match turn {
                0 => loads.run(&ours),
                1 => loads.run(queue),
                2 => loads.run(&FetchAdd),
                3 => loads.run(&copy),
                _ => loads.run(&Alone),
            });
        }
    }
    let clock = Spread::of(rounds[4].iter().map(|round| &round.service), 0.0);
    let clock = clock.mean;
    let names = [
        contenders::Record::NAME,
        Queue::NAME,
        FetchAdd::NAME,
        Copy64::NAME,
        Alone::NAME,
    ];
    let results = names.into_iter().zip(rounds);
    results
        .map(|(name, rounds)| Measured {
            name,
            rounds,
            clock: if name == Alone::NAME { 0.0 } else { clock },
        })
        .collect()
}

impl Measured {
    /// All calls of all rounds.
    fn service(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|round| &round.service), self.clock)
    }

    /// From when the call was due until it returned; paced loads only.
    fn since_due(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|round| &round.since_due), self.clock)
    }

    fn refused(&self) -> u64 {
        self.rounds.iter().map(|round| round.refused).sum()
    }

    fn calls(&self) -> u64 {
        self.rounds.iter().map(|round| round.service.len()).sum()
    }

    /// Ratios to another of what was measured in the same round: the medians
    /// of the rounds, for the mean and each percentile but the two that a round
    /// has too few calls for.
    fn ratios(&self, to: &Self) -> Vec<f64> {
        let spreads = |of: &Self| -> Vec<[f64; TOP - 1]> {
            let spread = |round: &Outcome| Spread::of([&round.service].into_iter(), of.clock);
            let spreads = of.rounds.iter().map(spread);
            let means = spreads.map(|s| [s.mean, s.at[0], s.at[1], s.at[2], s.at[3]]);
            means.map(|all| all.map(|nanos| nanos.max(0.1))).collect()
        };
        let (mine, others) = (spreads(self), spreads(to));
        let column =
            |of: &[[f64; TOP - 1]], n: usize| of.iter().map(|all| all[n]).collect::<Vec<_>>();
        let ratios = (0..TOP - 1).map(|n| ratio(&column(&mine, n), &column(&others, n)));
        ratios.collect()
    }
}

fn show(load: Load, threads: usize, results: &[Measured]) {
    let plural = if threads == 1 { "" } else { "s" };
    println!("\n{load}, {threads} thread{plural}");
    let mut table = Table::new(&[
        "", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max", "calls", "refused",
    ]);
    let row = |name: &str, spread: &Spread, counts: [String; 2]| {
        let cells = spread.at.iter().map(|nanos| number(*nanos));
        [name.to_owned(), number(spread.mean)]
            .into_iter()
            .chain(cells)
            .chain(counts)
            .collect()
    };
    for result in results {
        let counts = [
            count(result.calls() as usize),
            count(result.refused() as usize),
        ];
        table.row(row(result.name, &result.service(), counts));
    }
    let ratios = results[0].ratios(&results[1]);
    let mut cells = vec!["record() : ArrayQueue::push".to_owned()];
    cells.extend(ratios.iter().map(|ratio| format!("{ratio:.2} ×")));
    cells.resize(10, String::new());
    table.row(cells);
    if load.is_paced() {
        for result in &results[..2] {
            let name = format!("{}, since it was due", result.name);
            let none = [String::new(), String::new()];
            table.row(row(&name, &result.since_due(), none));
        }
    }
    table.print();
}
