//! The event that every peer records, and what events add up to.

use std::hash::Hash;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

pub(crate) const PROVIDERS: [&str; 2] = ["openai", "anthropic"];
pub(crate) const MODELS: [&str; 4] = ["gpt-4o", "gpt-4o-mini", "opus", "sonnet"];
pub(crate) const TENANTS: [&str; 4] = ["acme", "globex", "initech", "umbrella"];
pub(crate) const KINDS: [&str; 4] = ["input", "cache_read", "cache_write", "output"];
/// Combinations of model and tenant; the provider follows from the model.
pub(crate) const SERIES: usize = MODELS.len() * TENANTS.len();

/// One finished call. It carries the number of its series, as if a gateway had
/// looked up its names before: no string is copied for anybody, and whoever
/// keys by numbers hashes none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// What the gateway's clock said: nanoseconds since 1970.
    pub(crate) at_nanos: u64,
    /// Number of the model and tenant, for ids and handles that were made
    /// before.
    pub(crate) series: usize,
    pub(crate) tokens: [u32; 4],
    pub(crate) cost_nanos: u64,
    pub(crate) latency: Duration,
}

/// What is kept apart, as the key of a map.
pub(crate) trait Key: Copy + Eq + Hash + Send + Sync + 'static {
    fn of(event: &Event) -> Self;
}

/// Day and number of the series in one word: the cheapest to hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ids(u64);

impl Key for Ids {
    fn of(event: &Event) -> Self {
        Self(event.day() << 32 | event.series as u64)
    }
}

impl Ids {
    pub(crate) fn names(self) -> Names {
        let [provider, model, tenant] = names((self.0 & u64::from(u32::MAX)) as usize);
        (self.0 >> 32, provider, model, tenant)
    }
}

/// Day, provider, model, tenant: what a gateway hashes that keeps no ids.
pub(crate) type Names = (u64, &'static str, &'static str, &'static str);

impl Key for Names {
    fn of(event: &Event) -> Self {
        let [provider, model, tenant] = event.names();
        (event.day(), provider, model, tenant)
    }
}

impl Event {
    pub(crate) fn day(&self) -> u64 {
        self.at_nanos / 86_400_000_000_000
    }

    pub(crate) fn names(&self) -> [&'static str; 3] {
        names(self.series)
    }
}

/// Provider, model and tenant of a series.
pub(crate) fn names(series: usize) -> [&'static str; 3] {
    let model = series / TENANTS.len();
    let tenant = TENANTS[series % TENANTS.len()];
    [PROVIDERS[model / 2], MODELS[model], tenant]
}

/// A mix such as a gateway sees.
pub(crate) fn mix() -> Vec<Event> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    (0..1 << 14)
        .map(|n: u64| Event {
            at_nanos: now.as_nanos() as u64,
            series: (n * n % 61) as usize % SERIES,
            tokens: [812 + n as u32 % 97, n as u32 % 7, n as u32 % 3, 143],
            cost_nanos: 4_110_000 + n,
            latency: Duration::from_micros(200_000 + n * n % 3_000_000),
        })
        .collect()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) requests: u64,
    pub(crate) tokens: [u64; 4],
    pub(crate) cost_nanos: u64,
    pub(crate) latency_us: u64,
    /// Calls with a latency.
    pub(crate) timed: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, event: &Event) {
        self.requests += 1;
        for (sum, tokens) in self.tokens.iter_mut().zip(event.tokens) {
            *sum += u64::from(tokens);
        }
        self.cost_nanos += event.cost_nanos;
        self.latency_us += event.latency.as_micros() as u64;
        self.timed += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        for (sum, tokens) in self.tokens.iter_mut().zip(other.tokens) {
            *sum += tokens;
        }
        self.cost_nanos += other.cost_nanos;
        self.latency_us += other.latency_us;
        self.timed += other.timed;
    }

    pub(crate) fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        all.into_iter().fold(Self::default(), |mut sum, totals| {
            sum.merge(totals);
            sum
        })
    }
}
