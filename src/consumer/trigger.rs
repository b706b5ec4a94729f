//! When to commit and how long to sleep. No clock, no thread: what to do
//! follows from what it is told.

use std::time::{Duration, Instant};

/// Sleeping for less than this costs more than it saves.
const SHORTEST_SLEEP: Duration = Duration::from_micros(50);

/// Records of one shard that are folded before the next shard's turn; the
/// trigger is asked once for each round.
pub(super) const ROUND: u64 = 2048;

/// The settings that decide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// A commit at most this long after a record was accepted.
    pub(crate) interval: Duration,
    /// A commit as soon as this many records wait for it.
    pub(crate) records: u64,
    /// Records that one drain should find, and one commit cover: large enough
    /// to be worth the trouble, small enough to leave the ring room.
    pub(crate) batch: u64,
}

/// What was observed since the last commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trigger {
    pace: Pace,
    last_commit: Instant,
    /// When the oldest uncommitted record was first noticed.
    pending_since: Option<Instant>,
    last_drain: Instant,
}

impl Trigger {
    pub(crate) const fn new(pace: Pace, now: Instant) -> Self {
        Self {
            pace,
            last_commit: now,
            pending_since: None,
            last_drain: now,
        }
    }

    /// A drain found `found` records; `pending` wait for a commit in all.
    /// Whether to commit now, and otherwise how long to sleep first.
    pub(crate) fn drained(
        &mut self,
        now: Instant,
        found: u64,
        pending: u64,
        pressed: bool,
    ) -> Next {
        let since_drain = now.saturating_duration_since(self.last_drain);
        self.last_drain = now;
        if pending == 0 {
            self.pending_since = None;
            return Next::Sleep(self.tick());
        }
        let since = *self.pending_since.get_or_insert(now);
        // Under steady load one commit each interval. After a pause the first
        // records wait for half an interval, so that a burst is one commit,
        // and were noticed within the other half.
        let due = (self.last_commit + self.pace.interval).max(since + self.tick());
        if pending >= self.pace.records || now >= due {
            return Next::Commit;
        }
        if pressed {
            return if self.relieves(found, pending) {
                Next::Commit
            } else {
                Next::Sleep(Duration::ZERO)
            };
        }
        Next::Sleep(self.nap(since_drain, found).min(due - now))
    }

    /// Whether a ring under pressure is helped by a commit now. It costs by
    /// rows, so where more records wait they are drained first, up to a batch.
    pub(crate) const fn relieves(&self, found: u64, pending: u64) -> bool {
        pending > 0 && (found < ROUND || pending >= self.pace.batch)
    }

    /// A commit was made.
    pub(crate) const fn committed(&mut self, now: Instant) {
        self.last_commit = now;
        self.pending_since = None;
    }

    /// How long until the ring has a batch, if records keep coming as fast as
    /// the last `found` did.
    fn nap(&self, since_drain: Duration, found: u64) -> Duration {
        let batch = self.pace.batch;
        if found >= batch {
            return Duration::ZERO;
        }
        let nap = since_drain.mul_f64(batch as f64 / found.max(1) as f64);
        nap.clamp(SHORTEST_SLEEP, self.tick())
    }

    fn tick(&self) -> Duration {
        (self.pace.interval / 2).max(SHORTEST_SLEEP)
    }
}

/// What the consumer does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Commit,
    Sleep(Duration),
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn trigger() -> (Trigger, Instant) {
        let start = Instant::now();
        let pace = Pace {
            interval: 100 * MS,
            records: 1000,
            batch: 500,
        };
        (Trigger::new(pace, start), start)
    }

    #[test]
    fn an_idle_consumer_sleeps_half_an_interval() {
        let (mut trigger, start) = trigger();
        for n in 1..1000 {
            let next = trigger.drained(start + n * 50 * MS, 0, 0, false);
            assert_eq!(next, Next::Sleep(50 * MS));
        }
    }

    #[test]
    fn a_burst_after_a_pause_is_one_commit() {
        let (mut trigger, start) = trigger();
        let burst = start + 5000 * MS;
        // Woken in the middle of the burst: 10 of 25 are there.
        assert_ne!(trigger.drained(burst, 10, 10, false), Next::Commit);
        assert_ne!(trigger.drained(burst + MS, 15, 25, false), Next::Commit);
        assert_eq!(trigger.drained(burst + 50 * MS, 0, 25, false), Next::Commit);
    }

    #[test]
    fn steady_load_is_committed_each_interval() {
        let (mut trigger, start) = trigger();
        let mut commits = 0;
        for n in 1..=1000 {
            let now = start + n * MS;
            if trigger.drained(now, 1, 1, false) == Next::Commit {
                trigger.committed(now);
                commits += 1;
            }
        }
        assert!((9..=10).contains(&commits), "{commits} commits in a second");
    }

    #[test]
    fn many_records_or_pressure_commit_at_once() {
        let (mut trigger, start) = trigger();
        assert_eq!(trigger.drained(start + MS, 1000, 1000, false), Next::Commit);
        assert_eq!(trigger.drained(start + MS, 1, 1, true), Next::Commit);
    }

    #[test]
    fn under_pressure_a_commit_covers_a_batch_if_so_much_waits() {
        let (_, start) = trigger();
        let pace = Pace {
            interval: 100 * MS,
            records: u64::MAX,
            batch: 5 * ROUND,
        };
        let mut trigger = Trigger::new(pace, start);
        let mut drained = |found, pending| trigger.drained(start + MS, found, pending, true);
        assert_eq!(drained(ROUND, ROUND), Next::Sleep(Duration::ZERO));
        assert_eq!(drained(ROUND, 4 * ROUND), Next::Sleep(Duration::ZERO));
        assert_eq!(drained(ROUND, 5 * ROUND), Next::Commit);
        let waits = "nothing more waits";
        assert_eq!(drained(ROUND - 1, 2 * ROUND), Next::Commit, "{waits}");
    }

    #[test]
    fn a_full_batch_is_not_slept_on() {
        let (mut trigger, start) = trigger();
        let next = trigger.drained(start + MS, 500, 500, false);
        assert_eq!(next, Next::Sleep(Duration::ZERO));
        let next = trigger.drained(start + 2 * MS, 100, 600, false);
        assert_eq!(next, Next::Sleep(5 * MS), "a fifth of a batch in 1 ms");
    }
}
