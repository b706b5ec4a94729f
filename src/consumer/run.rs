//! The consumer's loop.

use std::time::{Duration, Instant};

use crossbeam_utils::Backoff;
use crossbeam_utils::sync::Parker;

use super::core::Core;
use super::mailbox::Command;
use super::ticket::Ticket;
use super::trigger::{Next, Pace, ROUND, Trigger};
use crate::bucket::now_nanos;
use crate::fault::point;
use crate::ledger::{Ledger, LedgerLimits};
use crate::pricing::Pricing;
use crate::ring::Drainer;
use crate::snapshot::{Pool, Rows, Snapshot};
use crate::store::{CommitBlock, Store, Trouble};
use crate::sync::Arc;

/// What a consumer works with.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) drainer: Drainer,
    pub(crate) ledger: Ledger,
    pub(crate) limits: LedgerLimits,
    /// `None` where every record comes with its cost or is unpriced.
    pub(crate) pricing: Option<Pricing>,
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
    pub(super) core: Arc<Core>,
    pub(super) parts: Parts,
    pub(super) trigger: Trigger,
    pub(super) generation: u64,
    /// Records that are in the file; in memory, those that are published.
    pub(super) written: u64,
    /// Who waits for what is being done.
    tickets: Vec<Ticket>,
    is_closing: bool,
}

impl Consumer {
    pub(crate) fn new(core: Arc<Core>, parts: Parts) -> Self {
        Self {
            trigger: Trigger::new(parts.pace, Instant::now()),
            generation: core.published.load().generation,
            written: parts.block.records,
            core,
            parts,
            tickets: Vec::new(),
            is_closing: false,
        }
    }

    /// Works until a `Close` arrives.
    pub(super) fn work(&mut self, parker: &Parker) {
        loop {
            self.take_commands();
            if !self.tickets.is_empty() {
                let target = self.parts.drainer.target();
                self.drain_to(&target);
                let written = if self.is_closing {
                    self.end()
                } else {
                    self.commit()
                };
                if self.is_closing {
                    self.core.mailbox.end(written);
                }
                for ticket in self.tickets.drain(..) {
                    ticket.complete(written);
                }
                if self.is_closing {
                    return;
                }
            }
            let found = self.round();
            let pending = self.pending();
            let pressed = self.core.ring.is_pressed();
            let now = Instant::now();
            match self.trigger.drained(now, found, pending, pressed) {
                Next::Commit => {
                    self.commit();
                }
                Next::Sleep(Duration::ZERO) => {}
                Next::Sleep(sleep) => self.core.mailbox.sleep(|| parker.park_timeout(sleep)),
            }
        }
    }

    fn take_commands(&mut self) {
        while let Some(command) = self.core.mailbox.receive() {
            match command {
                Command::Flush(ticket) => self.tickets.push(ticket),
                Command::Close(ticket) => {
                    self.tickets.push(ticket);
                    self.is_closing = true;
                }
            }
        }
    }

    /// Folds up to [`ROUND`] records of each shard.
    fn round(&mut self) -> u64 {
        let Parts {
            drainer,
            ledger,
            pricing,
            block,
            store,
            ..
        } = &mut self.parts;
        let now = now_nanos();
        if let Some(store) = store {
            store.heartbeat(now, || self.core.trouble_word());
        }
        block.high_water = block.high_water.max(self.core.ring.held());
        let Some(pricing) = pricing else {
            return drainer.drain(ROUND, |record| {
                ledger.fold(record, now);
                point!("consumer: mid batch");
            });
        };
        let mut batch = pricing.batch(self.core.interner.names());
        let found = drainer.drain(ROUND, |record| {
            ledger.fold(&batch.price(record), now);
            point!("consumer: mid batch");
        });
        drop(batch);
        if pricing.has_panicked() && !self.core.has(Trouble::Prices) {
            self.core.report(Trouble::Prices, None);
        }
        found
    }

    /// Folds everything up to `target`, which others may still be publishing.
    fn drain_to(&mut self, target: &[u64]) {
        let backoff = Backoff::new();
        while !self.parts.drainer.has_reached(target) {
            let found = self.round();
            if found == 0 {
                backoff.snooze();
            } else {
                backoff.reset();
            }
            if self.core.ring.is_pressed() && self.trigger.relieves(found, self.pending()) {
                self.commit();
            }
        }
    }

    /// Records that are folded and not in the file; where the file lacks
    /// something else, one.
    fn pending(&self) -> u64 {
        let records = self.parts.ledger.records() - self.written;
        let is_gone = self.parts.store.as_ref().is_some_and(Store::is_gone);
        let is_behind =
            is_gone || self.core.has(Trouble::Commit) || self.core.interner.has_pending();
        records.max(u64::from(is_behind))
    }

    /// The same for somebody who wants to be sure: looks at the file.
    fn pending_for_sure(&mut self) -> u64 {
        if let Some(store) = &mut self.parts.store {
            // Best effort: where it can't be looked at, a commit can't tell
            // more.
            let _ = store.look();
        }
        self.pending()
    }

    /// Commits what is folded, publishes it, and hands its slots back, in this
    /// order (I3, I4). `false` where the store could not be written: then the
    /// counts go on in memory.
    fn commit(&mut self) -> bool {
        if self.pending() == 0 && self.pending_for_sure() == 0 {
            self.is_well();
            return true;
        }
        let positions = self.parts.drainer.positions().to_vec();
        let written = self.write(|block| block.positions = positions);
        point!("commit: before the release");
        // What is in no file stays on the ring, from which a kill doesn't take
        // it, as long as producers don't need the room.
        if written || self.core.ring.is_pressed() {
            self.parts.drainer.release();
        }
        self.is_well();
        written
    }

    /// The last commit: what is folded, and that there is no ring any more.
    fn end(&mut self) -> bool {
        // Otherwise it was made before a panic.
        let is_left = !self.parts.block.positions.is_empty();
        let positions = self.parts.drainer.positions().to_vec();
        let written = !is_left
            || self.write(|block| {
                block.positions = positions;
                block.earlier_positions = block.covered();
                block.positions = Vec::new();
                block.ring = 0;
            });
        if let Some(store) = self.parts.store.as_ref().filter(|_| written) {
            // Best effort: the next open removes what is left.
            let _ = store.remove_ring();
            self.core.settle(Trouble::Ring);
        }
        self.is_well();
        written
    }

    /// A commit was gone through without a panic.
    fn is_well(&self) {
        if self.core.has(Trouble::Consumer) {
            self.core.settle(Trouble::Consumer);
            self.show_trouble();
        }
    }

    /// One commit. `change` puts what it covers into its block.
    fn write(&mut self, change: impl FnOnce(&mut CommitBlock)) -> bool {
        let started = Instant::now();
        self.look_after_the_ring();
        let records = self.parts.ledger.records() - self.written;
        let Parts {
            ledger,
            block,
            store,
            rows,
            pool,
            ..
        } = &mut self.parts;
        let before = block.clone();
        change(block);
        // Once more: producers were at work since the last look.
        block.high_water = block.high_water.max(self.core.ring.held());
        self.core.count_refusals(block);
        if records > 0 {
            block.flushes += 1;
            block.flushed_records += records;
            block.last_flush = records;
            block.greatest_flush = block.greatest_flush.max(records);
        }
        let outcome = match store {
            Some(store) => store.commit(ledger, block, &self.core.interner),
            None => {
                block.records = ledger.records();
                block.rows = ledger.rows().len() as u64;
                block.committed_at = now_nanos();
                Ok(self.generation + 1)
            }
        };
        let mut edit = rows.edit(pool);
        ledger.changed(|number, row| {
            edit.set(number, row);
        });
        drop(edit);
        let written = match outcome {
            Ok(generation) => {
                self.generation = generation;
                self.written = ledger.records();
                ledger.settle();
                self.core.settle(Trouble::Commit);
                true
            }
            Err(error) => {
                // It was no flush, and the file is as it was.
                block.records = ledger.records();
                block.rows = ledger.rows().len() as u64;
                block.digest = before.digest;
                block.flushes = before.flushes;
                block.flushed_records = before.flushed_records;
                block.last_flush = before.last_flush;
                block.greatest_flush = before.greatest_flush;
                self.core.report(Trouble::Commit, Some(&error));
                false
            }
        };
        self.core.set_unwritten(ledger.records() - self.written);
        self.publish();
        let now = Instant::now();
        let took = u64::try_from((now - started).as_nanos()).unwrap_or(u64::MAX);
        let block = &mut self.parts.block;
        block.last_commit_nanos = took;
        block.longest_commit_nanos = block.longest_commit_nanos.max(took);
        self.core.set_commit_nanos(took);
        self.show_trouble();
        self.trigger.committed(now);
        written
    }

    /// Makes what is in memory the newest snapshot.
    pub(super) fn publish(&self) {
        self.core.publish(Snapshot {
            generation: self.generation,
            is_ahead: self.core.has(Trouble::Commit),
            width: self.core.bucket,
            block: self.parts.block.clone(),
            rows: self.parts.rows.clone(),
            names: Arc::clone(self.core.interner.names()),
        });
    }

    /// Tells readers in other processes what is wrong.
    pub(super) fn show_trouble(&self) {
        if let Some(store) = &self.parts.store {
            store.show_commit(self.core.trouble_word(), self.core.commit_nanos());
        }
    }

    fn look_after_the_ring(&mut self) {
        let store = self.parts.store.as_mut();
        if store.is_none_or(Store::ring_is_present) {
            self.core.settle(Trouble::Ring);
        } else {
            self.core.report(Trouble::Ring, None);
        }
    }
}
