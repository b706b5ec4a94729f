//! A panic in the consumer is not the end of counting: it begins again at the
//! last commit, and what was folded since is still on the ring (I4).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crossbeam_utils::sync::Parker;

use super::run::{Consumer, Parts};
use crate::fault::point;
use crate::ledger::{Ledger, Row};
use crate::store::Trouble;

/// Restarts without a commit in between from which on readers are told.
const PATIENCE: u32 = 3;
/// How long to wait before a restart that follows others.
const PAUSE: Duration = Duration::from_millis(20);

impl Consumer {
    /// Works until a `Close` arrives, whatever happens in between.
    pub(crate) fn run(mut self, parker: &Parker) {
        let mut in_vain = 0;
        while catch_unwind(AssertUnwindSafe(|| self.work(parker))).is_err() {
            let generation = self.generation;
            // What can't be restored now may be the next time.
            while catch_unwind(AssertUnwindSafe(|| self.restore())).is_err() {
                std::thread::sleep(PAUSE);
            }
            in_vain = if self.generation == generation {
                in_vain + 1
            } else {
                0
            };
            if in_vain >= PATIENCE {
                self.core.report(Trouble::Consumer, None);
                self.show_trouble();
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// Goes back to the last commit, and does what may have been left undone
    /// after it: to publish it, and to hand its slots back.
    fn restore(&mut self) {
        let snapshot = self.core.published.load();
        let Parts {
            drainer,
            ledger,
            limits,
            block,
            store,
            rows,
            pool,
            ..
        } = &mut self.parts;
        let restarts = block.restarts;
        *rows = snapshot.rows.clone();
        *block = snapshot.block.clone();
        self.generation = snapshot.generation;
        let mut ledger_rows: Vec<Row> = (0..block.rows as u32)
            .map(|number| snapshot.rows.get(number).copied().unwrap_or(Row::FREE))
            .collect();
        // A file that can't be looked at is as it was when it last could.
        if let Some(store) = store
            && let Ok(committed) = store.take_back()
            && committed > snapshot.generation
            && let Ok((view, in_file)) = store.reload()
        {
            // It was committed, and not yet published.
            self.generation = view.generation;
            *block = view.block;
            let mut edit = rows.edit(pool);
            for (number, row) in in_file.iter().enumerate() {
                edit.set(number as u32, row);
            }
            drop(edit);
            ledger_rows = in_file;
        }
        block.restarts = restarts + 1;
        *ledger = Ledger::new(self.core.bucket, *limits, ledger_rows, block.records);
        let is_behind = self.core.has(Trouble::Commit);
        if is_behind {
            // Nobody knows any more which rows the file lacks.
            ledger.distrust();
        } else {
            self.written = block.records;
        }
        let is_left = !block.positions.is_empty();
        if is_left {
            drainer.go_back(&block.positions);
        }
        self.publish();
        if is_left && !is_behind {
            point!("commit: before the release");
            self.parts.drainer.release();
        }
    }
}
