//! Loads what was committed from a file that nobody else writes to, and
//! checks all of it.

use super::aggregate::{Aggregate, ExtentKind, View};
use super::layout::live;
use super::names_log::NamesLog;
use super::rows::RowsFile;
use super::version::{Missed, Unsound};
use crate::error::OpenError;
use crate::ledger::Row;
use crate::names::Names;
use crate::sync::Arc;

/// Half of what a sealed word holds, and thousands of years of commits: whoever
/// goes on from there has as many again.
const MOST_GENERATIONS: u64 = 1 << 47;

/// What a store's file holds.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) view: View,
    pub(crate) rows: RowsFile,
    pub(crate) ledger_rows: Vec<Row>,
    pub(crate) names: Arc<Names>,
    pub(crate) names_log: NamesLog,
}

impl Loaded {
    /// Reads all of a file that nobody writes to, and checks what it reads.
    pub(crate) fn load(aggregate: &Aggregate, writable: bool) -> Result<Self, OpenError> {
        let view = aggregate.view_at_rest()?.unwrap_or_default();
        if view.generation > MOST_GENERATIONS {
            let generation = view.generation;
            let what = format!("generation {generation} is committed, more than there can be");
            return Err(aggregate.damaged(what));
        }
        let mut rows = RowsFile::default();
        let mut names_log = NamesLog::default();
        let count = NamesLog::in_file(aggregate)?;
        for extent in aggregate.new_extents(writable)? {
            match extent.kind {
                ExtentKind::Rows => rows.attach(aggregate, &extent)?,
                ExtentKind::Names => names_log.attach(aggregate, &extent)?,
            }
        }
        let names = Arc::new(Names::new());
        names_log.read_new(aggregate, &names, count)?;
        if view.block.ring != 0 && view.block.ring_dir(&names).is_none() {
            return Err(aggregate.damaged("the name of the ring's directory is missing"));
        }
        let ledger_rows = load_rows(aggregate, &rows, &view)?;
        Ok(Self {
            view,
            rows,
            ledger_rows,
            names,
            names_log,
        })
    }
}

/// The names alone, of a file whose rows may be damaged.
pub(super) fn load_names(aggregate: &Aggregate) -> Result<Arc<Names>, OpenError> {
    let mut names_log = NamesLog::default();
    let count = NamesLog::in_file(aggregate)?;
    for extent in aggregate.new_extents(false)? {
        if extent.kind == ExtentKind::Names {
            names_log.attach(aggregate, &extent)?;
        }
    }
    let names = Arc::new(Names::new());
    names_log.read_new(aggregate, &names, count)?;
    Ok(names)
}

/// All rows as of `view`, which must be those that it was committed with.
pub(super) fn load_rows(
    aggregate: &Aggregate,
    rows: &RowsFile,
    view: &View,
) -> Result<Vec<Row>, OpenError> {
    let View { generation, block } = view;
    aggregate.check_blocks(*generation)?;
    if aggregate.load_sealed(live::NAMES, "the number of names")? < block.names {
        return Err(aggregate.damaged("it has fewer names than were committed"));
    }
    if block.rows > rows.capacity() as u64 {
        return Err(aggregate.damaged("it has fewer rows than were committed"));
    }
    let mut loaded = Vec::with_capacity(block.rows as usize);
    let mut digest = 0u64;
    for number in 0..block.rows as u32 {
        let unsound = |unsound: Unsound| {
            aggregate.damaged(format!(
                "version {} of row {number}, generation {}, doesn't have its checksum",
                unsound.version, unsound.generation
            ))
        };
        rows.check(number, *generation).map_err(unsound)?;
        let (_, row) = rows
            .read(number, *generation)
            .map_err(|missed| match missed {
                Missed::Damaged(which) => unsound(which),
                Missed::Absent | Missed::Overtaken => {
                    aggregate.damaged(format!("row {number} has no valid version"))
                }
            })?;
        digest = digest.wrapping_add(row.share);
        loaded.push(row);
    }
    match block.imbalance() {
        Some(what) => Err(aggregate.damaged(what)),
        None if digest != block.digest => Err(aggregate
            .damaged("the rows are not those of one commit: each is sound, their digest is not")),
        None => Ok(loaded),
    }
}
