//! Threads that call in a tight loop, or when a schedule says so.

use std::fmt;
use std::thread;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::common::spin_barrier::SpinBarrier;
use crate::common::stopwatch::Stopwatch;
use crate::common::text::count;
use crate::contenders::Contender;
use crate::spread;

/// A thread with more time than this gives its core to others.
const LONG_WAIT_NANOS: f64 = 20_000.0;

/// Half of the default flush interval.
const LONGEST_NAP: Duration = Duration::from_millis(50);
const MOST_PER_SECOND: usize = 60_000_000;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// One call after the other: so many of all threads in one round.
    Tight { calls: usize },
    /// So many per second of all threads, for so long a round. A thread that
    /// was held up makes its calls one after the other until it is on time
    /// again: none is left out.
    Paced { per_second: usize, round: Duration },
}

impl Load {
    pub(crate) fn tight(calls: usize) -> Self {
        Self::Tight { calls }
    }

    pub(crate) fn paced(per_second: usize, round: Duration) -> Self {
        Self::Paced { per_second, round }
    }

    /// How long the consumer of a queue with so many slots sleeps, as lazy as
    /// the recorder's: until an eighth of them is full at this rate, at most
    /// half a flush interval. In a tight loop until half of them is full at a
    /// rate that no loop has: nobody wakes it, as `record()` wakes the other.
    pub(crate) fn nap(self, slots: usize) -> Duration {
        let time_of = |calls: usize, per_second: usize| {
            Duration::from_secs_f64(calls as f64 / per_second as f64)
        };
        match self {
            Self::Paced { per_second, .. } => time_of(slots / 8, per_second).min(LONGEST_NAP),
            Self::Tight { .. } => time_of(slots / 2, MOST_PER_SECOND),
        }
    }

    pub(crate) fn is_paced(self) -> bool {
        matches!(self, Self::Paced { .. })
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tight { .. } => write!(f, "tight loop"),
            Self::Paced { per_second, .. } => write!(f, "{} calls/s in all", count(*per_second)),
        }
    }
}

/// What one round gave, in ticks of the stopwatch.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What each accepted call took.
    pub(crate) service: Histogram<u64>,
    /// From when each was due until it returned.
    pub(crate) since_due: Histogram<u64>,
    pub(crate) refused: u64,
}

impl Outcome {
    fn new() -> Self {
        Self {
            service: spread::histogram(),
            since_due: spread::histogram(),
            refused: 0,
        }
    }

    fn add(&mut self, other: &Self) {
        self.service.add(&other.service).unwrap();
        self.since_due.add(&other.since_due).unwrap();
        self.refused += other.refused;
    }
}

/// A load on a number of threads.
#[derive(Debug)]
pub(crate) struct Loads {
    load: Load,
    threads: usize,
    watch: Stopwatch,
}

impl Loads {
    pub(crate) fn new(load: Load, threads: usize) -> Self {
        Self {
            load,
            threads,
            watch: Stopwatch::new(),
        }
    }

    /// One round.
    pub(crate) fn run<C: Contender>(&self, contender: &C) -> Outcome {
        contender.consumed(|| {
            let barrier = SpinBarrier::new(self.threads);
            thread::scope(|scope| {
                let threads: Vec<_> = (0..self.threads)
                    .map(|n| {
                        let barrier = &barrier;
                        scope.spawn(move || self.thread(n, barrier, contender))
                    })
                    .collect();
                let mut sum = Outcome::new();
                for thread in threads {
                    sum.add(&thread.join().unwrap());
                }
                sum
            })
        })
    }

    fn thread<C: Contender>(&self, n: usize, barrier: &SpinBarrier, contender: &C) -> Outcome {
        let mut outcome = Outcome::new();
        let mut own = contender.own();
        // The first calls touch pages and lines for the first time.
        for _ in 0..64 {
            let took = self.watch.now();
            contender.call(&mut own);
            outcome.service.saturating_record(self.watch.now() - took);
        }
        outcome.service.reset();
        barrier.wait();
        match self.load {
            Load::Tight { calls } => {
                for _ in 0..calls / self.threads {
                    self.call(contender, &mut own, &mut outcome, None);
                }
            }
            Load::Paced { per_second, round } => {
                let ticks = self.watch.ticks_per_nano();
                // Threads take turns.
                let step = 1e9 / per_second as f64 * ticks;
                let start = self.watch.about() as f64;
                let calls = (per_second as f64 * round.as_secs_f64()) as usize;
                for call in (n..calls).step_by(self.threads) {
                    let due = (start + step * call as f64) as u64;
                    self.wait(due, LONG_WAIT_NANOS * ticks);
                    self.call(contender, &mut own, &mut outcome, Some(due));
                }
            }
        }
        outcome
    }

    #[inline(always)]
    fn call<C: Contender>(
        &self,
        contender: &C,
        own: &mut C::Own,
        outcome: &mut Outcome,
        due: Option<u64>,
    ) {
        let start = self.watch.now();
        let accepted = contender.call(own);
        let end = self.watch.now();
        if !accepted {
            outcome.refused += 1;
            return;
        }
        // A time stamp of another core may be a little behind.
        outcome.service.saturating_record(end.saturating_sub(start));
        if let Some(due) = due {
            outcome.since_due.saturating_record(end.saturating_sub(due));
        }
    }

    fn wait(&self, due: u64, long: f64) {
        loop {
            let now = self.watch.about();
            if now >= due {
                return;
            }
            if (due - now) as f64 > long {
                thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
        }
    }
}
