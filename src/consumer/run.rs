//! The consumer's loop.

use std::time::{Duration, Instant};

use crossbeam_utils::Backoff;
use crossbeam_utils::sync::Parker;

use super::core::Core;
use super::mailbox::Command;
use super::ticket::Ticket;
use super::trigger::{Next, Pace, Trigger};
use crate::bucket::now_nanos;
use crate::ledger::Ledger;
use crate::ring::Drainer;
use crate::snapshot::{Pool, Rows, Snapshot};
use crate::store::layout::live;
use crate::store::{CommitBlock, Store};
use crate::sync::{Arc, Ordering};

/// Records of one shard that are folded before the next shard's turn; the
/// triggers are looked at once for each round.
const ROUND: u64 = 2048;

/// What a consumer works with.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) drainer: Drainer,
    pub(crate) ledger: Ledger,
    pub(crate) block: CommitBlock,
    /// `None` in memory.
    pub(crate) store: Option<Store>,
    pub(crate) rows: Rows,
    pub(crate) pool: Pool,
    pub(crate) pace: Pace,
}

/// The consumer.
#[derive(Debug)]
pub(crate) struct Consumer {
    core: Arc<Core>,
    parts: Parts,
    trigger: Trigger,
    generation: u64,
}

impl Consumer {
    pub(crate) fn new(core: Arc<Core>, parts: Parts) -> Self {
        Self {
            trigger: Trigger::new(parts.pace, Instant::now()),
            generation: core.published.load().generation,
            core,
            parts,
        }
    }

    /// Works until a `Close` arrives.
    pub(crate) fn run(mut self, parker: &Parker) {
        loop {
            let (tickets, closing) = self.take_commands();
            if !tickets.is_empty() {
                let target = self.parts.drainer.target();
                self.drain_to(&target);
                let written = if closing { self.end() } else { self.commit() };
                if closing {
                    self.core.mailbox.end(written);
                }
                for ticket in tickets {
                    ticket.complete(written);
                }
                if closing {
                    return;
                }
            }
            let found = self.round();
            let pending = self.pending();
            let pressed = self.core.ring.is_pressed(&self.parts.block.positions);
            let now = Instant::now();
            match self.trigger.drained(now, found, pending, pressed) {
                Next::Commit => {
                    self.commit();
                }
                Next::Sleep(Duration::ZERO) => {}
                Next::Sleep(sleep) => self.sleep(parker, sleep),
            }
        }
    }

    fn sleep(&self, parker: &Parker, sleep: Duration) {
        self.core.mailbox.arm();
        parker.park_timeout(sleep);
        self.core.mailbox.disarm();
    }

    fn take_commands(&self) -> (Vec<Ticket>, bool) {
        let mut tickets = Vec::new();
        let mut closing = false;
        while let Some(command) = self.core.mailbox.receive() {
            match command {
                Command::Flush(ticket) => tickets.push(ticket),
                Command::Close(ticket) => {
                    tickets.push(ticket);
                    closing = true;
                }
            }
        }
        (tickets, closing)
    }

    /// Folds up to [`ROUND`] records of each shard.
    fn round(&mut self) -> u64 {
        let Parts {
            drainer,
            ledger,
            block,
            store,
            ..
        } = &mut self.parts;
        let now = now_nanos();
        if let Some(store) = store {
            // Relaxed: it says no more than that this thread is awake.
            let heartbeat = store.aggregate.live(live::HEARTBEAT);
            heartbeat.store(now, Ordering::Relaxed);
        }
        let in_use = self.core.ring.in_use(&block.positions);
        block.high_water = block.high_water.max(in_use);
        drainer.drain(ROUND, |record| ledger.fold(record, now))
    }

    /// Folds everything up to `target`, which others may still be publishing.
    fn drain_to(&mut self, target: &[u64]) {
        let backoff = Backoff::new();
        while !self.parts.drainer.has_reached(target) {
            if self.round() == 0 {
                backoff.snooze();
            } else {
                backoff.reset();
            }
            if self.core.ring.is_pressed(&self.parts.block.positions) && self.pending() > 0 {
                self.commit();
            }
        }
    }

    /// Records that are folded and not committed.
    const fn pending(&self) -> u64 {
        self.parts.ledger.records() - self.parts.block.records
    }

    /// Commits what is folded, publishes it, and hands its slots back, in this
    /// order (I3, I4). `false` where the store could not be written: then the
    /// counts go on in memory.
    fn commit(&mut self) -> bool {
        let records = self.pending();
        if records == 0 {
            return !self.core.is_degraded();
        }
        self.account(records);
        let written = self.write();
        self.parts.drainer.release();
        written
    }

    /// The last commit: what is folded, and that there is no ring any more.
    fn end(&mut self) -> bool {
        self.account(self.pending());
        let block = &mut self.parts.block;
        block.earlier_positions = block.covered();
        block.positions = Vec::new();
        block.ring = 0;
        let written = self.write();
        if let Some(store) = self.parts.store.as_ref().filter(|_| written) {
            // Best effort: the next open removes what is left.
            let _ = store.remove_ring();
        }
        written
    }

    /// Puts what the next commit covers into its block.
    fn account(&mut self, records: u64) {
        let block = &mut self.parts.block;
        if records > 0 {
            block.flushes += 1;
            block.flushed_records += records;
            block.last_flush = records;
            block.greatest_flush = block.greatest_flush.max(records);
        }
        block
            .positions
            .copy_from_slice(self.parts.drainer.positions());
    }

    fn write(&mut self) -> bool {
        let started = Instant::now();
        self.core.count_refusals(&mut self.parts.block);
        let Parts {
            ledger,
            block,
            store,
            rows,
            pool,
            ..
        } = &mut self.parts;
        let outcome = match store {
            Some(store) => store.commit(ledger, block),
            None => {
                block.records = ledger.records();
                block.rows = ledger.rows().len() as u64;
                block.committed_at = now_nanos();
                Ok(self.generation + 1)
            }
        };
        ledger.changed(|number, row| rows.set(number, row, pool));
        if let Some(store) = store {
            // Relaxed: a flag for readers.
            let flag = store.aggregate.live(live::DEGRADED);
            flag.store(outcome.is_err().into(), Ordering::Relaxed);
        }
        let written = match outcome {
            Ok(generation) => {
                self.generation = generation;
                ledger.settle();
                self.core.set_degraded(None);
                true
            }
            Err(error) => {
                block.records = ledger.records();
                self.core.set_degraded(Some(error.to_string()));
                false
            }
        };
        self.core.publish(Snapshot {
            generation: self.generation,
            width: self.core.bucket,
            block: block.clone(),
            rows: rows.clone(),
            names: Arc::clone(self.core.interner.names()),
        });
        let now = Instant::now();
        let took = u64::try_from((now - started).as_nanos()).unwrap_or(u64::MAX);
        block.last_commit_nanos = took;
        block.longest_commit_nanos = block.longest_commit_nanos.max(took);
        self.trigger.committed(now);
        written
    }
}
