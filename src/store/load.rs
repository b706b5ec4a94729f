//! Loads what was committed from a file that nobody else writes to, and
//! checks all of it.

use super::aggregate::{Aggregate, ExtentKind, View};
use super::layout::live;
use super::names_log::NamesLog;
use super::rows::{RowCopy, RowsFile};
use crate::error::OpenError;
use crate::ledger::{Row, Sums};
use crate::names::Names;
use crate::sync::Arc;

/// What a store's file holds.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) view: Option<View>,
    pub(crate) rows: RowsFile,
    pub(crate) ledger_rows: Vec<Row>,
    pub(crate) names: Arc<Names>,
    pub(crate) names_log: NamesLog,
}

impl Loaded {
    /// Reads all of a file that nobody writes to, and checks what it reads.
    pub(crate) fn load(aggregate: &Aggregate) -> Result<Self, OpenError> {
        let view = aggregate.view()?;
        let mut rows = RowsFile::default();
        let mut names_log = NamesLog::default();
        for extent in aggregate.new_extents(true)? {
            match extent.kind {
                ExtentKind::Rows => rows.attach(aggregate, &extent)?,
                ExtentKind::Names => names_log.attach(aggregate, &extent)?,
            }
        }
        let names = Arc::new(Names::new());
        names_log.read_new(aggregate, &names)?;
        let ledger_rows = match &view {
            Some(view) => load_rows(aggregate, &rows, view)?,
            None => Vec::new(),
        };
        Ok(Self {
            view,
            rows,
            ledger_rows,
            names,
            names_log,
        })
    }
}

fn load_rows(aggregate: &Aggregate, rows: &RowsFile, view: &View) -> Result<Vec<Row>, OpenError> {
    let View { generation, block } = view;
    aggregate.check_blocks(*generation)?;
    if aggregate.load_sealed(live::NAMES, "the number of names")? < block.names {
        return Err(aggregate.damaged("it has fewer names than were committed"));
    }
    if block.rows > rows.capacity() as u64 {
        return Err(aggregate.damaged("it has fewer rows than were committed"));
    }
    let mut loaded = Vec::with_capacity(block.rows as usize);
    let mut sums = Sums::default();
    for number in 0..block.rows as u32 {
        rows.check(number, *generation).map_err(|unsound| {
            aggregate.damaged(format!(
                "version {} of row {number}, generation {}, doesn't have its checksum",
                unsound.version, unsound.generation
            ))
        })?;
        match rows.read(number, *generation) {
            RowCopy::At(_, row) => {
                sums.add(&row);
                loaded.push(row);
            }
            _ => return Err(aggregate.damaged(format!("row {number} has no valid version"))),
        }
    }
    if let Some(what) = sums.disagreement(block.records).or(block.imbalance()) {
        return Err(aggregate.damaged(what));
    }
    Ok(loaded)
}
