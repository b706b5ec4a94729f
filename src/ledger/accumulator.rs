//! An accumulator: what a few records of one row add up to.
//!
//! Counts that follow from a record's flags lie in lanes of eight bits, so
//! that one addition counts all flags. They are full after [`FULL`] records.

use super::Row;
use super::row::counter::{
    COST, ESTIMATED, FAILED, LATENCY_COUNT, LATENCY_SUM, PRICED, REPORTED, REQUESTS, STREAMED,
    TOKENS, TTFT_COUNT, TTFT_SUM,
};
use crate::record::{OUTCOMES, TOKEN_KINDS, UsageRecord, flag};

/// Records that an accumulator takes.
pub(super) const FULL: u32 = u8::MAX as u32;

/// Costs below this don't overflow in [`FULL`] records.
const CHEAP: u64 = 1 << 56;

/// Two cache lines: the sums of one (model, tenant), and where they belong.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(128))]
pub(super) struct Accumulator {
    /// Whose records it takes: see [`Accumulator::key`].
    key: u64,
    records: u32,
    /// The row that the sums belong to.
    pub(super) row: u32,
    tokens: [u64; TOKEN_KINDS],
    cost: u64,
    latency: u64,
    ttft: u64,
    /// A lane for each outcome.
    outcomes: u64,
    /// A lane for each kind of token that was reported.
    reported: u64,
    /// Lanes as [`mark`] has them.
    marks: u64,
    /// Which distribution its records go to.
    pub(super) distribution: u32,
}

const _: () = assert!(size_of::<Accumulator>() == 128);

/// The lanes of [`Accumulator::marks`].
mod mark {
    pub(super) const HAS_LATENCY: usize = 0;
    pub(super) const HAS_TTFT: usize = 1;
    pub(super) const HAS_COST: usize = 2;
    pub(super) const STREAMED: usize = 3;
    pub(super) const ESTIMATED: usize = 4;
    pub(super) const SATURATED: usize = 5;
}

impl Accumulator {
    /// One that takes nobody's records.
    pub(super) const IDLE: Self = Self::new(u64::MAX, 0, 0);

    pub(super) const fn new(key: u64, row: u32, distribution: u32) -> Self {
        Self {
            key,
            records: 0,
            row,
            tokens: [0; TOKEN_KINDS],
            cost: 0,
            latency: 0,
            ttft: 0,
            outcomes: 0,
            reported: 0,
            marks: 0,
            distribution,
        }
    }

    /// What records that can share an accumulator have in common, in 48 bits.
    #[inline(always)]
    pub(super) const fn key(record: &UsageRecord) -> u64 {
        record.tenant as u64 | (record.model as u64) << 32
    }

    /// Whether nobody's records go here.
    pub(super) const fn is_idle(&self) -> bool {
        self.key == Self::IDLE.key
    }

    /// Whether a record with this key can be added.
    #[inline(always)]
    pub(super) const fn takes(&self, key: u64, record: &UsageRecord) -> bool {
        self.key == key && self.records < FULL && record.cost < CHEAP
    }

    /// Adds one record: one that it takes, or any as the only one.
    #[inline(always)]
    pub(super) fn add(&mut self, record: &UsageRecord) {
        self.records += 1;
        for (sum, tokens) in self.tokens.iter_mut().zip(record.tokens) {
            *sum += u64::from(tokens);
        }
        let flags = u64::from(record.flags);
        let priced = flags >> flag::HAS_COST.trailing_zeros() & 1;
        self.cost += record.cost & priced.wrapping_neg();
        self.latency += u64::from(record.latency_us);
        self.ttft += u64::from(record.ttft_us);
        self.outcomes += 1 << (8 * (flags & u64::from(flag::OUTCOME_MASK)));
        self.reported += lanes(flags >> flag::REPORTED_SHIFT & 0b11_1111);
        self.marks += lanes(flags >> 12 & 0b111 | flags & 0b11_1000);
    }

    /// Adds the sums to the row they belong to, and begins again.
    pub(super) fn empty_into(&mut self, row: &mut Row) {
        let mut sums = [0; super::COUNTERS];
        sums[REQUESTS] = self.records.into();
        for outcome in 1..OUTCOMES {
            sums[FAILED + outcome - 1] = lane(self.outcomes, outcome);
        }
        for kind in 0..TOKEN_KINDS {
            sums[TOKENS + kind] = self.tokens[kind];
            sums[REPORTED + kind] = lane(self.reported, kind);
        }
        sums[COST] = self.cost;
        sums[PRICED] = lane(self.marks, mark::HAS_COST);
        sums[LATENCY_SUM] = self.latency;
        sums[LATENCY_COUNT] = lane(self.marks, mark::HAS_LATENCY);
        sums[TTFT_SUM] = self.ttft;
        sums[TTFT_COUNT] = lane(self.marks, mark::HAS_TTFT);
        sums[STREAMED] = lane(self.marks, mark::STREAMED);
        sums[ESTIMATED] = lane(self.marks, mark::ESTIMATED);
        row.saturated |= lane(self.marks, mark::SATURATED) != 0;
        row.add_all(&sums);
        *self = Self::new(self.key, self.row, self.distribution);
    }
}

// The bits that `add` puts into `marks`, in the order of the lanes.
const _: () = {
    use flag::{ESTIMATED, HAS_COST, HAS_LATENCY, HAS_TTFT, SATURATED, STREAMED};
    assert!(HAS_LATENCY == 1 << (12 + mark::HAS_LATENCY));
    assert!(HAS_TTFT == 1 << (12 + mark::HAS_TTFT));
    assert!(HAS_COST == 1 << (12 + mark::HAS_COST));
    assert!(STREAMED == 1 << mark::STREAMED);
    assert!(ESTIMATED == 1 << mark::ESTIMATED);
    assert!(SATURATED == 1 << mark::SATURATED);
};

/// Spreads up to seven bits over as many lanes: the product has the bits in
/// steps of seven, so that the lowest of lane `n` is bit `n`.
#[inline(always)]
const fn lanes(bits: u64) -> u64 {
    bits.wrapping_mul(0x0002_0408_1020_4081) & 0x0101_0101_0101_0101
}

const fn lane(lanes: u64, n: usize) -> u64 {
    lanes >> (8 * n) & 0xff
}
