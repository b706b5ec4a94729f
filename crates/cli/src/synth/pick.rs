//! A choice among weighted alternatives.

/// Alternatives by their share of the whole.
#[derive(Debug)]
pub(super) struct Pick {
    /// Where each alternative's share ends; the last is 1.
    ends: Vec<f64>,
}

impl Pick {
    pub(super) fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut ends: Vec<f64> = weights
            .into_iter()
            .scan(0.0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            })
            .collect();
        let whole = ends.last().copied().unwrap_or(1.0);
        for end in &mut ends {
            *end /= whole;
        }
        Self { ends }
    }

    /// The alternative at `point`, which is from 0 to 1.
    pub(super) fn at(&self, point: f64) -> usize {
        let index = self.ends.partition_point(|end| *end <= point);
        index.min(self.ends.len() - 1)
    }

    /// The same, and how far into its share the point is, from 0 to 1.
    pub(super) fn split(&self, point: f64) -> (usize, f64) {
        let index = self.at(point);
        let begin = index.checked_sub(1).map_or(0.0, |before| self.ends[before]);
        let part = (point - begin) / (self.ends[index] - begin);
        (index, part.clamp(0.0, 1.0 - f64::EPSILON))
    }
}
