//! From the parts of a recorder to one whose threads run.

use std::time::Duration;

use crossbeam_utils::sync::Parker;

use super::Recorder;
use super::life::{CheckpointThread, spawn};
use crate::bucket::Bucket;
use crate::consumer::{Consumer, Core, Mailbox, Pace, Parts};
use crate::error::OpenError;
use crate::ledger::{Ledger, LedgerLimits};
use crate::pricing::Pricing;
use crate::ring::{Drainer, Ring};
use crate::snapshot::{Pool, Rows, Snapshot};
use crate::store::{Checkpoints, CommitBlock, Interner, SetAside, Store};
use crate::sync::Arc;

/// Everything that a record meets on its way, before the threads start.
pub(super) struct Street {
    pub(super) bucket: Bucket,
    pub(super) ring: Ring,
    pub(super) interner: Interner,
    pub(super) ledger: Ledger,
    pub(super) limits: LedgerLimits,
    pub(super) pricing: Option<Pricing>,
    pub(super) flush_interval: Duration,
    pub(super) flush_records: u64,
    pub(super) block: CommitBlock,
    pub(super) generation: u64,
    pub(super) store: Option<Store>,
    pub(super) checkpoints: Option<(Checkpoints, Duration)>,
    pub(super) set_aside: Vec<SetAside>,
}

impl Street {
    pub(super) fn start(mut self) -> Result<Recorder, OpenError> {
        let mut rows = Rows::default();
        let mut pool = Pool::default();
        let mut edit = rows.edit(&mut pool);
        for (number, row) in self.ledger.rows().iter().enumerate() {
            edit.set(number as u32, row);
        }
        drop(edit);
        let first = Snapshot {
            generation: self.generation,
            is_ahead: false,
            width: self.bucket,
            block: self.block.clone(),
            rows: rows.clone(),
            names: Arc::clone(self.interner.names()),
        };
        let parker = Parker::new();
        let mailbox = Mailbox::new(parker.unparker().clone());
        let ring = Arc::new(self.ring);
        let core = Core::new(Arc::clone(&ring), self.interner, mailbox, first);
        let core = Arc::new(core);
        let pace = Pace {
            interval: self.flush_interval,
            records: self.flush_records,
            batch: ring.capacity() / 8,
        };
        let parts = Parts {
            drainer: Drainer::new(ring, &self.block.positions),
            ledger: self.ledger,
            limits: self.limits,
            pricing: self.pricing,
            block: self.block,
            store: self.store,
            rows,
            pool,
            pace,
        };
        let checkpointer = match self.checkpoints {
            None => None,
            Some((checkpoints, interval)) => {
                core.set_checkpoint(checkpoints.newest());
                Some(CheckpointThread::start(&core, checkpoints, interval)?)
            }
        };
        let consumer = Consumer::new(Arc::clone(&core), parts);
        let consumer = spawn("quipu-consumer", move || consumer.run(&parker));
        match consumer {
            Ok(consumer) => Ok(Recorder::new(core, consumer, checkpointer, self.set_aside)),
            Err(error) => {
                if let Some(checkpointer) = checkpointer {
                    checkpointer.end();
                }
                Err(error)
            }
        }
    }
}
