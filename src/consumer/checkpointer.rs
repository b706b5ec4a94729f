//! The thread that writes checkpoints, beside the consumer, which never waits
//! for a disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crossbeam_utils::sync::Parker;

use super::core::Core;
use super::over::Over;
use crate::ledger::Row;
use crate::store::{Checkpoints, Trouble, View};
use crate::sync::Arc;

/// Writes a checkpoint each interval, and a last one at the end.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    core: Arc<Core>,
    checkpoints: Checkpoints,
    interval: Duration,
    over: Arc<Over>,
}

impl Checkpointer {
    pub(crate) const fn new(
        core: Arc<Core>,
        checkpoints: Checkpoints,
        interval: Duration,
        over: Arc<Over>,
    ) -> Self {
        Self {
            core,
            checkpoints,
            interval,
            over,
        }
    }

    /// Works until it is told that it is over.
    pub(crate) fn run(mut self, parker: &Parker) {
        loop {
            // Before the write: what was committed by then is in the last.
            let is_last = self.over.is_set();
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
        if snapshot.is_ahead || snapshot.generation <= self.checkpoints.newest() {
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
