//! What a ledger is to do, whatever way a record takes into its rows.

use std::collections::BTreeMap;

use super::*;
use crate::names::{ModelId, TenantId};
use crate::record::{Outcome, TokenKind, UsageRecord, flag};
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
        let all = ledger.most as usize;
        assert!(ledger.rows().len() <= all, "{} rows", ledger.rows().len());
    }
}

/// A record that needs no histogram.
fn bare(model: u16, tenant: u32, day: u64) -> UsageRecord {
    let mut record = UsageRecord::new(ModelId(model)).tenant(TenantId(tenant));
    record.at = day * DAY + 1;
    record
}

/// Records by (bucket, model, tenant).
fn requests(ledger: &mut Ledger) -> BTreeMap<(u32, u16, u32), u64> {
    usage_rows(ledger)
        .map(|row| {
            let key = (row.key.bucket().0, row.key.model(), row.key.tenant());
            (key, row.records())
        })
        .collect()
}

#[test]
fn as_many_keys_as_rows_are_kept_apart() {
    let mut ledger = ledger(3, 10);
    for tenant in [0, 1, 2, 3, 4, 2] {
        ledger.fold(&bare(1, tenant, 5), 0);
    }
    let other = (5, ModelId::OTHER.0, TenantId::OTHER.0);
    let expected = [((5, 1, 0), 1), ((5, 1, 1), 1), ((5, 1, 2), 2), (other, 2)];
    assert_eq!(requests(&mut ledger), expected.into());
}

#[test]
fn rows_that_older_days_leave_count_as_free() {
    let mut ledger = ledger(4, 2);
    // Day 5 becomes the two rows of `older`, in which day 6 leaves its two
    // free. Day 7 had taken one of a reserve, so one is below the limit.
    for day in [5, 6, 7, 8] {
        for tenant in [1, 2] {
            ledger.fold(&bare(1, tenant, day), 0);
        }
    }
    let older = BucketIndex::OLDER.0;
    let other = (ModelId::OTHER.0, TenantId::OTHER.0);
    let expected = [
        ((7, other.0, other.1), 2),
        ((8, 1, 1), 1),
        ((8, other.0, other.1), 1),
        ((older, 1, 1), 2),
        ((older, 1, 2), 2),
    ];
    assert_eq!(requests(&mut ledger), expected.into());
}

#[test]
fn each_bucket_has_an_other_row_also_when_all_last_resorts_are_in_use() {
    let mut ledger = ledger(1, 2);
    // One row is all there is: every histogram is that of last resort.
    for bits in 0..32 {
        let duration = std::time::Duration::from_micros(1 << bits);
        let record = bare(1, 1, 5).latency(duration);
        ledger.fold(&record.time_to_first_token(duration), 0);
    }
    for (tenant, day) in [(1, 6), (1, 4), (2, 5)] {
        ledger.fold(&bare(1, tenant, day), 0);
    }
    let other = |bucket| (bucket, ModelId::OTHER.0, TenantId::OTHER.0);
    let expected = [
        ((5, 1, 1), 32),
        (other(5), 1),
        (other(6), 1),
        (other(BucketIndex::OLDER.0), 1),
    ];
    assert_eq!(requests(&mut ledger), expected.into());
    assert_eq!(ledger.rows().len(), ledger.most as usize);
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

/// Records as a plain program would add them up: by bucket, model and tenant.
#[derive(Default)]
struct Plain {
    rows: BTreeMap<(u32, u16, u32), Vec<UsageRecord>>,
    durations: BTreeMap<(RowKind, u32, u16, usize), u64>,
}

impl Plain {
    fn add(&mut self, record: &UsageRecord) {
        let bucket = (record.at / DAY) as u32;
        let key = (bucket, record.model, record.tenant);
        self.rows.entry(key).or_default().push(*record);
        for (kind, flag, us) in [
            (RowKind::Latency, flag::HAS_LATENCY, record.latency_us),
            (RowKind::Ttft, flag::HAS_TTFT, record.ttft_us),
        ] {
            if record.has(flag) {
                let key = (kind, bucket, record.model, crate::totals::bucket_of(us));
                *self.durations.entry(key).or_default() += 1;
            }
        }
    }

    fn check(&self, ledger: &mut Ledger) {
        let mut usage = 0;
        let mut durations = BTreeMap::new();
        for row in ledger.rows() {
            let (bucket, model) = (row.key.bucket().0, row.key.model());
            if row.key.kind() != RowKind::Usage {
                for (n, count) in row.counters.iter().enumerate().filter(|(_, n)| **n > 0) {
                    let value = row.key.segment() * COUNTERS + n;
                    durations.insert((row.key.kind(), bucket, model, value), *count);
                }
                continue;
            }
            usage += 1;
            let records = &self.rows[&(bucket, model, row.key.tenant())];
            let mut totals = Totals::default();
            row.add_to(&mut totals);
            let count = |is: &dyn Fn(&UsageRecord) -> bool| {
                records.iter().filter(|record| is(record)).count() as u64
            };
            assert_eq!(totals.requests, records.len() as u64);
            for outcome in Outcome::ALL {
                let n = count(&|r| r.flags & flag::OUTCOME_MASK == outcome as u16);
                assert_eq!(totals.outcomes[outcome.index()], n, "{outcome:?}");
            }
            for kind in TokenKind::ALL {
                let all = records.iter().filter_map(|r| r.reported(kind));
                assert_eq!(totals.tokens[kind.index()], all.map(u64::from).sum());
                let n = count(&|r| r.reported(kind).is_some());
                assert_eq!(totals.reported[kind.index()], n, "{kind:?}");
            }
            let priced = records.iter().filter(|r| r.has(flag::HAS_COST));
            let cost: u128 = priced.map(|r| u128::from(r.cost)).sum();
            assert_eq!(totals.cost_nanos, u64::try_from(cost).unwrap_or(u64::MAX));
            let is_saturated = count(&|r| r.has(flag::SATURATED)) > 0;
            let is_too_much = cost > u128::from(u64::MAX);
            assert_eq!(totals.saturated, is_saturated || is_too_much);
            assert_eq!(totals.priced, count(&|r| r.has(flag::HAS_COST)));
            assert_eq!(totals.streamed, count(&|r| r.has(flag::STREAMED)));
            assert_eq!(totals.estimated, count(&|r| r.has(flag::ESTIMATED)));
            let ttft = &totals.time_to_first_token;
            assert_eq!(ttft.count, count(&|r| r.has(flag::HAS_TTFT)));
            let sum = records.iter().map(|r| u64::from(r.ttft_us)).sum();
            assert_eq!(ttft.sum_us, sum);
            assert_eq!(totals.latency.count, count(&|r| r.has(flag::HAS_LATENCY)));
            let sum = records.iter().map(|r| u64::from(r.latency_us)).sum();
            assert_eq!(totals.latency.sum_us, sum);
        }
        assert_eq!(usage, self.rows.len());
        assert_eq!(durations, self.durations);
    }
}

/// Numbers that look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005) + 1;
        (self.0 >> 33) % n
    }

    /// A record with anything in it, of one of so many days, models and tenants.
    fn record(&mut self, days: u64, models: u64, tenants: u64) -> UsageRecord {
        let model = ModelId(1 + self.below(models) as u16);
        let mut record = UsageRecord::new(model).tenant(TenantId(self.below(tenants) as u32));
        for kind in TokenKind::ALL {
            match self.below(4) {
                0 => record = record.tokens(kind, self.below(1000)),
                1 => record = record.tokens(kind, u64::from(u32::MAX) + self.below(2)),
                _ => {}
            }
        }
        match self.below(200) {
            0 => record = record.cost_nanos(u64::MAX / 8 * self.below(9)),
            n @ 1..100 => record = record.cost_nanos((1 << 56) - n),
            _ => {}
        }
        if self.below(4) > 0 {
            let bits = 1 + self.below(32);
            let us = self.below(1 << bits);
            record = record.latency(std::time::Duration::from_micros(us));
        }
        if self.below(2) > 0 {
            record = record.time_to_first_token(std::time::Duration::from_micros(us_of(record)));
        }
        record = record.outcome(Outcome::ALL[self.below(8) as usize]);
        record = record.streamed(self.below(2) > 0);
        if self.below(3) > 0 {
            record = record.estimated(true);
        }
        record.at = (20_000 + self.below(days)) * DAY + self.below(DAY);
        record
    }
}

fn us_of(record: UsageRecord) -> u64 {
    u64::from(record.latency_us / 2)
}

#[test]
fn rows_have_what_a_plain_program_counts() {
    for (days, models, tenants) in [
        // One accumulator, many times full.
        (1, 1, 1),
        // A few, and days that take turns.
        (2, 3, 5),
        // More than there are accumulators, so that they displace each other.
        (1, 3, 3000),
        // More models than have a distribution at a time.
        (1, 1500, 2),
    ] {
        let mut chance = Chance(days + models);
        let mut ledger = ledger(1 << 20, 400);
        let mut plain = Plain::default();
        for n in 0..9000 {
            let record = chance.record(days, models, tenants);
            ledger.fold(&record, 0);
            plain.add(&record);
            if n % 2500 == 0 {
                plain.check(&mut ledger);
                ledger.settle();
            }
        }
        plain.check(&mut ledger);
    }
}

#[test]
fn no_lane_and_no_sum_of_an_accumulator_overflows() {
    let full = TokenKind::ALL
        .into_iter()
        .fold(record(1, 7, 5), |record, kind| {
            record.tokens(kind, u64::MAX)
        })
        .outcome(Outcome::Other)
        .streamed(true)
        .estimated(true)
        .time_to_first_token(std::time::Duration::MAX);
    for (count, cost) in [
        (254, 1),
        (255, 1),
        (256, 1),
        (1000, (1 << 56) - 1),
        (40, 1 << 59),
    ] {
        let mut ledger = ledger(1000, 400);
        let mut plain = Plain::default();
        for _ in 0..count {
            let record = full.cost_nanos(cost);
            ledger.fold(&record, 0);
            plain.add(&record);
        }
        plain.check(&mut ledger);
    }
}

#[test]
fn a_cost_that_the_flags_deny_is_not_counted() {
    let mut ledger = ledger(10, 10);
    let mut record = bare(1, 2, 3);
    // Nobody but a damaged ring has such a record.
    record.cost = 1 << 40;
    ledger.fold(&record, 0);
    ledger.fold(&bare(1, 2, 3).cost_nanos(7), 0);
    let total = total(&mut ledger);
    assert_eq!((total.cost_nanos, total.priced), (7, 1));
}

#[test]
fn a_day_ends_with_its_last_nanosecond() {
    let mut ledger = ledger(1000, 400);
    let mut plain = Plain::default();
    for at in [5 * DAY, 6 * DAY - 1, 6 * DAY, 5 * DAY - 1, 1] {
        let mut record = record(1, 2, 0);
        record.at = at;
        ledger.fold(&record, 0);
        plain.add(&record);
    }
    plain.check(&mut ledger);
}

#[test]
fn midnight_moves_the_bucket_and_late_records_keep_theirs() {
    let mut ledger = ledger(1000, 400);
    let mut plain = Plain::default();
    for (day, count) in [
        (5, 300),
        (6, 1),
        (5, 7),
        (6, 15),
        (5, 1),
        (6, 300),
        (5, 3),
        (4, 40),
    ] {
        for n in 0..count {
            let record = record(1, n % 3, day);
            ledger.fold(&record, 0);
            plain.add(&record);
        }
    }
    plain.check(&mut ledger);
}

#[test]
fn the_bucket_in_use_is_folded_into_older_with_all_it_has() {
    let mut ledger = ledger(1000, 2);
    for tenant in 0..100 {
        ledger.fold(&record(1, tenant, 10), 0);
    }
    // Too few to become the bucket in use, which is the oldest.
    for day in [11, 12, 13] {
        ledger.fold(&record(1, 0, day), 0);
    }
    for tenant in 0..100 {
        ledger.fold(&record(1, tenant, 10), 0);
    }
    let older: u64 = usage_rows(&mut ledger)
        .filter(|row| row.key.bucket() == BucketIndex::OLDER)
        .map(Row::records)
        .sum();
    assert_eq!(older, 201, "both hundreds, and day 11");
    assert_eq!(total(&mut ledger).latency.histogram.count(), 203);
}

#[test]
fn a_record_without_a_time_has_that_of_its_fold() {
    let mut ledger = ledger(10, 10);
    let mut record = record(1, 2, 5);
    record.at = 0;
    for day in [7, 7, 8] {
        ledger.fold(&record, day * DAY + 3);
    }
    let records: Vec<_> = usage_rows(&mut ledger)
        .map(|row| (row.key.bucket().0, row.records()))
        .collect();
    assert_eq!(records, [(7, 2), (8, 1)]);
}

fn usage_rows(ledger: &mut Ledger) -> impl Iterator<Item = &Row> {
    let rows = ledger.rows().iter();
    rows.filter(|row| row.key.kind() == RowKind::Usage)
}
