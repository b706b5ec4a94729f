//! A log-linear histogram of 32-bit microseconds.
//!
//! Values below 16 have a bucket each; from there every power of two is
//! divided into 16 buckets of equal width. A bucket's width is at most 1/16 of
//! its lower bound, so its middle is within 1/32 of every value in it.

const SUB_BITS: u32 = 4;
const SUB: usize = 1 << SUB_BITS;

/// Buckets that cover all of `u32`.
pub(crate) const BUCKETS: usize = SUB + (32 - SUB_BITS as usize) * SUB;

const _: () = assert!(BUCKETS == 464);

/// The bucket of a value.
#[inline]
pub(crate) const fn bucket_of(value: u32) -> usize {
    // Without a branch: where the shift is 0 a value is its own bucket, and
    // otherwise the five leading bits, 16 to 31, count on from the last shift's.
    let shift = (value | SUB as u32).ilog2() - SUB_BITS;
    (shift << SUB_BITS) as usize + (value >> shift) as usize
}

/// The smallest value of a bucket and the number of values in it.
const fn bounds(bucket: usize) -> (u64, u64) {
    if bucket < SUB {
        return (bucket as u64, 1);
    }
    let shift = (bucket / SUB - 1) as u32;
    let width = 1u64 << shift;
    ((SUB + bucket % SUB) as u64 * width, width)
}

/// How a duration is distributed, in microseconds: 464 log-linear buckets,
/// relative error at most 1/32 (3.2 %) over 0 to 2³²−1 µs. Empty ones take no
/// memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Option<Box<[u64; BUCKETS]>>,
}

impl Histogram {
    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.counts.is_none()
    }

    /// Number of values in it.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.as_ref().map_or(0, |counts| {
            counts.iter().fold(0u64, |sum, n| sum.saturating_add(*n))
        })
    }

    /// The `q`-quantile (0 to 1) in microseconds: the middle of the bucket
    /// that holds it, within 1/32 of the true value. `None` where the
    /// histogram is empty or `q` is not a number from 0 to 1.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let counts = self.counts.as_ref()?;
        if !(0.0..=1.0).contains(&q) {
            return None;
        }
        let total = self.count();
        let rank = ((q * total as f64).ceil() as u64).clamp(1, total);
        let mut seen = 0u64;
        for (bucket, n) in counts.iter().enumerate() {
            seen = seen.saturating_add(*n);
            if seen >= rank {
                let (low, width) = bounds(bucket);
                return Some(low + width / 2);
            }
        }
        None
    }

    /// The buckets that hold something: smallest value in microseconds,
    /// number of values that share the bucket, and count.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        self.counts
            .iter()
            .flat_map(|counts| counts.iter().enumerate())
            .filter(|(_, n)| **n != 0)
            .map(|(bucket, n)| {
                let (low, width) = bounds(bucket);
                (low, width, *n)
            })
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if let Some(counts) = &other.counts {
            self.add(0, &counts[..]);
        }
    }

    /// Adds a run of counts that begins at bucket `first`; what lies beyond
    /// the last bucket is padding.
    pub(crate) fn add(&mut self, first: usize, counts: &[u64]) {
        if counts.iter().all(|n| *n == 0) {
            return;
        }
        let mine = self.counts.get_or_insert_with(|| Box::new([0; BUCKETS]));
        for (to, n) in mine.iter_mut().skip(first).zip(counts) {
            *to = to.saturating_add(*n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_holds_the_values_that_map_to_it() {
        let mut expected = 0;
        for bucket in 0..BUCKETS {
            let (low, width) = bounds(bucket);
            assert_eq!(low, expected, "bucket {bucket} begins where the last ended");
            assert_eq!(bucket_of(low as u32), bucket);
            assert_eq!(bucket_of((low + width - 1) as u32), bucket);
            expected = low + width;
        }
        assert_eq!(expected, 1 << 32);
    }

    #[test]
    fn the_middle_is_within_a_thirty_second() {
        for value in (0..32).flat_map(|e| [1u32 << e, (1u32 << e) | 1, (1u32 << e) / 7 * 9]) {
            let mut histogram = Histogram::default();
            let mut counts = [0; BUCKETS];
            counts[bucket_of(value)] = 1;
            histogram.add(0, &counts);
            let got = histogram.quantile(0.5).unwrap_or_default() as f64;
            let error = (got - f64::from(value)).abs() / f64::from(value.max(1));
            assert!(error <= 1.0 / 32.0, "{value} came back as {got}");
        }
    }
}
