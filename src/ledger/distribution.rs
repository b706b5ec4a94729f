//! How the latencies of one model's recent records are distributed, dense, so
//! that a record finds its counter without looking for a row.

use super::{COUNTERS, RowKind};
use crate::record::{UsageRecord, flag};
use crate::totals::{BUCKETS, bucket_of};

/// Counters that are looked at together: one cache line.
const RUN: usize = 16;
/// [`BUCKETS`], and more, so that an index needs no check.
const SIZE: usize = BUCKETS.next_power_of_two();

const _: () = assert!(BUCKETS.div_ceil(RUN) <= u32::BITS as usize);

/// The histograms of one model: latency, and time to first token.
#[derive(Clone, Debug)]
pub(super) struct Distribution {
    pub(super) model: u16,
    latency: Counts,
    ttft: Counts,
}

#[derive(Clone, Debug)]
#[repr(align(64))]
struct Counts {
    counts: [u32; SIZE],
    /// A bit for each run of counters that may be more than zero.
    touched: u32,
}

impl Distribution {
    pub(super) const fn new(model: u16) -> Self {
        Self {
            model,
            latency: Counts::new(),
            ttft: Counts::new(),
        }
    }

    /// Adds one record; at most `u32::MAX` before it is emptied.
    #[inline(always)]
    pub(super) fn add(&mut self, record: &UsageRecord) {
        let has = |flag: u16| u32::from(record.flags >> flag.trailing_zeros() & 1);
        self.latency.add(record.latency_us, has(flag::HAS_LATENCY));
        self.ttft.add(record.ttft_us, has(flag::HAS_TTFT));
    }

    /// Hands what was counted on to `take`, by kind and segment of a
    /// histogram, and begins again.
    pub(super) fn empty(&mut self, mut take: impl FnMut(RowKind, usize, &[u32])) {
        for (kind, counts) in [
            (RowKind::Latency, &mut self.latency),
            (RowKind::Ttft, &mut self.ttft),
        ] {
            counts.empty(|segment, counts| take(kind, segment, counts));
        }
    }
}

impl Counts {
    const fn new() -> Self {
        Self {
            counts: [0; SIZE],
            touched: 0,
        }
    }

    #[inline(always)]
    fn add(&mut self, value: u32, n: u32) {
        let at = bucket_of(value);
        self.counts[at % SIZE] += n;
        self.touched |= n << (at / RUN);
    }

    fn empty(&mut self, mut take: impl FnMut(usize, &[u32])) {
        let mut segments = 0u32;
        while self.touched != 0 {
            let first = self.touched.trailing_zeros() as usize * RUN;
            self.touched &= self.touched - 1;
            segments |= 1 << (first / COUNTERS) | 1 << ((first + RUN - 1) / COUNTERS);
        }
        while segments != 0 {
            let segment = segments.trailing_zeros() as usize;
            segments &= segments - 1;
            let counts = &mut self.counts[segment * COUNTERS..][..COUNTERS];
            if counts.iter().any(|n| *n != 0) {
                take(segment, counts);
                counts.fill(0);
            }
        }
    }
}
