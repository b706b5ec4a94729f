//! Totals as names and values: one list for all that report them as data.

use std::time::Duration;

use super::{Timing, Totals};
use crate::record::{Outcome, TokenKind};

/// A value of [`Totals::fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// No call reported it.
    Missing,
    /// A number; what it counts is in its name: `…_nanos`, `…_us`, else calls
    /// or tokens.
    Count(u64),
    /// Yes or no.
    Flag(bool),
}

impl From<Option<u64>> for Field {
    fn from(count: Option<u64>) -> Self {
        count.map_or(Self::Missing, Self::Count)
    }
}

const LATENCY: [&str; 4] = [
    "latency_mean_us",
    "latency_p50_us",
    "latency_p90_us",
    "latency_p99_us",
];

const FIRST_TOKEN: [&str; 4] = ["ttft_mean_us", "ttft_p50_us", "ttft_p90_us", "ttft_p99_us"];

impl Totals {
    /// All that there is to tell, with the names and in the order of
    /// `quipu report --format json`.
    ///
    /// ```
    /// use quipu::{Field, Totals};
    ///
    /// let fields: Vec<_> = Totals::default().fields().collect();
    /// assert_eq!(fields[0], ("requests", Field::Count(0)));
    /// assert!(fields.contains(&("input", Field::Missing)));
    /// ```
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, Field)> + use<> {
        let mut fields = Vec::with_capacity(32);
        let mut add = |name, value| fields.push((name, value));
        add("requests", Field::Count(self.requests));
        add("errors", Field::Count(self.errors));
        for kind in TokenKind::ALL {
            add(kind.name(), self.reported_tokens(kind).into());
        }
        let cost = (self.priced != 0).then_some(self.cost_nanos);
        add("cost_nanos", cost.into());
        for (names, timing) in [
            (LATENCY, &self.latency),
            (FIRST_TOKEN, &self.time_to_first_token),
        ] {
            for (name, micros) in names.into_iter().zip(micros(timing)) {
                add(name, micros.into());
            }
        }
        add("priced", Field::Count(self.priced));
        add("streamed", Field::Count(self.streamed));
        add("estimated", Field::Count(self.estimated));
        for outcome in Outcome::ALL.into_iter().filter(|it| it.is_error()) {
            add(name_of(outcome), Field::Count(self.outcome(outcome)));
        }
        add("saturated", Field::Flag(self.saturated));
        fields.into_iter()
    }
}

fn micros(timing: &Timing) -> [Option<u64>; 4] {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    [
        timing.mean(),
        timing.quantile(0.5),
        timing.quantile(0.9),
        timing.quantile(0.99),
    ]
    .map(|time| time.map(micros))
}

const fn name_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "errors_none",
        Outcome::ClientError => "errors_client_error",
        Outcome::RateLimited => "errors_rate_limited",
        Outcome::UpstreamError => "errors_upstream_error",
        Outcome::Timeout => "errors_timeout",
        Outcome::Cancelled => "errors_cancelled",
        Outcome::Filtered => "errors_filtered",
        Outcome::Other => "errors_other",
    }
}
