//! The rows in the file, as blocks of pairs.

use super::aggregate::{Aggregate, Extent, ExtentKind};
use super::layout::{BLOCK_ROWS, ROW_BYTES, ROW_VERSION_WORDS, blocks_in_extent, rows_in_extent};
use super::version::{Missed, Pair, Stamp, Unsound};
use crate::disk::Placed;
use crate::error::OpenError;
use crate::ledger::{ROW_WORDS, Row};

/// The words of one row in the file.
type RowPair = Pair<ROW_VERSION_WORDS>;

const _: () = assert!(ROW_WORDS == RowPair::PAYLOAD && size_of::<RowPair>() == ROW_BYTES);

/// What a value of a row adds to the digest of all rows, which a commit names.
/// A row that is missing, stands at another number or is of another generation
/// changes the digest, though it is sound in itself.
fn share(number: u32, stamp: Stamp) -> u64 {
    let row = mix(u64::from(number) << 32 | stamp.checksum);
    mix(row ^ stamp.generation)
}

/// Spreads every bit over all of the word, one to one.
const fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    word = (word ^ (word >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    word ^ (word >> 32)
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
        if extent.region.len() != rows_in_extent(extent.ordinal) {
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
            let len = rows_in_extent(ordinal);
            let extent = aggregate
                .add_extent(ExtentKind::Rows, ordinal, len)
                .map_err(|error| OpenError::io("grow", aggregate.path(), error))?;
            self.attach(aggregate, &extent)?;
        }
        Ok(())
    }

    /// Writes the value that a row has at generation `next`, and notes its
    /// share of the digest in the row.
    pub(crate) fn write(&self, number: u32, committed: u64, next: u64, row: &mut Row) {
        if let Some(pair) = self.pair(number) {
            row.share = share(number, pair.write(committed, next, &row.to_words()));
        }
    }

    /// The row as of generation `committed`, and its own generation.
    pub(crate) fn read(&self, number: u32, committed: u64) -> Result<(u64, Row), Missed> {
        let mut words = [0; ROW_WORDS];
        let pair = self.pair(number).ok_or(Missed::Absent)?;
        let stamp = pair.copy(committed, &mut words)?;
        // The checksum is right, so somebody wrote these words on purpose.
        let mut row = Row::from_words(&words).ok_or(Missed::Damaged(Unsound {
            version: 0,
            generation: stamp.generation,
        }))?;
        row.share = share(number, stamp);
        Ok((stamp.generation, row))
    }

    /// The generation of the row as of `committed`.
    pub(crate) fn generation(&self, number: u32, committed: u64) -> Result<u64, Missed> {
        let pair = self.pair(number).ok_or(Missed::Absent)?;
        pair.generation(committed)
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

    /// Leaves no row from `rows` on with a value, whatever stands there: the
    /// first commit that uses it would take that for its other version.
    pub(crate) fn clear_from(&self, rows: u64) {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let pairs = self.blocks.iter().flat_map(|block| block.iter());
        pairs.skip(rows).for_each(|pair| pair.scrub(0));
    }

    fn pair(&self, number: u32) -> Option<&RowPair> {
        let number = number as usize;
        self.blocks
            .get(number / BLOCK_ROWS)?
            .get(number % BLOCK_ROWS)
    }
}
