//! The consumer's side of an open store: commits.

use super::aggregate::Aggregate;
use super::commit::CommitBlock;
use super::layout::live;
use super::lock::StoreLock;
use super::rows::RowsFile;
use crate::bucket::now_nanos;
use crate::error::OpenError;
use crate::ledger::Ledger;
use crate::ring::RingFile;
use crate::sync::Arc;

/// The consumer's side of an open store.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) aggregate: Arc<Aggregate>,
    pub(super) rows: RowsFile,
    pub(super) generation: u64,
    pub(super) ring_file: RingFile,
    pub(super) _lock: StoreLock,
}

impl Store {
    /// The generation that is committed.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Makes the ledger's changes and `block` durable against the death of
    /// the process, together (I3). On an error nothing was committed, and the
    /// ledger's changes are still marked.
    pub(crate) fn commit(
        &mut self,
        ledger: &mut Ledger,
        block: &mut CommitBlock,
    ) -> Result<u64, OpenError> {
        self.rows.reserve(&self.aggregate, ledger.rows().len())?;
        write_commit(&self.aggregate, &self.rows, self.generation, ledger, block)?;
        self.generation += 1;
        Ok(self.generation)
    }

    /// Removes the ring's file. After the commit that says there is no ring.
    pub(crate) fn remove_ring(&self) -> Result<(), OpenError> {
        self.ring_file.remove()
    }
}

pub(super) fn write_commit(
    aggregate: &Aggregate,
    rows: &RowsFile,
    generation: u64,
    ledger: &mut Ledger,
    block: &mut CommitBlock,
) -> Result<(), OpenError> {
    let next = generation + 1;
    ledger.changed(|number, row| rows.write(number, generation, next, row));
    block.committed_at = now_nanos();
    block.rows = ledger.rows().len() as u64;
    block.records = ledger.records();
    block.names = aggregate.load_sealed(live::NAMES, "the number of names")?;
    aggregate.commit(generation, next, block);
    Ok(())
}
