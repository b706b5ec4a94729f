//! The consumer's side of an open store: commits, and a new file where
//! somebody took the old one away.

use std::path::{Path, PathBuf};

use super::AGGREGATE;
use super::aggregate::{Aggregate, View};
use super::commit::CommitBlock;
use super::draft::Draft;
use super::image::write_image;
use super::interner::{Interner, NamesFile};
use super::layout::live;
use super::lock::StoreLock;
use super::rows::RowsFile;
use crate::bucket::now_nanos;
use crate::disk::format::StoreId;
use crate::error::OpenError;
use crate::ledger::{Ledger, Row};
use crate::ring::RingFile;
use crate::sync::{Arc, Ordering};

/// How often the writer shows that it is awake. Seldom enough to cost nothing.
const HEARTBEAT_NANOS: u64 = 10_000_000;

/// The consumer's side of an open store.
#[derive(Debug)]
pub(crate) struct Store {
    pub(super) dir: PathBuf,
    pub(super) aggregate: Arc<Aggregate>,
    pub(super) rows: RowsFile,
    pub(super) generation: u64,
    pub(super) ring_file: RingFile,
    pub(super) lock: Arc<StoreLock>,
    pub(super) last_heartbeat: u64,
    pub(super) is_gone: bool,
}

impl Store {
    /// The generation that is committed.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Which store it is.
    pub(crate) fn id(&self) -> StoreId {
        self.aggregate.identity.store
    }

    /// What others need to work on the same store.
    pub(crate) fn share(&self) -> (Arc<Aggregate>, Arc<StoreLock>) {
        (Arc::clone(&self.aggregate), Arc::clone(&self.lock))
    }

    /// Makes the ledger's changes and `block` durable against the death of
    /// the process, together (I3). On an error nothing was committed, and the
    /// ledger's changes are still marked.
    pub(crate) fn commit(
        &mut self,
        ledger: &mut Ledger,
        block: &mut CommitBlock,
        interner: &Interner,
    ) -> Result<u64, OpenError> {
        match self.look() {
            Ok(()) => {
                interner.write_pending()?;
                self.rows.reserve(&self.aggregate, ledger.rows().len())?;
                write_commit(&self.aggregate, &self.rows, self.generation, ledger, block)?;
            }
            Err(OpenError::Gone { .. } | OpenError::Damaged { .. }) => {
                interner.rebuild(|| self.rebuild(ledger, block, interner))?;
            }
            Err(other) => return Err(other),
        }
        self.is_gone = false;
        self.generation += 1;
        Ok(self.generation)
    }

    /// Writes a new file, with all that is in memory, where somebody removed,
    /// replaced or cut the old one.
    fn rebuild(
        &mut self,
        ledger: &mut Ledger,
        block: &mut CommitBlock,
        interner: &Interner,
    ) -> Result<NamesFile, OpenError> {
        // Only in the directory whose lock this is (I7).
        self.lock.check_present()?;
        let mut draft = Draft::begin(&self.dir, &[])?;
        let place = self.dir.join(AGGREGATE);
        draft.replace(place.clone(), "put there or cut while the store was in use");
        prepare(block, ledger);
        let mut view = View {
            generation: self.generation + 1,
            block: block.clone(),
        };
        let identity = self.aggregate.identity;
        // The ledger's own rows know the old file's as long as it counts.
        let mut shares = Vec::with_capacity(ledger.rows().len());
        let mut image = write_image(
            &draft.path(),
            identity,
            interner.names(),
            &mut view,
            |each| {
                ledger.every(|number, row| {
                    let mut row = *row;
                    each(number, &mut row);
                    shares.push(row.share);
                });
            },
        )?;
        // Before it is put in place: who is killed in between leaves a draft
        // for the next open, and the ring beside it.
        let before = self.ring_file.belong_to(image.aggregate.inode()?.1);
        draft.put_in_place().inspect_err(|_| {
            self.ring_file.belong_to(before);
        })?;
        image.aggregate.set_path(&place);
        *block = view.block;
        ledger.every(|number, row| row.share = shares[number as usize]);
        // So that snapshots get them all, not only rows with new counts.
        ledger.distrust();
        self.aggregate = Arc::new(image.aggregate);
        self.rows = image.rows;
        self.show(std::process::id());
        Ok(NamesFile {
            aggregate: Arc::clone(&self.aggregate),
            log: image.names_log,
        })
    }

    /// What the file says now of all rows, after a panic in the middle of
    /// something: what was not committed is taken back.
    pub(crate) fn reload(&mut self) -> Result<(View, Vec<Row>), OpenError> {
        self.take_back()?;
        let view = self.aggregate.view()?.unwrap_or_default();
        let rows = super::load::load_rows(&self.aggregate, &self.rows, &view)?;
        Ok((view, rows))
    }

    /// Takes back what was written of a commit that didn't happen; gives the
    /// committed generation.
    pub(crate) fn take_back(&mut self) -> Result<u64, OpenError> {
        self.aggregate.check_present()?;
        self.generation = self.aggregate.committed()?;
        self.aggregate.scrub(self.generation);
        self.rows.scrub(self.generation);
        Ok(self.generation)
    }

    /// Shows that the writer is awake, and what troubles it, as
    /// [`Trouble::word`](super::Trouble::word) has it.
    pub(crate) fn heartbeat(&mut self, now: u64, trouble: impl FnOnce() -> u64) {
        if now.wrapping_sub(self.last_heartbeat) < HEARTBEAT_NANOS {
            return;
        }
        self.last_heartbeat = now;
        if self.look().is_ok() {
            for (word, value) in [(live::HEARTBEAT, now), (live::DEGRADED, trouble())] {
                // Relaxed: each says something by itself.
                self.aggregate.live(word).store(value, Ordering::Relaxed);
            }
        }
    }

    /// Looks whether the file is there, and as long as it was.
    pub(crate) fn look(&mut self) -> Result<(), OpenError> {
        let found = self
            .aggregate
            .check_present()
            .and_then(|()| self.aggregate.check_untouched(self.generation));
        self.is_gone = matches!(
            found,
            Err(OpenError::Gone { .. } | OpenError::Damaged { .. })
        );
        found
    }

    /// Whether the file was gone when somebody last looked: a commit writes it
    /// anew.
    pub(crate) const fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// Shows readers how the last commit went: whether the store can be
    /// written, as [`Trouble::word`](super::Trouble::word) has it, and how long
    /// it took.
    pub(crate) fn show_commit(&self, trouble: u64, nanos: u64) {
        if self.aggregate.check_present().is_ok() {
            for (word, value) in [(live::DEGRADED, trouble), (live::COMMIT_NANOS, nanos)] {
                // Relaxed: each says something by itself.
                self.aggregate.live(word).store(value, Ordering::Relaxed);
            }
        }
    }

    /// Shows who writes, and that all is well.
    pub(super) fn show(&self, pid: u32) {
        for (word, value) in [
            (live::WRITER_PID, pid.into()),
            (live::HEARTBEAT, now_nanos()),
            (live::DEGRADED, 0),
        ] {
            // Relaxed: each says something by itself.
            self.aggregate.live(word).store(value, Ordering::Relaxed);
        }
    }

    /// Whether the ring would be found after a kill.
    pub(crate) fn ring_is_present(&mut self) -> bool {
        self.ring_file.is_present()
    }

    /// Removes the ring's file. After the commit that says there is no ring.
    pub(crate) fn remove_ring(&self) -> Result<(), OpenError> {
        self.ring_file.remove()
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }
}

/// What every commit says of itself.
fn prepare(block: &mut CommitBlock, ledger: &mut Ledger) {
    block.committed_at = now_nanos();
    block.rows = ledger.rows().len() as u64;
    block.records = ledger.records();
}

pub(super) fn write_commit(
    aggregate: &Aggregate,
    rows: &RowsFile,
    generation: u64,
    ledger: &mut Ledger,
    block: &mut CommitBlock,
) -> Result<(), OpenError> {
    // From here on nothing can fail.
    block.names = aggregate.load_sealed(live::NAMES, "the number of names")?;
    prepare(block, ledger);
    let next = generation + 1;
    ledger.changed(|number, row| {
        let before = row.share;
        rows.write(number, generation, next, row);
        block.digest = block.digest.wrapping_sub(before).wrapping_add(row.share);
    });
    aggregate.commit(generation, next, block);
    Ok(())
}
