//! Copies a consistent generation out of a file that somebody may be writing.

use std::path::Path;
use std::sync::Arc;

use crate::error::{OpenError, ReadError};
use crate::names::Names;
use crate::ring::{RingFile, RingId};
use crate::snapshot::{Pool, Rows, Snapshot};
use crate::store::{Aggregate, ExtentKind, Missed, NamesLog, RowsFile, View};

/// Passes over the rows before the reader gives up. Each pass after the first
/// only copies what changed during the one before.
const PASSES: u32 = 64;

/// A store's file, and what was copied of it so far.
#[derive(Debug)]
pub(super) struct Loader {
    aggregate: Aggregate,
    file: RowsFile,
    names_log: NamesLog,
    names: Arc<Names>,
    rows: Rows,
    pool: Pool,
    /// The generation of each row that was copied; 0 for none.
    copied: Vec<u64>,
    /// The sum of what the rows add to it: see `CommitBlock::digest`.
    digest: u64,
    newest: Option<Arc<Snapshot>>,
}

impl Loader {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self {
            aggregate: Aggregate::open(path, false)?,
            file: RowsFile::default(),
            names_log: NamesLog::default(),
            names: Arc::new(Names::new()),
            rows: Rows::default(),
            pool: Pool::default(),
            copied: Vec::new(),
            digest: 0,
            newest: None,
        })
    }

    pub(super) const fn aggregate(&self) -> &Aggregate {
        &self.aggregate
    }

    /// A consistent view of the newest generation.
    pub(super) fn snapshot(&mut self) -> Result<Arc<Snapshot>, ReadError> {
        for _ in 0..PASSES {
            let view = self.aggregate.view()?.unwrap_or_default();
            if let Some(newest) = &self.newest
                && newest.generation == view.generation
            {
                return Ok(Arc::clone(newest));
            }
            // After the view: what a commit uses was in the file before it.
            self.map_new()?;
            if self.pass(&view)? {
                self.check(&view)?;
                let snapshot = Arc::new(Snapshot {
                    generation: view.generation,
                    is_ahead: false,
                    width: self.aggregate.identity.bucket,
                    block: view.block,
                    rows: self.rows.clone(),
                    names: Arc::clone(&self.names),
                });
                self.newest = Some(Arc::clone(&snapshot));
                return Ok(snapshot);
            }
        }
        Err(ReadError::Busy { attempts: PASSES })
    }

    fn map_new(&mut self) -> Result<(), OpenError> {
        let names = NamesLog::in_file(&self.aggregate)?;
        for extent in self.aggregate.new_extents(false)? {
            match extent.kind {
                ExtentKind::Rows => self.file.attach(&self.aggregate, &extent)?,
                ExtentKind::Names => self.names_log.attach(&self.aggregate, &extent)?,
            }
        }
        self.names_log.read_new(&self.aggregate, &self.names, names)
    }

    /// Brings every row to the generation of `view`. `false` when the writer
    /// overtook: the rows are then of different generations, and the next
    /// pass, for a newer one, copies those that lag behind.
    fn pass(&mut self, view: &View) -> Result<bool, OpenError> {
        let generation = view.generation;
        if view.block.rows > self.file.capacity() as u64 {
            let what = "it has fewer rows than were committed";
            return Err(self.aggregate.damaged(what));
        }
        let rows = view.block.rows as u32;
        self.copied.resize(rows as usize, 0);
        let mut is_whole = true;
        let mut edit = self.rows.edit(&mut self.pool);
        for number in 0..rows {
            let copied = &mut self.copied[number as usize];
            if self.file.generation(number, generation) == Ok(*copied) {
                continue;
            }
            match self.file.read(number, generation) {
                Ok((newest, row)) => {
                    let before = edit.set(number, &row).share;
                    self.digest = self.digest.wrapping_sub(before).wrapping_add(row.share);
                    *copied = newest;
                }
                Err(Missed::Overtaken) => is_whole = false,
                Err(Missed::Absent) => {
                    let what = format!("row {number} has no valid version");
                    return Err(self.aggregate.damaged(what));
                }
                Err(Missed::Damaged(_)) => {
                    let what = format!("row {number} is not sound");
                    return Err(self.aggregate.damaged(what));
                }
            }
        }
        Ok(is_whole)
    }

    /// Whether what was copied is what was committed: a row whose generation
    /// word was damaged shows only here.
    fn check(&self, view: &View) -> Result<(), OpenError> {
        let names = self.names_log.len();
        let missing = (names < view.block.names).then(|| {
            let committed = view.block.names;
            format!("{names} names are there, {committed} were committed")
        });
        let other = (self.digest != view.block.digest)
            .then(|| "the rows are not those of one commit: their digest is another".to_owned());
        match missing.or(other).or(view.block.imbalance()) {
            Some(what) => Err(self.aggregate.damaged(what)),
            None => Ok(()),
        }
    }

    /// Slots claimed since the commit that `snapshot` is of, as far as the
    /// ring's file can be read.
    pub(super) fn in_ring(&self, snapshot: &Snapshot) -> u64 {
        let block = &snapshot.block;
        let ring = || {
            let dir = block.ring_dir(&self.names)?;
            let (_, inode) = self.aggregate.inode().ok()?;
            let id = RingId::new(self.aggregate.identity.store, inode, block.ring);
            RingFile::peek(Path::new(dir.as_str()), id).ok()?
        };
        ring().map_or(0, |ring| ring.in_use(&block.positions))
    }
}
