//! The rows in the file, as blocks of pairs.

use super::aggregate::{Aggregate, Extent, ExtentKind};
use super::layout::{BLOCK_ROWS, ROW_BYTES, ROW_VERSION_WORDS, blocks_in_extent};
use super::version::{Copied, Pair, Unsound};
use crate::disk::Placed;
use crate::error::OpenError;
use crate::ledger::{ROW_WORDS, Row};

/// The words of one row in the file.
type RowPair = Pair<ROW_VERSION_WORDS>;

const _: () = assert!(ROW_WORDS == RowPair::PAYLOAD && size_of::<RowPair>() == ROW_BYTES);

/// What a reader got of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// It is looked at where it is returned and never kept.
#[allow(clippy::large_enum_variant)]
pub(crate) enum RowCopy {
    /// The row as of this generation.
    At(u64, Row),
    /// See [`Copied::Overtaken`].
    Overtaken,
    /// The row does not exist.
    Absent,
    /// The words are not a row's, or don't have their checksum.
    Damaged,
}

/// All extents of rows, mapped.
#[derive(Debug, Default)]
pub(crate) struct RowsFile {
    blocks: Vec<Placed<RowPair>>,
    extents: u64,
}

impl RowsFile {
    /// Rows that have a place in the file.
    pub(crate) fn capacity(&self) -> usize {
        self.blocks.len() * BLOCK_ROWS
    }

    /// Takes in the next extent of rows.
    pub(crate) fn attach(
        &mut self,
        aggregate: &Aggregate,
        extent: &Extent,
    ) -> Result<(), OpenError> {
        let damaged = |what: &str| {
            let ordinal = extent.ordinal;
            aggregate.damaged(format!("the extent of rows number {ordinal} {what}"))
        };
        if extent.ordinal != self.extents {
            return Err(damaged("is out of order"));
        }
        let blocks = blocks_in_extent(extent.ordinal);
        if extent.region.len() != blocks * BLOCK_ROWS * ROW_BYTES {
            return Err(damaged("doesn't have the length that belongs to it"));
        }
        for block in 0..blocks {
            let offset = block * BLOCK_ROWS * ROW_BYTES;
            let block = Placed::new(&extent.region, offset, BLOCK_ROWS)
                .ok_or_else(|| damaged("is out of place"))?;
            self.blocks.push(block);
        }
        self.extents += 1;
        Ok(())
    }

    /// Grows the file until `rows` rows have a place.
    pub(crate) fn reserve(&mut self, aggregate: &Aggregate, rows: usize) -> Result<(), OpenError> {
        while self.capacity() < rows {
            let ordinal = self.extents;
            let len = blocks_in_extent(ordinal) * BLOCK_ROWS * ROW_BYTES;
            let extent = aggregate
                .add_extent(ExtentKind::Rows, ordinal, len)
                .map_err(|error| OpenError::io("grow", aggregate.path(), error))?;
            self.attach(aggregate, &extent)?;
        }
        Ok(())
    }

    /// Writes the value that a row has at generation `next`.
    pub(crate) fn write(&self, number: u32, committed: u64, next: u64, row: &Row) {
        if let Some(pair) = self.pair(number) {
            pair.write(committed, next, &row.to_words());
        }
    }

    /// The row as of generation `committed`.
    pub(crate) fn read(&self, number: u32, committed: u64) -> RowCopy {
        let Some(pair) = self.pair(number) else {
            return RowCopy::Absent;
        };
        let mut words = [0; ROW_WORDS];
        match pair.copy(committed, &mut words) {
            Copied::At(generation) => match Row::from_words(&words) {
                Some(row) => RowCopy::At(generation, row),
                None => RowCopy::Damaged,
            },
            Copied::Overtaken => RowCopy::Overtaken,
            Copied::Absent => RowCopy::Absent,
            Copied::Damaged(_) => RowCopy::Damaged,
        }
    }

    /// The generation of the row as of `committed`.
    pub(crate) fn generation(&self, number: u32, committed: u64) -> Copied {
        self.pair(number)
            .map_or(Copied::Absent, |pair| pair.generation(committed))
    }

    /// See [`Pair::check`].
    pub(crate) fn check(&self, number: u32, committed: u64) -> Result<(), Unsound> {
        self.pair(number)
            .map_or(Ok(()), |pair| pair.check(committed))
    }

    /// See [`Pair::scrub`]; for every row that has a place.
    pub(crate) fn scrub(&self, committed: u64) {
        for pair in self.blocks.iter().flat_map(|block| block.iter()) {
            pair.scrub(committed);
        }
    }

    fn pair(&self, number: u32) -> Option<&RowPair> {
        let number = number as usize;
        self.blocks
            .get(number / BLOCK_ROWS)?
            .get(number % BLOCK_ROWS)
    }
}
