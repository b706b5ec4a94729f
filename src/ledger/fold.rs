//! Folding: one record into its rows.

use super::row::counter::{
    COST, ESTIMATED, FAILED, LATENCY_COUNT, LATENCY_SUM, PRICED, REPORTED, REQUESTS, STREAMED,
    TOKENS, TTFT_COUNT, TTFT_SUM,
};
use super::{COUNTERS, Ledger, Row, RowKey, RowKind};
use crate::bucket::BucketIndex;
use crate::record::{TOKEN_KINDS, UsageRecord, flag};
use crate::totals::bucket_of;

/// The bucket of the record before, since the next is likely in it too.
#[derive(Debug, Default)]
pub(super) struct Current {
    start: u64,
    bucket: Option<BucketIndex>,
}

impl Ledger {
    /// Counts one record. `now` (nanoseconds since 1970) stands for a time
    /// that the record does not have.
    // Always: in the drain's loop it takes a fifth fewer instructions.
    #[inline(always)]
    pub(crate) fn fold(&mut self, record: &UsageRecord, now: u64) {
        let at = if record.at == 0 { now } else { record.at };
        let bucket = self.bucket_of(at);
        self.records += 1;

        self.row(RowKey::usage(bucket, record.model, record.tenant))
            .count(record);

        if record.has(flag::HAS_LATENCY) {
            self.observe(RowKind::Latency, bucket, record.model, record.latency_us);
        }
        if record.has(flag::HAS_TTFT) {
            self.observe(RowKind::Ttft, bucket, record.model, record.ttft_us);
        }
    }

    #[inline(always)]
    fn observe(&mut self, kind: RowKind, bucket: BucketIndex, model: u16, us: u32) {
        let at = bucket_of(us);
        let key = RowKey::histogram(kind, bucket, model, at / COUNTERS);
        self.row(key).add(at % COUNTERS, 1);
    }

    #[inline]
    fn bucket_of(&mut self, at: u64) -> BucketIndex {
        match self.fold.bucket {
            Some(bucket) if at.wrapping_sub(self.fold.start) < self.width.nanos() => bucket,
            _ => {
                let bucket = BucketIndex::of(at, self.width);
                self.fold = Current {
                    start: at - at % self.width.nanos(),
                    bucket: Some(bucket),
                };
                bucket
            }
        }
    }
}

impl Row {
    /// Adds one record to a usage row.
    #[inline]
    fn count(&mut self, record: &UsageRecord) {
        // A gateway's records mostly have the same flags as the one before:
        // what follows from them is added up by the run.
        if record.flags != self.run_flags || self.run == u32::MAX {
            self.settle();
            self.run_flags = record.flags;
        }
        self.run += 1;
        // Of two numbers without the top bit the sum doesn't overflow. Others
        // don't come in practice: one test for all counters, and then the slow
        // way.
        let mut addends = 0;
        each_sum(record, |counter, n| {
            let before = self.counters[counter];
            self.counters[counter] = before.wrapping_add(n);
            addends |= before | n;
        });
        if addends >> 63 != 0 {
            self.count_again(record);
        }
    }

    #[cold]
    fn count_again(&mut self, record: &UsageRecord) {
        each_sum(record, |counter, n| {
            self.counters[counter] = self.counters[counter].wrapping_sub(n);
        });
        each_sum(record, |counter, n| self.add(counter, n));
    }

    /// Puts the run of records with the same flags into the counters. Before
    /// anybody looks at them.
    pub(super) fn settle(&mut self) {
        let run = u64::from(std::mem::take(&mut self.run));
        let flags = self.run_flags;
        let has = |flag: u16| if flags & flag == 0 { 0 } else { run };
        self.add(REQUESTS, run);
        if let Some(failed) = usize::from(flags & flag::OUTCOME_MASK).checked_sub(1) {
            self.add(FAILED + failed, run);
        }
        for kind in 0..TOKEN_KINDS {
            self.add(
                REPORTED + kind,
                has(1 << (flag::REPORTED_SHIFT + kind as u16)),
            );
        }
        self.add(PRICED, has(flag::HAS_COST));
        self.add(LATENCY_COUNT, has(flag::HAS_LATENCY));
        self.add(TTFT_COUNT, has(flag::HAS_TTFT));
        self.add(STREAMED, has(flag::STREAMED));
        self.add(ESTIMATED, has(flag::ESTIMATED));
        self.saturated |= has(flag::SATURATED) != 0;
    }

    /// Begins again under another key; what the file has of it stays known.
    pub(super) fn become_row(&mut self, key: RowKey) {
        *self = Self {
            dirty: self.dirty,
            share: self.share,
            ..Self::new(key)
        };
    }
}

/// What a record adds to the sums of its usage row.
#[inline(always)]
fn each_sum(record: &UsageRecord, mut add: impl FnMut(usize, u64)) {
    for kind in 0..TOKEN_KINDS {
        add(TOKENS + kind, record.tokens[kind].into());
    }
    let priced = u64::from(record.has(flag::HAS_COST));
    add(COST, record.cost & priced.wrapping_neg());
    add(LATENCY_SUM, record.latency_us.into());
    add(TTFT_SUM, record.ttft_us.into());
}

#[cfg(test)]
mod tests {
    use super::super::LedgerLimits;
    use super::*;
    use crate::bucket::Bucket;
    use crate::names::{ModelId, TenantId};
    use crate::totals::Totals;

    const DAY: u64 = 86_400_000_000_000;

    fn ledger(rows: u32, buckets: u32) -> Ledger {
        Ledger::new(Bucket::Day, LedgerLimits { rows, buckets }, Vec::new(), 0)
    }

    fn total(ledger: &mut Ledger) -> Totals {
        ledger.changed(|_, _| ());
        let mut totals = Totals::default();
        for row in ledger.rows() {
            row.add_to(&mut totals);
        }
        totals
    }

    fn record(model: u16, tenant: u32, day: u64) -> UsageRecord {
        let mut record = UsageRecord::new(ModelId(model))
            .tenant(TenantId(tenant))
            .tokens(crate::TokenKind::Input, 10)
            .latency(std::time::Duration::from_micros(u64::from(tenant) * 977));
        record.at = day * DAY + 1;
        record
    }

    #[test]
    fn totals_stay_exact_beyond_every_limit() {
        for (rows, buckets) in [(1, 1), (2, 1), (7, 3), (40, 5), (1000, 400)] {
            let mut ledger = ledger(rows, buckets);
            let mut n = 0;
            for day in [5u64, 6, 7, 3, 9, 20, 6, 1, 21, 22, 23] {
                for model in 1..6 {
                    for tenant in 0..9 {
                        ledger.fold(&record(model, tenant, day), 0);
                        n += 1;
                    }
                }
            }
            let total = total(&mut ledger);
            assert_eq!(total.requests, n, "{rows} rows, {buckets} buckets");
            assert_eq!(total.tokens[0], 10 * n);
            assert_eq!(total.latency.count, n);
            assert_eq!(total.latency.histogram.count(), n);
            let all = ledger.limits.with_reserve() as usize;
            assert!(ledger.rows().len() <= all, "{} rows", ledger.rows().len());
        }
    }

    #[test]
    fn a_day_beyond_the_limit_is_folded_into_older() {
        let mut ledger = ledger(1000, 2);
        for day in [10, 11, 12, 9] {
            ledger.fold(&record(1, 2, day), 0);
        }
        ledger.changed(|_, _| ());
        let older: u64 = ledger
            .rows()
            .iter()
            .filter(|row| row.key == RowKey::usage(BucketIndex::OLDER, 1, 2))
            .map(|row| row.counters[0])
            .sum();
        assert_eq!(older, 2, "day 10 was folded, day 9 came too late");
    }

    #[test]
    fn f32_sums_saturate_and_say_so() {
        let mut ledger = ledger(10, 10);
        let costly = record(1, 2, 3).cost_nanos(u64::MAX - 1);
        ledger.fold(&costly, 0);
        assert!(!total(&mut ledger).saturated);
        ledger.fold(&costly, 0);
        let total = total(&mut ledger);
        assert_eq!(total.cost_nanos, u64::MAX);
        assert!(total.saturated);
        assert_eq!(total.requests, 2);
    }

    #[test]
    fn a_row_that_changed_is_listed_once() {
        let mut ledger = ledger(10, 10);
        ledger.fold(&record(1, 0, 3), 0);
        ledger.fold(&record(1, 0, 3), 0);
        let changed = |ledger: &mut Ledger| {
            let mut numbers = Vec::new();
            ledger.changed(|number, _| numbers.push(number));
            numbers
        };
        assert_eq!(
            changed(&mut ledger),
            [0, 1],
            "usage and one histogram segment"
        );
        ledger.settle();
        assert_eq!(changed(&mut ledger), [0u32; 0]);
        assert_eq!(
            ledger
                .rows()
                .iter()
                .filter(|r| r.key != RowKey::FREE)
                .count(),
            2
        );
    }

    #[test]
    fn rows_from_the_middle_of_a_commit_change_like_others() {
        let mut first = ledger(10, 10);
        first.fold(&record(1, 0, 3), 0);
        let mut rows = Vec::new();
        first.changed(|_, row| rows.push(*row));
        let mut second = Ledger::new(Bucket::Day, first.limits, rows, first.records);
        second.fold(&record(1, 0, 3), 0);
        assert_eq!(total(&mut second).requests, 2);
        let mut numbers = Vec::new();
        second.changed(|number, _| numbers.push(number));
        assert_eq!(numbers, [0, 1]);
    }
}
