//! Sets of numbers, by producer.

use std::ops::Range;

use crate::marks::{IN_BUCKET, PRODUCERS};

/// The numbers that are in a store, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// By producer: a bit for each number, those of a bucket together.
    bits: [Vec<u128>; PRODUCERS as usize],
    /// How many they are.
    pub(crate) records: u64,
}

impl Counted {
    /// Adds the numbers of one bucket, none of which was there.
    pub(crate) fn insert(&mut self, producer: u64, row: usize, bits: u128) {
        let rows = &mut self.bits[producer as usize];
        rows.resize(rows.len().max(row + 1), 0);
        rows[row] |= bits;
        self.records += u64::from(bits.count_ones());
    }

    /// The numbers of a producer, a bucket each.
    pub(crate) fn rows(&self, producer: u64) -> &[u128] {
        &self.bits[producer as usize]
    }

    /// These numbers of producers.
    #[cfg(test)]
    pub(crate) fn these(numbers: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut counted = Self::default();
        for (producer, n) in numbers {
            counted.insert(producer, (n / IN_BUCKET) as usize, 1 << (n % IN_BUCKET));
        }
        counted
    }

    /// Whether the number is there.
    pub(crate) fn has(&self, producer: u64, n: u64) -> bool {
        let row = self.bits[producer as usize].get((n / IN_BUCKET) as usize);
        row.is_some_and(|bits| bits >> (n % IN_BUCKET) & 1 == 1)
    }

    /// The numbers of a producer.
    pub(crate) fn of(&self, producer: u64) -> impl Iterator<Item = u64> {
        let rows = self.bits[producer as usize].iter().enumerate();
        rows.flat_map(|(row, bits)| {
            let bits = *bits;
            let has = move |digit: &u64| bits >> digit & 1 == 1;
            let digits = (0..IN_BUCKET).filter(has);
            digits.map(move |digit| row as u64 * IN_BUCKET + digit)
        })
    }

    /// How many numbers of a producer are there.
    pub(crate) fn count(&self, producer: u64) -> u64 {
        let rows = &self.bits[producer as usize];
        rows.iter().map(|bits| u64::from(bits.count_ones())).sum()
    }

    /// How many numbers of the range are there.
    pub(crate) fn count_in(&self, producer: u64, range: &Range<u64>) -> u64 {
        let rows = &self.bits[producer as usize];
        let mut count = 0;
        let mut n = range.start;
        while n < range.end {
            let row = n / IN_BUCKET;
            let end = range.end.min((row + 1) * IN_BUCKET);
            let bits = rows.get(row as usize).copied().unwrap_or(0) >> (n % IN_BUCKET);
            let len = end - n;
            let mask = if len == IN_BUCKET {
                u128::MAX
            } else {
                (1 << len) - 1
            };
            count += u64::from((bits & mask).count_ones());
            n = end;
        }
        count
    }

    /// A number of `other` that isn't here.
    pub(crate) fn misses(&self, other: &Self) -> Option<(u64, u64)> {
        for producer in 0..PRODUCERS {
            let theirs = &other.bits[producer as usize];
            let mine = &self.bits[producer as usize];
            for (row, bits) in theirs.iter().enumerate() {
                let missing = bits & !mine.get(row).copied().unwrap_or(0);
                if missing != 0 {
                    let digit = u64::from(missing.trailing_zeros());
                    return Some((producer, row as u64 * IN_BUCKET + digit));
                }
            }
        }
        None
    }
}
