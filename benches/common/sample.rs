//! Measurements of one thing.

/// Values in ascending order.
#[derive(Debug)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    pub(crate) fn median(&self) -> f64 {
        self.quarter(2)
    }

    /// The lower quartile (1), the median (2), or the upper quartile (3).
    pub(crate) fn quarter(&self, n: usize) -> f64 {
        self.0[(self.0.len() - 1) * n / 4]
    }
}

/// The median of the ratios of values that were measured in the same round.
pub(crate) fn ratio(of: &[f64], to: &[f64]) -> f64 {
    let ratios = of.iter().zip(to).map(|(of, to)| of / to).collect();
    Sample::new(ratios).median()
}
