//! The ledger: the consumer's counters. It belongs to one thread; what it
//! holds becomes visible to others by a commit.

mod accumulator;
mod current;
mod distribution;
mod fold;
mod index;
mod retention;
mod row;
mod sums;
#[cfg(test)]
mod tests;

use current::Current;
use index::Index;
pub(crate) use index::KeyHasher;
use retention::Buckets;
#[cfg(test)]
pub(crate) use row::counter;
pub(crate) use row::{COUNTERS, ROW_WORDS, Row, RowKey, RowKind, SEGMENTS};
pub(crate) use sums::Sums;

use crate::bucket::{Bucket, BucketIndex};
use crate::names::{ModelId, TenantId};

/// Limits on what a ledger holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LedgerLimits {
    /// Rows before new keys go to `__other__`.
    pub(crate) rows: u32,
    /// Buckets that are kept apart.
    pub(crate) buckets: u32,
}

impl LedgerLimits {
    /// Rows in all, where `used` are in use at first: beyond the limit there is
    /// one `__other__` row for each bucket, and a last resort.
    fn with_reserve(self, used: u32) -> u32 {
        let rows = self.rows.max(used);
        rows.saturating_add(self.buckets)
            .saturating_add(LAST_RESORT)
    }
}

/// The usage row and histograms of `__other__` in the bucket `older`.
const LAST_RESORT: u32 = 1 + 2 * SEGMENTS as u32;

/// All counters, and which of them changed since the last commit.
#[derive(Debug)]
pub(crate) struct Ledger {
    width: Bucket,
    limits: LedgerLimits,
    /// Rows up to which a bucket gets an `__other__` row; those of a store that
    /// was kept under higher limits stay.
    most: u32,
    rows: Vec<Row>,
    /// Rows that changed since the last commit, each once.
    dirty: Vec<u32>,
    free: Vec<u32>,
    index: Index,
    buckets: Buckets,
    /// Records folded in, over the life of the store.
    records: u64,
    /// What is not in rows yet.
    current: Current,
}

impl Ledger {
    /// A ledger that holds `rows` (free ones included, by row number), as
    /// committed after `records` records.
    pub(crate) fn new(width: Bucket, limits: LedgerLimits, rows: Vec<Row>, records: u64) -> Self {
        let used = rows.iter().filter(|row| row.key != RowKey::FREE).count();
        let mut ledger = Self {
            width,
            limits,
            most: limits.with_reserve(used as u32),
            rows,
            dirty: Vec::new(),
            free: Vec::new(),
            index: Index::new(),
            buckets: Buckets::default(),
            records,
            current: Current::new(records),
        };
        for number in 0..ledger.rows.len() as u32 {
            let row = &mut ledger.rows[number as usize];
            // Rows of a snapshot have the mark that they had in their commit.
            row.dirty = false;
            let key = row.key;
            if key.kind() == RowKind::Free {
                ledger.free.push(number);
            } else {
                ledger.index.insert(key, number);
                ledger.buckets.add(key.bucket());
            }
        }
        // Lowest number first, so that the file stays dense.
        ledger.free.reverse();
        ledger
    }

    /// All rows by number, free ones included.
    pub(crate) fn rows(&mut self) -> &[Row] {
        self.gather();
        &self.rows
    }

    /// Records folded in, over the life of the store.
    pub(crate) const fn records(&self) -> u64 {
        self.records
    }

    /// Whether there is a row with this key.
    pub(crate) fn has(&mut self, key: RowKey) -> bool {
        self.rows().iter().any(|row| row.key == key)
    }

    /// Adds the counters of another store's row to the row of `key`; gives the
    /// records that they count.
    pub(crate) fn merge(&mut self, key: RowKey, other: &Row) -> u64 {
        let number = self.look_up(key);
        self.touch(number).merge(other);
        let records = other.records();
        self.records += records;
        records
    }

    /// Visits the rows that changed since the last commit, in ascending order.
    pub(crate) fn changed(&mut self, mut visit: impl FnMut(u32, &mut Row)) {
        self.gather();
        self.dirty.sort_unstable();
        for number in &self.dirty {
            visit(*number, &mut self.rows[*number as usize]);
        }
    }

    /// Visits all rows by number, free ones included.
    pub(crate) fn every(&mut self, mut visit: impl FnMut(u32, &mut Row)) {
        self.gather();
        for (number, row) in self.rows.iter_mut().enumerate() {
            visit(number as u32, row);
        }
    }

    /// Marks all rows as changed: nobody knows which of them the file has.
    pub(crate) fn distrust(&mut self) {
        for number in 0..self.rows.len() as u32 {
            self.touch(number);
        }
    }

    /// Marks all rows as committed.
    pub(crate) fn settle(&mut self) {
        for number in self.dirty.drain(..) {
            self.rows[number as usize].dirty = false;
        }
    }

    /// The row for `key`, ready to be added to.
    #[inline]
    fn row(&mut self, key: RowKey) -> &mut Row {
        let number = self.number(key);
        self.touch(number)
    }

    /// The number of the row for `key`.
    #[inline]
    fn number(&mut self, key: RowKey) -> u32 {
        match self.index.cached(key) {
            Some(number) => number,
            None => self.look_up(key),
        }
    }

    #[inline]
    fn touch(&mut self, number: u32) -> &mut Row {
        let row = &mut self.rows[number as usize];
        if !row.dirty {
            row.dirty = true;
            self.dirty.push(number);
        }
        row
    }

    #[cold]
    fn look_up(&mut self, key: RowKey) -> u32 {
        if let Some(number) = self.index.get(key) {
            return number;
        }
        let number = self.find_or_create(key);
        self.index.remember(key, number);
        number
    }

    /// The row of `key`, else a new one, else that of what stands in for it:
    /// `__other__` in the same bucket and, as a last resort, `__other__` in the
    /// bucket `older`, for which there is always room.
    fn find_or_create(&mut self, key: RowKey) -> u32 {
        let key = self.admit(key);
        let for_other = match key.kind() {
            RowKind::Free | RowKind::Usage | RowKind::Salvaged => self.most,
            // The reserve has no room for a histogram of each bucket.
            RowKind::Latency | RowKind::Ttft => self.limits.rows,
        };
        self.find_or_create_below(key, self.limits.rows)
            .or_else(|| self.find_or_create_below(other(key, key.bucket()), for_other))
            .unwrap_or_else(|| {
                // Without a limit: there are no more of these than LAST_RESORT.
                let key = other(key, BucketIndex::OLDER);
                self.index.get(key).unwrap_or_else(|| self.create(key))
            })
    }

    fn find_or_create_below(&mut self, key: RowKey, limit: u32) -> Option<u32> {
        self.index.get(key).or_else(|| {
            let used = self.rows.len() - self.free.len();
            (used < limit as usize).then(|| self.create(key))
        })
    }

    fn create(&mut self, key: RowKey) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.rows.push(Row::FREE);
            self.rows.len() as u32 - 1
        });
        self.touch(number).become_row(key);
        self.index.insert(key, number);
        self.buckets.add(key.bucket());
        number
    }
}

/// The key under which counts of `key` appear when it can't have a row.
fn other(key: RowKey, bucket: BucketIndex) -> RowKey {
    match key.kind() {
        RowKind::Free | RowKind::Usage | RowKind::Salvaged => {
            RowKey::usage(bucket, ModelId::OTHER.0, TenantId::OTHER.0)
        }
        kind => RowKey::histogram(kind, bucket, ModelId::OTHER.0, key.segment()),
    }
}
