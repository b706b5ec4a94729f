//! What counts add up to.

mod fields;
mod histogram;

use std::time::Duration;

pub use fields::Field;
pub use histogram::Histogram;
pub(crate) use histogram::{BUCKETS, bucket_of};

use crate::record::{OUTCOMES, Outcome, TOKEN_KINDS, TokenKind};

/// The sums over a set of calls. All counters saturate instead of wrapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Calls of any outcome.
    pub requests: u64,
    /// Calls whose outcome is not [`Outcome::Ok`].
    pub errors: u64,
    /// Calls by [`Outcome`], in the order of [`Outcome::ALL`].
    pub outcomes: [u64; OUTCOMES],
    /// Tokens by [`TokenKind`], in the order of [`TokenKind::ALL`]. Disjoint:
    /// their sum is all tokens.
    pub tokens: [u64; TOKEN_KINDS],
    /// Calls that reported each kind (zero included), in the same order. Less
    /// than `requests` where providers left the field out.
    pub reported: [u64; TOKEN_KINDS],
    /// Cost in nano-US-dollars of the calls that were priced.
    pub cost_nanos: u64,
    /// Calls whose cost is known.
    pub priced: u64,
    /// Calls whose answer was streamed.
    pub streamed: u64,
    /// Calls whose tokens were estimated by the gateway.
    pub estimated: u64,
    /// Whether any value or sum in here was beyond its range and saturated.
    pub saturated: bool,
    /// Time from request to the end of the answer.
    pub latency: Timing,
    /// Time from request to the first token.
    pub time_to_first_token: Timing,
}

impl Totals {
    /// Tokens of one kind.
    #[must_use]
    pub const fn token(&self, kind: TokenKind) -> u64 {
        self.tokens[kind.index()]
    }

    /// Tokens of one kind, `None` where no call reported the kind.
    #[must_use]
    pub const fn reported_tokens(&self, kind: TokenKind) -> Option<u64> {
        if self.reported[kind.index()] == 0 {
            None
        } else {
            Some(self.tokens[kind.index()])
        }
    }

    /// Tokens of all kinds.
    #[must_use]
    pub fn all_tokens(&self) -> u64 {
        self.tokens.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// Calls of one outcome.
    #[must_use]
    pub const fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome.index()]
    }

    /// Calls whose cost is not known.
    #[must_use]
    pub const fn unpriced(&self) -> u64 {
        self.requests.saturating_sub(self.priced)
    }

    /// Adds `other` to these totals.
    pub fn merge(&mut self, other: &Self) {
        let mut sum = Adder(&mut self.saturated);
        sum.add(&mut self.requests, other.requests);
        sum.add(&mut self.errors, other.errors);
        sum.add(&mut self.cost_nanos, other.cost_nanos);
        sum.add(&mut self.priced, other.priced);
        sum.add(&mut self.streamed, other.streamed);
        sum.add(&mut self.estimated, other.estimated);
        sum.add_all(&mut self.outcomes, &other.outcomes);
        sum.add_all(&mut self.tokens, &other.tokens);
        sum.add_all(&mut self.reported, &other.reported);
        self.latency.merge(&other.latency, &mut sum);
        self.time_to_first_token
            .merge(&other.time_to_first_token, &mut sum);
        self.saturated |= other.saturated;
    }
}

/// Saturating addition that remembers whether it had to saturate.
pub(crate) struct Adder<'a>(pub(crate) &'a mut bool);

impl Adder<'_> {
    pub(crate) fn add(&mut self, to: &mut u64, n: u64) {
        let (sum, overflow) = to.overflowing_add(n);
        *to = if overflow { u64::MAX } else { sum };
        *self.0 |= overflow;
    }

    pub(crate) fn add_all<const N: usize>(&mut self, to: &mut [u64; N], n: &[u64; N]) {
        for (to, n) in to.iter_mut().zip(n) {
            self.add(to, *n);
        }
    }
}

/// A duration over a set of calls: how many reported it, their mean, and
/// quantiles where the set keeps a histogram.
///
/// Histograms are kept by bucket and model, not by tenant: totals of one
/// tenant have a mean but no quantiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Calls that reported this duration.
    pub count: u64,
    /// Sum over those calls, in microseconds.
    pub sum_us: u64,
    /// Distribution, in microseconds; empty where none is kept.
    pub histogram: Histogram,
}

impl Timing {
    /// The mean, `None` where no call reported the duration.
    #[must_use]
    pub const fn mean(&self) -> Option<Duration> {
        match self.sum_us.checked_div(self.count) {
            Some(us) => Some(Duration::from_micros(us)),
            None => None,
        }
    }

    /// The `q`-quantile (0.5 is the median), within ±3.2 % (see
    /// [`Histogram`]). `None` where no distribution is kept.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        self.histogram.quantile(q).map(Duration::from_micros)
    }

    fn merge(&mut self, other: &Self, sum: &mut Adder<'_>) {
        sum.add(&mut self.count, other.count);
        sum.add(&mut self.sum_us, other.sum_us);
        self.histogram.merge(&other.histogram);
    }
}
