//! Retention: at most so many buckets are kept apart. When a new one begins,
//! the rows of the oldest are added to the bucket `older`, which keeps model
//! and tenant, so that totals stay exact.

use std::collections::BTreeSet;

use super::{Ledger, RowKey};
use crate::bucket::BucketIndex;

/// The buckets that have rows; without `older`.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    kept: BTreeSet<BucketIndex>,
}

impl Buckets {
    pub(super) fn add(&mut self, bucket: BucketIndex) {
        if bucket != BucketIndex::OLDER {
            self.kept.insert(bucket);
        }
    }

    fn oldest(&self) -> Option<BucketIndex> {
        self.kept.first().copied()
    }
}

impl Ledger {
    /// Makes room for the bucket of `key`, or gives the key in the bucket
    /// `older` where it is older than all that are kept.
    pub(super) fn admit(&mut self, key: RowKey) -> RowKey {
        let bucket = key.bucket();
        if bucket == BucketIndex::OLDER || self.buckets.kept.contains(&bucket) {
            return key;
        }
        while self.buckets.kept.len() >= self.limits.buckets as usize {
            match self.buckets.oldest() {
                Some(oldest) if oldest < bucket => self.fold_into_older(oldest),
                _ => return key.in_bucket(BucketIndex::OLDER),
            }
        }
        key
    }

    fn fold_into_older(&mut self, bucket: BucketIndex) {
        self.gather_accumulators();
        self.buckets.kept.remove(&bucket);
        for number in 0..self.rows.len() as u32 {
            let row = &mut self.rows[number as usize];
            if row.key.bucket() != bucket || row.key == RowKey::FREE {
                continue;
            }
            let row = *row;
            // Freed first, so that there is room for the row it goes to.
            self.touch(number).become_row(RowKey::FREE);
            self.index.remove(row.key);
            self.free.push(number);
            let older = self.find_or_create(row.key.in_bucket(BucketIndex::OLDER));
            self.touch(older).merge(&row);
        }
        // The cache still knows the rows that are gone.
        self.index.forget();
    }
}
