//! Records that can be told from each other in the sums, so that a record that
//! was counted twice can't hide behind one that was lost.
//!
//! Number `n` of a producer adds 1 to a digit of its own: the six token sums
//! and the cost are read as 128 digits of base 4, and each further 128 numbers
//! have a bucket of time of their own, as has each producer. So a bucket says
//! which of its 128 records were counted and how often, whatever became of
//! their models and tenants.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use quipu::{Bucket, By, Day, Group, RollUp, Snapshot, TOKEN_KINDS, TokenKind, UsageRecord};

use crate::counted::Counted;

/// Producers that a store can have.
pub(crate) const PRODUCERS: u64 = 8;
/// Numbers that a producer has in one store.
pub(crate) const NUMBERS: u64 = 23_000 * IN_BUCKET;
/// Numbers that share a bucket.
pub(crate) const IN_BUCKET: u64 = 128;

/// Digits of a token count, which has 32 bits.
const DIGITS: u64 = 16;
const IN_TOKENS: u64 = DIGITS * TOKEN_KINDS as u64;
const FIRST_DAY: u64 = 19_000;
const HOURS: u64 = 24;
const SECONDS_PER_HOUR: u64 = 3600;

/// Every so many numbers, a few have a latency.
const LATENCY_EVERY: u64 = 2048;
const LATENCY_FEW: u64 = 4;

/// Makes `record` number `n` of a producer.
pub(crate) fn mark(record: UsageRecord, width: Bucket, producer: u64, n: u64) -> UsageRecord {
    let digit = n % IN_BUCKET;
    let mut record = record.at(start(width, n / IN_BUCKET * PRODUCERS + producer));
    if n % LATENCY_EVERY < LATENCY_FEW {
        record = record.latency(Duration::from_micros(1 + n % 10_000));
    }
    match digit.checked_sub(IN_TOKENS) {
        Some(digit) => record.cost_nanos(1 << (2 * digit)),
        None => {
            let kind = TokenKind::ALL[(digit / DIGITS) as usize];
            record.tokens(kind, 1 << (2 * (digit % DIGITS)))
        }
    }
}

/// The first moment of a bucket.
fn start(width: Bucket, bucket: u64) -> SystemTime {
    let hours = match width {
        Bucket::Hour => FIRST_DAY * HOURS + bucket,
        _ => (FIRST_DAY + bucket) * HOURS,
    };
    UNIX_EPOCH + Duration::from_secs(hours * SECONDS_PER_HOUR)
}

impl Counted {
    /// Reads the numbers from the sums; an error where one was counted more
    /// than once, or where sums disagree.
    pub(crate) fn read(snapshot: &Snapshot) -> Result<Self, String> {
        let by = By {
            day: true,
            hour: snapshot.bucket() == Bucket::Hour,
            ..By::default()
        };
        let mut roll_up = RollUp::new(by);
        roll_up.add(snapshot);
        let mut counted = Self::default();
        for group in roll_up.groups() {
            // Where rows are scarce, histograms go to `older`, by themselves.
            let is_histogram = group.day == Some(Day::OLDER) && group.totals.requests == 0;
            if !is_histogram {
                counted.add(&group)?;
            }
        }
        let total = roll_up.total();
        let latencies = counted.latencies();
        let timing = &total.latency;
        if total.requests != counted.records {
            return Err(format!(
                "{} records were counted, and the total is {}",
                counted.records, total.requests
            ));
        }
        if (timing.count, timing.histogram.count()) != (latencies, latencies) {
            return Err(format!(
                "{latencies} records with a latency were counted, {} in the rows and {} in the \
                 histograms",
                timing.count,
                timing.histogram.count()
            ));
        }
        Ok(counted)
    }

    fn add(&mut self, group: &Group) -> Result<(), String> {
        let bucket = bucket(group)?;
        let (producer, row) = (bucket % PRODUCERS, (bucket / PRODUCERS) as usize);
        let sums = &group.totals;
        let mut bits = 0u128;
        for digit in 0..IN_BUCKET {
            let times = match digit.checked_sub(IN_TOKENS) {
                Some(digit) => sums.cost_nanos >> (2 * digit) & 3,
                None => {
                    let sum = sums.tokens[(digit / DIGITS) as usize] >> (2 * (digit % DIGITS));
                    // The last digit of a token sum has room above it.
                    if digit % DIGITS == DIGITS - 1 {
                        sum
                    } else {
                        sum & 3
                    }
                }
            };
            if times > 1 {
                let n = row as u64 * IN_BUCKET + digit;
                return Err(format!(
                    "number {n} of producer {producer} was counted {times} times"
                ));
            }
            bits |= u128::from(times) << digit;
        }
        // Also finds what was counted so often that a digit was carried.
        let records = u64::from(bits.count_ones());
        if sums.requests != records || sums.saturated {
            return Err(format!(
                "{} records of producer {producer} from number {} on were counted, but their \
                 marks are those of {records}",
                sums.requests,
                row as u64 * IN_BUCKET
            ));
        }
        self.insert(producer, row, bits);
        Ok(())
    }

    fn latencies(&self) -> u64 {
        let every = (LATENCY_EVERY / IN_BUCKET) as usize;
        let rows = (0..PRODUCERS).flat_map(|producer| self.rows(producer).iter().step_by(every));
        let few = (1 << LATENCY_FEW) - 1;
        rows.map(|bits| u64::from((bits & few).count_ones())).sum()
    }
}

/// The bucket of a group, counted from the first.
fn bucket(group: &Group) -> Result<u64, String> {
    let place = || {
        let since = group.day?.start()?.duration_since(UNIX_EPOCH).ok()?;
        let hours = since.as_secs() / SECONDS_PER_HOUR;
        match group.hour {
            Some(hour) => (hours + u64::from(hour)).checked_sub(FIRST_DAY * HOURS),
            None => (hours / HOURS).checked_sub(FIRST_DAY),
        }
    };
    place().ok_or_else(|| format!("records were counted in {:?}, where none belong", group.day))
}

#[cfg(test)]
mod tests {
    use quipu::Recorder;

    use super::*;

    fn counted(numbers: &[(u64, u64)], width: Bucket) -> Result<Counted, String> {
        let recorder = Recorder::builder().bucket(width).buckets_kept(1 << 20);
        let recorder = recorder.in_memory().unwrap();
        let record = UsageRecord::new(recorder.model("p", "m").unwrap());
        for (producer, n) in numbers {
            recorder.record(mark(record, width, *producer, *n)).unwrap();
        }
        recorder.flush(Duration::from_secs(5)).unwrap();
        Counted::read(&recorder.snapshot())
    }

    #[test]
    fn numbers_are_read_back() {
        let numbers: Vec<(u64, u64)> = (0..5000)
            .map(|n| (n % 3, n * 7 % 5000))
            .chain([(7, NUMBERS - 1)])
            .collect();
        for width in [Bucket::Day, Bucket::Hour] {
            let counted = counted(&numbers, width).unwrap();
            assert_eq!(counted.records, 5001);
            for (producer, n) in &numbers {
                assert!(counted.has(*producer, *n));
            }
            let all: u64 = (0..PRODUCERS).map(|p| counted.of(p).count() as u64).sum();
            assert_eq!(all, 5001);
            assert!(!counted.has(7, NUMBERS - 2));
            assert_eq!(counted.count_in(7, &(NUMBERS - 500..NUMBERS)), 1);
            let some = (100..4000).filter(|n| counted.has(0, *n)).count();
            assert_eq!(counted.count_in(0, &(100..4000)), some as u64);
        }
    }

    #[test]
    fn a_number_that_was_counted_twice_is_found() {
        for n in [0, 15, 95, 96, 127, 5000] {
            for times in 2..10 {
                let twice: Vec<_> = [(1, 3)].into_iter().chain(vec![(2, n); times]).collect();
                assert!(counted(&twice, Bucket::Day).is_err(), "{n} {times} times");
            }
        }
        let error = counted(&[(2, 77), (2, 77)], Bucket::Hour).unwrap_err();
        assert_eq!(error, "number 77 of producer 2 was counted 2 times");
    }

    #[test]
    fn a_number_that_is_gone_is_found() {
        let before = counted(&[(1, 3), (1, 700)], Bucket::Day).unwrap();
        let after = counted(&[(1, 3), (1, 699)], Bucket::Day).unwrap();
        assert_eq!(after.misses(&before), Some((1, 700)));
        assert_eq!(before.misses(&before), None);
    }
}
