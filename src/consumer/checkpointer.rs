//! The thread that writes checkpoints, beside the consumer, which never waits
//! for a disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crossbeam_utils::sync::Parker;

use super::core::Core;
use crate::ledger::Row;
use crate::store::{Checkpoints, Trouble, View};
use crate::sync::{Arc, AtomicBool, Ordering};

/// Writes a checkpoint each interval, and a last one at the end.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    core: Arc<Core>,
    checkpoints: Checkpoints,
    interval: Duration,
    /// Set when the consumer has made its last commit.
    is_over: Arc<AtomicBool>,
}

impl Checkpointer {
    pub(crate) const fn new(
        core: Arc<Core>,
        checkpoints: Checkpoints,
        interval: Duration,
        is_over: Arc<AtomicBool>,
    ) -> Self {
        Self {
            core,
            checkpoints,
            interval,
            is_over,
        }
    }

    /// Works until it is told that it is over.
    pub(crate) fn run(mut self, parker: &Parker) {
        loop {
            // Before the write: what was committed by then is in the last.
            // Acquire: pairs with the Release of the one who ends it.
            let is_last = self.is_over.load(Ordering::Acquire);
            let started = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| self.write()));
            // After a panic the next one is tried like after an error.
            if outcome.is_err() {
                self.core.report(Trouble::Checkpoint, None);
            }
            if is_last {
                return;
            }
            parker.park_deadline(started + self.interval);
        }
    }

    fn write(&mut self) {
        let snapshot = self.core.published.load();
        // While commits fail, the snapshot is ahead of its generation.
        let is_new = snapshot.generation > self.checkpoints.newest();
        if !is_new || self.core.has(Trouble::Commit) {
            return;
        }
        let view = View {
            generation: snapshot.generation,
            block: snapshot.block.clone(),
        };
        let written = self.checkpoints.write(view, &snapshot.names, |each| {
            for number in 0..snapshot.block.rows as u32 {
                let mut row = snapshot.rows.get(number).copied().unwrap_or(Row::FREE);
                each(number, &mut row);
            }
        });
        match written {
            Ok(()) => {
                self.core.set_checkpoint(snapshot.generation);
                self.core.settle(Trouble::Checkpoint);
            }
            Err(error) => self.core.report(Trouble::Checkpoint, Some(&error)),
        }
    }
}
