//! A synthetic day of a gateway: several providers and models, tenants by a
//! Zipf law, log-normal sizes, the rhythm of a day, cached prompts, reasoning,
//! failures. The same seed gives the same day everywhere.

mod catalogue;
mod pick;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::time::Duration;

use quipu::{Outcome, TokenKind};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;

use crate::trace::Event;
use catalogue::{Cache, MODELS, Model};
use pick::Pick;

/// How many tenants the day has.
const TENANTS: u32 = 400;

/// The exponent of the tenants' Zipf law: the n-th largest has 1 / n^s of the
/// traffic of the largest.
const TENANT_SKEW: f64 = 1.1;

/// The load of each hour (UTC), relative to the others.
const RHYTHM: [f64; 24] = [
    2.0, 1.6, 1.4, 1.3, 1.4, 1.9, 3.0, 4.6, 6.4, 7.6, 8.0, 7.8, 7.2, 7.6, 8.2, 8.4, 8.0, 7.0, 5.8,
    5.0, 4.4, 3.8, 3.2, 2.6,
];

const NANOS_PER_HOUR: f64 = 3_600e9;

/// How calls end, and how often.
const OUTCOMES: [(Outcome, f64); 7] = [
    (Outcome::Ok, 0.982),
    (Outcome::RateLimited, 0.006),
    (Outcome::UpstreamError, 0.004),
    (Outcome::ClientError, 0.003),
    (Outcome::Cancelled, 0.003),
    (Outcome::Timeout, 0.001),
    (Outcome::Filtered, 0.001),
];

/// Providers don't cache prompts below this size.
const MIN_CACHED_PROMPT: u64 = 1_024;

const CACHE_BLOCK: u64 = 128;

const TIMEOUT: Duration = Duration::from_secs(60);

/// Generates the calls of one day in the order of time.
#[derive(Debug)]
pub(crate) struct Synth {
    rng: Pcg64Mcg,
    start: u64,
    requests: u64,
    made: u64,
    hours: Pick,
    models: Pick,
    tenants: Pick,
    tenant_names: Vec<String>,
    outcomes: Pick,
}

impl Synth {
    /// A day of `requests` calls that begins `start` nanoseconds after the
    /// Unix epoch.
    pub(crate) fn new(seed: u64, requests: u64, start: u64) -> Self {
        Self {
            rng: Pcg64Mcg::seed_from_u64(seed),
            start,
            requests,
            made: 0,
            hours: Pick::new(RHYTHM),
            models: Pick::new(MODELS.iter().map(|model| model.load)),
            tenants: Pick::new((1..=TENANTS).map(|rank| f64::from(rank).powf(-TENANT_SKEW))),
            tenant_names: (1..=TENANTS)
                .map(|rank| format!("tenant-{rank:03}"))
                .collect(),
            outcomes: Pick::new(OUTCOMES.map(|(_, share)| share)),
        }
    }

    /// The next call of the day.
    pub(crate) fn next(&mut self) -> Option<Event<'_>> {
        if self.made == self.requests {
            return None;
        }
        let at = self.moment();
        self.made += 1;
        let model = &MODELS[self.models.at(self.rng.random())];
        let tenant = self.tenants.at(self.rng.random());
        let (outcome, _) = OUTCOMES[self.outcomes.at(self.rng.random())];
        let mut event = Event::new(at, model.provider, model.name);
        event.outcome = outcome;
        self.usage(model, &mut event);
        event.tenant = Cow::Borrowed(&self.tenant_names[tenant]);
        Some(event)
    }

    /// Spreads the calls evenly over the day's load, each at a random place of
    /// its own share: random, and in order.
    fn moment(&mut self) -> u64 {
        let within: f64 = self.rng.random();
        let (hour, part) = self
            .hours
            .split((self.made as f64 + within) / self.requests as f64);
        let since = (hour as f64 + part) * NANOS_PER_HOUR;
        self.start.saturating_add(since as u64)
    }

    fn usage(&mut self, model: &Model, event: &mut Event<'_>) {
        let first_token = self.around(model.first_token_ms, 0.45);
        match event.outcome {
            // Refused at the door: no tokens, and only the time it took.
            Outcome::RateLimited | Outcome::ClientError => {
                event.latency = Some(milliseconds(first_token / 5.0));
                return;
            }
            Outcome::UpstreamError => {
                event.latency = Some(milliseconds(first_token * 3.0));
                return;
            }
            Outcome::Timeout => {
                event.latency = Some(TIMEOUT);
                return;
            }
            _ => {}
        }
        self.prompt(model, event);
        let mut answer = self.around(220.0, 1.0) as u64 + 1;
        match event.outcome {
            Outcome::Filtered => answer = 0,
            Outcome::Cancelled => {
                answer /= 2;
                event.estimated = true;
            }
            _ => {}
        }
        let thinking = (model.thinks && answer > 0).then(|| self.around(600.0, 1.0) as u64);
        set(event, TokenKind::Output, answer);
        if let Some(thinking) = thinking {
            set(event, TokenKind::Reasoning, thinking);
        }
        event.streamed = event.outcome == Outcome::Cancelled || self.rng.random_bool(0.7);
        // Thoughts come before the first token that the client sees.
        let token = self.around(model.token_ms, 0.2);
        let first_token = first_token + token * thinking.unwrap_or(0) as f64;
        if event.streamed && answer > 0 {
            event.time_to_first_token = Some(milliseconds(first_token));
        }
        event.latency = Some(milliseconds(first_token + token * answer as f64));
        event.cost_nanos = cost(model, event);
    }

    /// A prompt, a part of which may be in the provider's cache.
    fn prompt(&mut self, model: &Model, event: &mut Event<'_>) {
        let prompt = self.around(900.0, 1.3) as u64 + 1;
        if model.cache == Cache::None {
            set(event, TokenKind::Input, prompt);
            return;
        }
        let is_large = prompt >= MIN_CACHED_PROMPT;
        let is_hit = is_large && self.rng.random_bool(0.55);
        let read = if is_hit {
            let part: f64 = self.rng.random_range(0.3..0.98);
            (prompt as f64 * part) as u64 / CACHE_BLOCK * CACHE_BLOCK
        } else {
            0
        };
        let mut rest = prompt - read;
        set(event, TokenKind::CacheRead, read);
        if model.cache == Cache::ReadsAndWrites {
            let write = if is_large && self.rng.random_bool(0.3) {
                rest / 2
            } else {
                0
            };
            rest -= write;
            set(event, TokenKind::CacheWrite, write);
        }
        set(event, TokenKind::Input, rest);
    }

    /// A log-normal value with this median.
    fn around(&mut self, median: f64, sigma: f64) -> f64 {
        let normal: f64 = StandardNormal.sample(&mut self.rng);
        median * (sigma * normal).exp()
    }
}

fn set(event: &mut Event<'_>, kind: TokenKind, tokens: u64) {
    event.tokens[kind.index()] = Some(tokens);
}

fn milliseconds(ms: f64) -> Duration {
    Duration::from_micros((ms * 1e3) as u64)
}

fn cost(model: &Model, event: &Event<'_>) -> Option<u64> {
    let price = model.price.as_ref()?;
    let tokens = |kind: TokenKind| event.tokens[kind.index()].unwrap_or(0);
    Some(
        tokens(TokenKind::Input) * price.input
            + tokens(TokenKind::CacheRead) * price.cache_read
            + tokens(TokenKind::CacheWrite) * price.cache_write
            + (tokens(TokenKind::Output) + tokens(TokenKind::Reasoning)) * price.output,
    )
}
