//! Records that can be told from each other in the sums, so that a record that
//! was counted twice can't hide behind one that was lost.
//!
//! A row's six token counters are read as 96 digits of base 4; record number
//! `n` of a tenant adds 1 to a digit that is its own, and each further 96
//! records have a day of their own.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use quipu::{Snapshot, TokenKind, UsageRecord};

const DIGITS: u64 = 16;
const PER_DAY: u64 = DIGITS * TokenKind::ALL.len() as u64;
const FIRST_DAY: u64 = 19_000;
const SECONDS_PER_DAY: u64 = 86_400;

/// Numbers that one tenant can use with the default of buckets kept.
pub(crate) const MARKS: u64 = 400 * PER_DAY;

/// How often each number of each tenant was counted.
pub(crate) type Counted = BTreeMap<String, BTreeMap<u64, u64>>;

/// Makes `record` number `n` of its tenant.
pub(crate) fn mark(record: UsageRecord, n: u64) -> UsageRecord {
    assert!(n < MARKS);
    let digit = n % PER_DAY;
    let kind = TokenKind::ALL[(digit / DIGITS) as usize];
    record
        .at(day_start(n / PER_DAY))
        .tokens(kind, 1 << (2 * (digit % DIGITS)))
}

/// Reads the numbers back from the sums.
pub(crate) fn counted(snapshot: &Snapshot) -> Counted {
    let mut counted = Counted::new();
    for row in snapshot.rows() {
        let since = row.day.start().unwrap().duration_since(UNIX_EPOCH).unwrap();
        let day = since.as_secs() / SECONDS_PER_DAY - FIRST_DAY;
        let numbers = counted.entry(row.tenant.to_string()).or_default();
        let mut requests = 0;
        for digit in 0..PER_DAY {
            let kind = TokenKind::ALL[(digit / DIGITS) as usize];
            let last = digit % DIGITS == DIGITS - 1;
            let mask = if last { u64::MAX } else { 3 };
            let times = row.totals.token(kind) >> (2 * (digit % DIGITS)) & mask;
            if times != 0 {
                *numbers.entry(day * PER_DAY + digit).or_default() += times;
                requests += times;
            }
        }
        // Also finds what was counted so often that a digit was carried.
        assert_eq!(requests, row.totals.requests, "digits of {:?}", row.tenant);
    }
    counted
}

/// What [`counted`] gives when each of these was counted once.
pub(crate) fn once(numbers: impl IntoIterator<Item = (String, Vec<u64>)>) -> Counted {
    numbers
        .into_iter()
        .filter(|(_, numbers)| !numbers.is_empty())
        .map(|(tenant, numbers)| (tenant, numbers.into_iter().map(|n| (n, 1)).collect()))
        .collect()
}

fn day_start(day: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs((FIRST_DAY + day) * SECONDS_PER_DAY)
}
