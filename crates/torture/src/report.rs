//! Progress while it goes on, and the figures at the end.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use quipu::Stats;
use quipu::fault::POINTS;

use crate::life::{End, Life};

/// Between two looks at progress on a terminal.
const ON_TERMINAL: Duration = Duration::from_millis(200);
/// Between two lines elsewhere.
const ELSEWHERE: Duration = Duration::from_secs(30);

/// What has been done so far.
#[derive(Debug)]
pub(crate) struct Report {
    seed: u64,
    planned: u64,
    started: Instant,
    shown: Instant,
    is_terminal: bool,
    kills: u64,
    at_point: [u64; POINTS.len()],
    missed: [u64; POINTS.len()],
    at_random: u64,
    stores: u64,
    records: u64,
    holes: u64,
    replayed: u64,
}

impl Report {
    pub(crate) fn new(seed: u64, planned: u64) -> Self {
        eprintln!("seed {seed}");
        let now = Instant::now();
        Self {
            seed,
            planned,
            started: now,
            shown: now,
            is_terminal: std::io::stderr().is_terminal(),
            kills: 0,
            at_point: [0; POINTS.len()],
            missed: [0; POINTS.len()],
            at_random: 0,
            stores: 0,
            records: 0,
            holes: 0,
            replayed: 0,
        }
    }

    /// After a kill whose store is as it must be.
    pub(crate) fn add_kill(&mut self, end: End, life: Option<&Life>) {
        self.kills += 1;
        let index = |point| POINTS.iter().position(|name| *name == point).unwrap_or(0);
        match end {
            End::AtPoint(point) => self.at_point[index(point)] += 1,
            End::Missed(point) => self.missed[index(point)] += 1,
            End::AtRandom => self.at_random += 1,
        }
        let pause = if self.is_terminal {
            ON_TERMINAL
        } else {
            ELSEWHERE
        };
        if self.shown.elapsed() >= pause {
            self.shown = Instant::now();
            self.show(life.map_or(0, Life::records));
        }
    }

    /// After a store's last check.
    pub(crate) fn add_store(&mut self, stats: &Stats) {
        self.stores += 1;
        self.records += stats.committed;
        self.holes += stats.holes;
        self.replayed += stats.replayed;
    }

    fn show(&self, records: u64) {
        let seconds = self.started.elapsed().as_secs_f64();
        let line = format!(
            "{} of {} kills, {} records, {:.0} s, {:.0} s to go",
            grouped(self.kills),
            grouped(self.planned),
            grouped(self.records + records),
            seconds,
            seconds / self.kills as f64 * (self.planned - self.kills) as f64,
        );
        if self.is_terminal {
            eprint!("\r\x1b[K{line}");
            // Best effort: it is only progress.
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{line}");
        }
    }

    /// Takes the line of progress away.
    pub(crate) fn clear(&self) {
        if self.is_terminal {
            eprint!("\r\x1b[K");
        }
    }

    /// The figures.
    pub(crate) fn print(&self) {
        for ((name, kills), missed) in POINTS.iter().zip(self.at_point).zip(self.missed) {
            if missed == 0 {
                println!("{kills:>7}  {name}");
            } else {
                println!("{kills:>7}  {name} ({missed} more never came by)");
            }
        }
        let missed: u64 = self.missed.iter().sum();
        println!("{:>7}  at a random instant", self.at_random + missed);
        let hit = self.at_point.iter().filter(|kills| **kills > 0);
        println!(
            "seed {}: {} kills at {} of {} points and at random instants, {} stores, {} records, \
             {} holes, {} replayed, lost 0, doubled 0, {:.0} s",
            self.seed,
            grouped(self.kills),
            hit.count(),
            POINTS.len(),
            grouped(self.stores),
            grouped(self.records),
            grouped(self.holes),
            grouped(self.replayed),
            self.started.elapsed().as_secs_f64(),
        );
    }
}

/// A number with commas between thousands.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
