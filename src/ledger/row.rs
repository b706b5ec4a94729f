//! A row: the 28 counters of one (bucket, model, tenant), or 28 buckets of a
//! histogram of one (bucket, model).
//!
//! Both kinds share one shape, so that the ledger, the commit and the snapshot
//! handle them alike, and a histogram takes only the rows it uses.

use crate::bucket::BucketIndex;
use crate::names::{ModelId, TenantId};
use crate::record::{OUTCOMES, TOKEN_KINDS};
use crate::totals::{Adder, BUCKETS, Totals};

/// Counters in a row.
pub(crate) const COUNTERS: usize = 28;

/// Rows that one whole histogram takes.
pub(crate) const SEGMENTS: usize = BUCKETS.div_ceil(COUNTERS);

/// Where each counter of a [`RowKind::Usage`] row lies.
pub(crate) mod counter {
    use super::{OUTCOMES, TOKEN_KINDS};

    pub(crate) const REQUESTS: usize = 0;
    /// By outcome, from the second on: `Ok` is the rest of the requests.
    pub(crate) const FAILED: usize = 1;
    pub(crate) const TOKENS: usize = FAILED + OUTCOMES - 1;
    pub(crate) const REPORTED: usize = TOKENS + TOKEN_KINDS;
    pub(crate) const COST: usize = REPORTED + TOKEN_KINDS;
    pub(crate) const PRICED: usize = COST + 1;
    pub(crate) const LATENCY_SUM: usize = PRICED + 1;
    pub(crate) const LATENCY_COUNT: usize = LATENCY_SUM + 1;
    pub(crate) const TTFT_SUM: usize = LATENCY_COUNT + 1;
    pub(crate) const TTFT_COUNT: usize = TTFT_SUM + 1;
    pub(crate) const STREAMED: usize = TTFT_COUNT + 1;
    pub(crate) const ESTIMATED: usize = STREAMED + 1;
    const _: () = assert!(ESTIMATED + 1 == super::COUNTERS);
}

/// What a row's counters mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum RowKind {
    /// Nothing: the row waits to be used again.
    Free = 0,
    /// The counters of [`counter`].
    Usage = 1,
    /// A segment of the latency histogram.
    Latency = 2,
    /// A segment of the time-to-first-token histogram.
    Ttft = 3,
    /// No counters: the mark that a damaged file was salvaged.
    Salvaged = 4,
}

impl RowKind {
    fn from_byte(byte: u8) -> Option<Self> {
        [
            Self::Free,
            Self::Usage,
            Self::Latency,
            Self::Ttft,
            Self::Salvaged,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// What a row is found by, packed into two words as the file has them:
///
/// ```text
/// word 0:  bucket u32 | kind u8 << 32 | segment u8 << 40 | flags u16 << 48
/// word 1:  tenant u32 | model u16 << 32
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RowKey {
    word0: u64,
    word1: u64,
}

/// In word 0 as the file has it: a counter of the row has saturated.
const SATURATED: u64 = 1 << 48;

impl RowKey {
    pub(crate) const FREE: Self = Self { word0: 0, word1: 0 };

    pub(crate) const fn usage(bucket: BucketIndex, model: u16, tenant: u32) -> Self {
        Self {
            word0: bucket.0 as u64 | (RowKind::Usage as u64) << 32,
            word1: tenant as u64 | (model as u64) << 32,
        }
    }

    pub(crate) const fn histogram(
        kind: RowKind,
        bucket: BucketIndex,
        model: u16,
        segment: usize,
    ) -> Self {
        Self {
            word0: bucket.0 as u64 | (kind as u64) << 32 | (segment as u64 & 0xff) << 40,
            word1: (model as u64) << 32,
        }
    }

    /// The mark that a file with this fingerprint was salvaged.
    pub(crate) const fn salvaged(fingerprint: u64) -> Self {
        Self {
            word0: BucketIndex::OLDER.0 as u64 | (RowKind::Salvaged as u64) << 32,
            word1: fingerprint & 0xffff_ffff_ffff,
        }
    }

    /// The same key under the names of another store.
    pub(crate) fn renamed(self, model: ModelId, tenant: TenantId) -> Self {
        let tenant = match self.kind() {
            // A histogram is of no tenant.
            RowKind::Usage => tenant.0,
            _ => 0,
        };
        Self {
            word0: self.word0,
            word1: u64::from(tenant) | u64::from(model.0) << 32,
        }
    }

    pub(crate) const fn bucket(self) -> BucketIndex {
        BucketIndex(self.word0 as u32)
    }

    /// The same key in another bucket.
    pub(crate) const fn in_bucket(self, bucket: BucketIndex) -> Self {
        Self {
            word0: self.word0 & !0xffff_ffff | bucket.0 as u64,
            word1: self.word1,
        }
    }

    pub(crate) fn kind(self) -> RowKind {
        RowKind::from_byte((self.word0 >> 32) as u8).unwrap_or(RowKind::Free)
    }

    pub(crate) const fn segment(self) -> usize {
        (self.word0 >> 40) as usize & 0xff
    }

    pub(crate) const fn model(self) -> u16 {
        (self.word1 >> 32) as u16
    }

    pub(crate) const fn tenant(self) -> u32 {
        self.word1 as u32
    }

    /// Spreads the key's bits over the high bits of a word: cheap, and good
    /// enough for a cache.
    #[inline]
    pub(crate) const fn spread(self) -> u64 {
        (self.word0 ^ self.word1.rotate_left(16)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// One row as the ledger and snapshots hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub(crate) struct Row {
    pub(crate) key: RowKey,
    /// A counter has reached its limit, or a value had.
    pub(crate) saturated: bool,
    /// Whether the row changed since the last commit.
    pub(super) dirty: bool,
    /// What the row's last value in the file adds to the digest of all rows;
    /// 0 while it has none.
    pub(crate) share: u64,
    pub(crate) counters: [u64; COUNTERS],
}

const _: () = assert!(size_of::<Row>() == 256);

/// A row's words in the file, without generation and checksum.
pub(crate) const ROW_WORDS: usize = 2 + COUNTERS;

impl Row {
    pub(crate) const FREE: Self = Self::new(RowKey::FREE);

    pub(crate) const fn new(key: RowKey) -> Self {
        Self {
            key,
            saturated: false,
            dirty: false,
            share: 0,
            counters: [0; COUNTERS],
        }
    }

    /// Adds to one counter.
    #[inline]
    pub(crate) fn add(&mut self, counter: usize, n: u64) {
        let (sum, overflow) = self.counters[counter].overflowing_add(n);
        self.counters[counter] = if overflow { u64::MAX } else { sum };
        self.saturated |= overflow;
    }

    /// Adds to all counters.
    #[inline]
    pub(super) fn add_all(&mut self, counts: &[u64; COUNTERS]) {
        // Of two numbers without the top bit the sum doesn't overflow. Others
        // don't come in practice: one test for all counters.
        let all = self.counters.iter().chain(counts).fold(0, |all, n| all | n);
        if all >> 63 == 0 {
            for (counter, n) in self.counters.iter_mut().zip(counts) {
                *counter += n;
            }
        } else {
            for (counter, n) in counts.iter().enumerate() {
                self.add(counter, *n);
            }
        }
    }

    /// Adds all of another row's counters.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.add_all(&other.counters);
        self.saturated |= other.saturated;
    }

    /// Begins again under another key; what the file has of it stays known.
    pub(super) fn become_row(&mut self, key: RowKey) {
        *self = Self {
            dirty: self.dirty,
            share: self.share,
            ..Self::new(key)
        };
    }

    /// Records that the row counts.
    pub(crate) fn records(&self) -> u64 {
        match self.key.kind() {
            RowKind::Usage => self.counters[counter::REQUESTS],
            _ => 0,
        }
    }

    pub(crate) fn to_words(self) -> [u64; ROW_WORDS] {
        let mut words = [0; ROW_WORDS];
        words[0] = self.key.word0 | if self.saturated { SATURATED } else { 0 };
        words[1] = self.key.word1;
        words[2..].copy_from_slice(&self.counters);
        words
    }

    /// A row from its words; `None` where they are not a row's.
    pub(crate) fn from_words(words: &[u64; ROW_WORDS]) -> Option<Self> {
        let key = RowKey {
            word0: words[0] & !SATURATED,
            word1: words[1],
        };
        let kind = RowKind::from_byte((key.word0 >> 32) as u8)?;
        let is_histogram = matches!(kind, RowKind::Latency | RowKind::Ttft);
        let known_bits = key.word0 >> 48 == 0 && key.word1 >> 48 == 0;
        if !known_bits || key.segment() >= if is_histogram { SEGMENTS } else { 1 } {
            return None;
        }
        let mut row = Self::new(key);
        row.saturated = words[0] & SATURATED != 0;
        row.counters.copy_from_slice(&words[2..]);
        Some(row)
    }

    /// Adds this row to `totals`: counters, or a segment of a histogram.
    pub(crate) fn add_to(&self, totals: &mut Totals) {
        let first = self.key.segment() * COUNTERS;
        match self.key.kind() {
            RowKind::Free | RowKind::Salvaged => {}
            RowKind::Usage => self.add_usage_to(totals),
            RowKind::Latency => totals.latency.histogram.add(first, &self.counters),
            RowKind::Ttft => totals
                .time_to_first_token
                .histogram
                .add(first, &self.counters),
        }
    }

    /// Adds the counters of a usage row, by name.
    fn add_usage_to(&self, totals: &mut Totals) {
        let n = &self.counters;
        let run = |from: usize, to: &mut [u64], sum: &mut Adder<'_>| {
            for (to, n) in to.iter_mut().zip(&n[from..]) {
                sum.add(to, *n);
            }
        };
        let failed = n[counter::FAILED..counter::TOKENS]
            .iter()
            .fold(0u64, |sum, n| sum.saturating_add(*n));
        let mut saturated = self.saturated;
        let sum = &mut Adder(&mut saturated);
        sum.add(&mut totals.requests, n[counter::REQUESTS]);
        sum.add(&mut totals.errors, failed);
        let ok = n[counter::REQUESTS].saturating_sub(failed);
        sum.add(&mut totals.outcomes[0], ok);
        run(counter::FAILED, &mut totals.outcomes[1..], sum);
        run(counter::TOKENS, &mut totals.tokens, sum);
        run(counter::REPORTED, &mut totals.reported, sum);
        sum.add(&mut totals.cost_nanos, n[counter::COST]);
        sum.add(&mut totals.priced, n[counter::PRICED]);
        sum.add(&mut totals.streamed, n[counter::STREAMED]);
        sum.add(&mut totals.estimated, n[counter::ESTIMATED]);
        sum.add(&mut totals.latency.sum_us, n[counter::LATENCY_SUM]);
        sum.add(&mut totals.latency.count, n[counter::LATENCY_COUNT]);
        let ttft = &mut totals.time_to_first_token;
        sum.add(&mut ttft.sum_us, n[counter::TTFT_SUM]);
        sum.add(&mut ttft.count, n[counter::TTFT_COUNT]);
        totals.saturated |= saturated;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_it_was_made_of() {
        let parts = |key: RowKey| {
            let bucket = key.bucket().0;
            (key.kind(), bucket, key.model(), key.tenant(), key.segment())
        };
        let (bucket, model, tenant) = (0xfedc_ba98, 0xabcd, 0x8765_4321);
        let usage = RowKey::usage(BucketIndex(bucket), model, tenant);
        let expected = (RowKind::Usage, bucket, model, tenant, 0);
        assert_eq!(parts(usage), expected);
        let expected = (RowKind::Usage, 0x0123_4567, model, tenant, 0);
        assert_eq!(parts(usage.in_bucket(BucketIndex(0x0123_4567))), expected);
        let renamed = |key: RowKey| key.renamed(ModelId(0x1357), TenantId(0x2468_ace0));
        let expected = (RowKind::Usage, bucket, 0x1357, 0x2468_ace0, 0);
        assert_eq!(parts(renamed(usage)), expected);
        for kind in [RowKind::Latency, RowKind::Ttft] {
            let histogram = RowKey::histogram(kind, BucketIndex(bucket), model, 16);
            assert_eq!(parts(histogram), (kind, bucket, model, 0, 16));
            assert_eq!(parts(renamed(histogram)), (kind, bucket, 0x1357, 0, 16));
        }
    }

    #[test]
    fn a_merge_saturates_and_says_so() {
        let key = RowKey::usage(BucketIndex(1), 2, 3);
        // Even numbers, too.
        for n in [1 << 63, u64::MAX, u64::MAX - 1] {
            let mut row = Row::new(key);
            row.counters = [n; COUNTERS];
            let mut sum = row;
            sum.merge(&row);
            assert_eq!((sum.counters, sum.saturated), ([u64::MAX; COUNTERS], true));
        }
        let mut sum = Row::new(key);
        let mut saturated = Row::new(key);
        saturated.saturated = true;
        sum.merge(&saturated);
        assert!(sum.saturated, "as what was added to it");
        sum.merge(&Row::new(key));
        assert!(sum.saturated, "for good");
    }

    #[test]
    fn the_mark_of_a_salvaged_file_has_48_bits_of_its_fingerprint() {
        let mark = RowKey::salvaged(0xffff_0123_4567_89ab);
        assert_eq!(mark, RowKey::salvaged(0x0123_4567_89ab));
        assert_ne!(mark, RowKey::salvaged(0x0123_4567_89aa));
        assert_ne!(mark, RowKey::salvaged(0x8123_4567_89ab));
        let row = Row::new(mark);
        assert_eq!(row.key.kind(), RowKind::Salvaged);
        assert_eq!(row.key.bucket(), BucketIndex::OLDER);
        assert_eq!(Row::from_words(&row.to_words()), Some(row));
    }

    #[test]
    fn a_row_survives_its_words() {
        let mut row = Row::new(RowKey::histogram(
            RowKind::Ttft,
            BucketIndex(20_000),
            65_535,
            16,
        ));
        row.counters[27] = u64::MAX;
        row.saturated = true;
        assert_eq!(Row::from_words(&row.to_words()), Some(row));
    }

    #[test]
    fn words_of_no_row_are_refused() {
        let mut words = Row::new(RowKey::usage(BucketIndex(1), 2, 3)).to_words();
        words[0] |= 9 << 32;
        assert_eq!(Row::from_words(&words), None);
        let mut words =
            Row::new(RowKey::histogram(RowKind::Latency, BucketIndex(1), 2, 16)).to_words();
        words[0] += 1 << 40;
        assert_eq!(Row::from_words(&words), None, "segment 17");
        for (word, bit) in [(0, 49), (0, 63), (1, 48), (1, 63)] {
            let mut words = Row::new(RowKey::usage(BucketIndex(1), 2, 3)).to_words();
            words[word] |= 1 << bit;
            let unknown = "a bit that nobody uses yet";
            assert_eq!(Row::from_words(&words), None, "{unknown}: {word}, {bit}");
        }
    }
}
