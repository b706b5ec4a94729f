//! What was counted last, in front of the rows: records mostly belong to the
//! bucket of the record before and to one of few models and tenants.
//!
//! ```text
//! record ── bucket is the current one? ── no ──→ its row
//!              │
//!              ├── accumulator by (model, tenant) ─┐  full, displaced, or
//!              └── distribution by model ──────────┴─ looked at ──→ rows
//! ```

use super::accumulator::Accumulator;
use super::distribution::Distribution;
use crate::bucket::{Bucket, BucketIndex};
use crate::record::UsageRecord;

/// Accumulators, direct-mapped: 256 KiB, half of a small second-level cache.
const PLACE_BITS: u32 = 11;
const PLACES: usize = 1 << PLACE_BITS;

/// Models that have a distribution, of 4 KiB, at a time.
const DISTRIBUTIONS: usize = 512;

/// Records of another bucket in a row that make that the current one.
const MOVE_AFTER: u32 = 16;

/// Records between two looks of somebody at the rows. Far below what a counter
/// of a distribution holds.
const MOST: u64 = 1 << 31;

const NOWHERE: u32 = u32::MAX;

/// The bucket in use, and what was counted in it and is not in rows.
#[derive(Debug)]
pub(super) struct Current {
    bucket: BucketIndex,
    /// The bucket's first nanosecond, and how many it has: none before the
    /// first record.
    start: u64,
    span: u64,
    accumulators: Box<[Accumulator; PLACES]>,
    /// Places of accumulators that are not idle.
    busy: Vec<u16>,
    distributions: Vec<Distribution>,
    /// How many of them are in use.
    models: usize,
    /// Where the distribution of each model is.
    by_model: Vec<u32>,
    /// Records of other buckets in a row, and which record was the last.
    strays: u32,
    last_stray: u64,
    /// Records up to here are in rows.
    since: u64,
}

impl Current {
    /// Nothing, after `records` records that are in rows.
    pub(super) fn new(records: u64) -> Self {
        Self {
            bucket: BucketIndex::OLDER,
            start: 0,
            span: 0,
            accumulators: Box::new([Accumulator::IDLE; PLACES]),
            busy: Vec::with_capacity(PLACES),
            distributions: Vec::new(),
            models: 0,
            by_model: Vec::new(),
            strays: 0,
            last_stray: 0,
            since: records,
        }
    }

    pub(super) const fn bucket(&self) -> BucketIndex {
        self.bucket
    }

    /// Whether the moment `at` lies in the current bucket.
    #[inline(always)]
    pub(super) const fn holds(&self, at: u64) -> bool {
        at.wrapping_sub(self.start) < self.span
    }

    /// Adds a record of the current bucket, if there is an accumulator that
    /// takes it.
    #[inline(always)]
    pub(super) fn add(&mut self, record: &UsageRecord) -> bool {
        let key = Accumulator::key(record);
        let accumulator = &mut self.accumulators[place(key)];
        if !accumulator.takes(key, record) {
            return false;
        }
        let Some(distribution) = self
            .distributions
            .get_mut(accumulator.distribution as usize)
        else {
            return false;
        };
        accumulator.add(record);
        distribution.add(record);
        true
    }

    /// Gives the place of a record's accumulator to one for `row`; what was
    /// there before is not in its row yet.
    pub(super) fn install(
        &mut self,
        record: &UsageRecord,
        row: u32,
        distribution: u32,
    ) -> Option<Accumulator> {
        let key = Accumulator::key(record);
        let place = place(key);
        let new = Accumulator::new(key, row, distribution);
        let displaced = std::mem::replace(&mut self.accumulators[place], new);
        if displaced.is_idle() {
            self.busy.push(place as u16);
            return None;
        }
        Some(displaced)
    }

    /// The distribution of a model, `None` where as many are in use as may be.
    pub(super) fn distribution(&mut self, model: u16) -> Option<u32> {
        let at = usize::from(model);
        if self.by_model.len() <= at {
            self.by_model.resize(at + 1, NOWHERE);
        }
        if self.by_model[at] == NOWHERE {
            if self.models == DISTRIBUTIONS {
                return None;
            }
            match self.distributions.get_mut(self.models) {
                Some(used) => used.model = model,
                None => self.distributions.push(Distribution::new(model)),
            }
            self.by_model[at] = self.models as u32;
            self.models += 1;
        }
        Some(self.by_model[at])
    }

    /// An accumulator that is not idle, which it is from then on.
    pub(super) fn take_accumulator(&mut self) -> Option<Accumulator> {
        let place = usize::from(self.busy.pop()?);
        Some(std::mem::replace(
            &mut self.accumulators[place],
            Accumulator::IDLE,
        ))
    }

    /// Takes all distributions out, those in use first; gives how many are.
    /// They come back by [`Current::put_back`].
    pub(super) fn take_distributions(&mut self) -> (Vec<Distribution>, usize) {
        for distribution in &self.distributions[..self.models] {
            self.by_model[usize::from(distribution.model)] = NOWHERE;
        }
        let models = std::mem::take(&mut self.models);
        (std::mem::take(&mut self.distributions), models)
    }

    /// Keeps empty distributions for later, once all is in rows, of `records`
    /// records.
    pub(super) fn put_back(&mut self, distributions: Vec<Distribution>, records: u64) {
        self.distributions = distributions;
        self.since = records;
    }

    /// Whether everything is in rows.
    pub(super) const fn is_empty(&self) -> bool {
        self.busy.is_empty() && self.models == 0
    }

    /// Whether so many records are not in rows, of `records`, that a counter
    /// might overflow.
    pub(super) const fn is_overdue(&self, records: u64) -> bool {
        records - self.since >= MOST
    }

    /// Notes that record number `records` belongs to another bucket; whether
    /// that should be the current one.
    pub(super) fn strayed(&mut self, records: u64) -> bool {
        let in_a_row = records == self.last_stray + 1;
        self.strays = if in_a_row { self.strays + 1 } else { 1 };
        self.last_stray = records;
        self.span == 0 || self.strays >= MOVE_AFTER
    }

    /// Makes the bucket that holds `at` the current one. All must be in rows.
    pub(super) fn move_to(&mut self, at: u64, width: Bucket) {
        self.bucket = BucketIndex::of(at, width);
        self.start = at - at % width.nanos();
        // The last bucket of all ends before its width does.
        self.span = width.nanos().min(u64::MAX - self.start);
        self.strays = 0;
    }
}

/// Where the accumulator of a key is.
#[inline(always)]
const fn place(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - PLACE_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{ModelId, TenantId};

    const DAY: u64 = Bucket::Day.nanos();

    fn record(model: u16, tenant: u32) -> UsageRecord {
        UsageRecord::new(ModelId(model)).tenant(TenantId(tenant))
    }

    #[test]
    fn sixteen_records_of_another_bucket_in_a_row_make_it_the_current_one() {
        let mut current = Current::new(0);
        assert!(current.strayed(1), "the first record has a bucket at once");
        current.move_to(5 * DAY, Bucket::Day);
        for records in 2..17 {
            assert!(!current.strayed(records), "record {records}");
        }
        // Record 17 was of the current bucket.
        for records in 18..33 {
            assert!(!current.strayed(records), "record {records}");
        }
        assert!(current.strayed(33));
        current.move_to(6 * DAY, Bucket::Day);
        assert!(!current.strayed(34), "the count begins again");
    }

    #[test]
    fn a_bucket_holds_what_lies_between_its_ends() {
        let mut current = Current::new(0);
        assert!(!current.holds(0), "no bucket is in use yet");
        current.move_to(5 * DAY + 7, Bucket::Day);
        assert_eq!(current.bucket(), BucketIndex(5));
        for (at, expected) in [
            (5 * DAY - 1, false),
            (5 * DAY, true),
            (6 * DAY - 1, true),
            (6 * DAY, false),
        ] {
            assert_eq!(current.holds(at), expected, "{at}");
        }
    }

    #[test]
    fn records_go_to_the_accumulator_that_was_installed_for_them() {
        let mut current = Current::new(0);
        assert!(current.is_empty());
        assert!(!current.add(&record(1, 2)), "there is none for it");
        let distribution = current.distribution(1).unwrap();
        assert!(!current.is_empty());
        assert!(current.install(&record(1, 2), 9, distribution).is_none());
        assert!(current.add(&record(1, 2)));
        assert!(!current.add(&record(1, 3)));
        assert!(current.install(&record(1, 3), 8, distribution).is_none());
        assert!(current.add(&record(1, 3)));
        // Full, it makes way for another of the same key.
        let mut records = 1;
        while current.add(&record(1, 2)) {
            records += 1;
        }
        assert_eq!(records, super::super::accumulator::FULL);
        let displaced = current.install(&record(1, 2), 9, distribution);
        assert_eq!(displaced.unwrap().row, 9);
        assert!(current.add(&record(1, 2)));

        let _ = current.take_distributions();
        assert!(!current.is_empty());
        let rows = std::iter::from_fn(|| current.take_accumulator()).map(|taken| taken.row);
        assert_eq!(rows.collect::<Vec<_>>(), [8, 9]);
        assert!(current.is_empty());
        assert!(!current.add(&record(1, 2)));
    }

    #[test]
    fn so_many_models_have_a_distribution_until_it_is_emptied() {
        let mut current = Current::new(0);
        for _ in 0..2 {
            for (n, model) in (1..).take(DISTRIBUTIONS).enumerate() {
                assert_eq!(current.distribution(2 * model), Some(n as u32));
            }
            assert_eq!(current.distribution(8), Some(3));
            assert_eq!(current.distribution(1), None);
            let (distributions, used) = current.take_distributions();
            assert_eq!((distributions.len(), used), (DISTRIBUTIONS, DISTRIBUTIONS));
            assert_eq!(distributions[3].model, 8);
            current.put_back(distributions, 0);
        }
    }

    #[test]
    fn counters_are_emptied_before_they_can_overflow() {
        let mut current = Current::new(5);
        assert!(!current.is_overdue(5));
        assert!(!current.is_overdue(4 + MOST));
        assert!(current.is_overdue(5 + MOST));
        current.put_back(Vec::new(), 5 + MOST);
        assert!(!current.is_overdue(5 + MOST));
        assert!(current.is_overdue(5 + 2 * MOST));
        assert!(MOST <= u32::MAX.into(), "what a counter holds");
    }
}
