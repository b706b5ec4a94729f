//! Percentiles.

use hdrhistogram::Histogram;

use crate::common::stopwatch::Stopwatch;

/// The percentiles that are reported; the last is the maximum.
pub(crate) const PERCENTILES: [f64; TOP] = [50.0, 90.0, 99.0, 99.9, 99.99, 100.0];
pub(crate) const TOP: usize = 6;

/// Three digits, up to some thirty seconds in ticks.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 1 << 37, 3).unwrap()
}

/// Nanoseconds at each percentile, less what the clock takes.
#[derive(Debug)]
pub(crate) struct Spread {
    /// The mean of the fastest 99 in a hundred: where the clock's steps are
    /// as long as a call, it says more than the median.
    pub(crate) mean: f64,
    pub(crate) at: [f64; TOP],
}

impl Spread {
    /// Of all calls of `rounds`.
    pub(crate) fn of<'a>(rounds: impl Iterator<Item = &'a Histogram<u64>>, clock: f64) -> Self {
        let mut all = histogram();
        for round in rounds {
            all.add(round).unwrap();
        }
        let ticks = Stopwatch::new().ticks_per_nano();
        let nanos = |value: f64| (value / ticks - clock).max(0.0);
        let at = PERCENTILES.map(|percentile| {
            nanos(match percentile {
                100.0 => all.max(),
                _ => all.value_at_percentile(percentile),
            } as f64)
        });
        Self {
            mean: nanos(mean_of_99(&all)),
            at,
        }
    }
}

fn mean_of_99(all: &Histogram<u64>) -> f64 {
    let mut left = (all.len() * 99).div_ceil(100);
    let (mut sum, mut count) = (0.0, 0);
    for step in all.iter_recorded() {
        let taken = step.count_since_last_iteration().min(left);
        sum += all.median_equivalent(step.value_iterated_to()) as f64 * taken as f64;
        count += taken;
        left -= taken;
    }
    sum / count as f64
}
