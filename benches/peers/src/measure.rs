//! Measures: bursts while the consumer sleeps, and a steady run to the end.

use std::thread;
use std::time::Instant;

use crate::event::{Event, mix};
use crate::peer::{Peer, Row, Setup};
use crate::spin_barrier::SpinBarrier;

/// Values of one peer, by round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Results {
    /// Nanoseconds per event of one thread, while the consumer sleeps.
    pub(crate) one: Vec<f64>,
    /// The same, of two threads at once.
    pub(crate) two: Vec<f64>,
    /// Nanoseconds per event of one thread in a steady run.
    pub(crate) steady: Vec<f64>,
    /// Events per second of that run, until all were visible.
    pub(crate) through: Vec<f64>,
}

/// Rounds that don't count: after them every ring was gone through once.
const WARM_UP: usize = 3;

pub(crate) fn run(rows: &[Row], quick: bool) -> Vec<Results> {
    let events = mix();
    let mut results = vec![Results::default(); rows.len()];
    bursts(rows, &events, if quick { 3 } else { 31 }, &mut results);
    // Events of a steady run, in bursts.
    let (rounds, length) = if quick { (1, 4) } else { (7, 64) };
    for _ in 0..rounds {
        for (row, results) in rows.iter().zip(&mut results) {
            steady(row, &events, length, results);
        }
    }
    results
}

/// Rounds alternate; what was recorded is aggregated between the rounds,
/// outside the clock.
fn bursts(rows: &[Row], events: &[Event], rounds: usize, results: &mut [Results]) {
    let dirs: Vec<_> = rows.iter().map(|_| tempfile::tempdir().unwrap()).collect();
    let peers = rows.iter().zip(&dirs).map(|(row, dir)| {
        (row.make)(&Setup {
            held: true,
            dir: dir.path().to_owned(),
        })
    });
    let peers: Vec<Box<dyn Peer>> = peers.collect();
    let mut recorded = vec![0; rows.len()];
    for round in 0..WARM_UP + rounds {
        for (n, row) in rows.iter().enumerate() {
            let events = &events[..row.burst];
            for threads in [1, 2] {
                let took = burst(&*peers[n], threads, events);
                recorded[n] += (threads * row.burst) as u64;
                peers[n].settle(recorded[n]);
                let to = if threads == 1 {
                    &mut results[n].one
                } else {
                    &mut results[n].two
                };
                if round >= WARM_UP {
                    to.push(took);
                }
            }
        }
    }
    for (n, row) in rows.iter().enumerate() {
        let counted = peers[n].totals().requests;
        assert_eq!(counted, recorded[n], "{} lost events", row.name);
    }
}

/// Nanoseconds per event, of `threads` threads at the same time.
fn burst(peer: &dyn Peer, threads: usize, events: &[Event]) -> f64 {
    let barrier = SpinBarrier::new(threads);
    let work = || {
        let mut handle = peer.handle();
        barrier.wait();
        let start = Instant::now();
        handle.record(events);
        start.elapsed().as_secs_f64() * 1e9 / events.len() as f64
    };
    let took: Vec<f64> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mine = work();
        let others = others.into_iter().map(|other| other.join().unwrap());
        others.chain([mine]).collect()
    });
    took.iter().sum::<f64>() / threads as f64
}

fn steady(row: &Row, events: &[Event], length: usize, results: &mut Results) {
    let dir = tempfile::tempdir().unwrap();
    let peer = (row.make)(&Setup {
        held: false,
        dir: dir.path().to_owned(),
    });
    let events = &events[..row.burst];
    let mut handle = peer.handle();
    handle.record(events);
    peer.settle(row.burst as u64);
    let count = (length * row.burst) as u64;
    let start = Instant::now();
    for _ in 0..length {
        handle.record(events);
    }
    let recorded = start.elapsed().as_secs_f64();
    peer.settle(count + row.burst as u64);
    let all = start.elapsed().as_secs_f64();
    results.steady.push(recorded * 1e9 / count as f64);
    results.through.push(count as f64 / all);
}
