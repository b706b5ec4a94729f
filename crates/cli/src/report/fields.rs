//! The fields of a row as data: one list for JSON and CSV.

use std::time::Duration;

use quipu::{Group, Outcome, Timing, TokenKind, Totals};

use super::Key;

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Nobody reported it.
    Missing,
    Int(u64),
    Bool(bool),
    Name(&'a str),
    Day(quipu::Day),
}

/// What a group is about: the keys that were asked for.
pub(crate) fn keys<'a>(
    group: &'a Group,
    keys: &[Key],
) -> impl Iterator<Item = (&'static str, Value<'a>)> {
    keys.iter().map(move |key| {
        let name = |label: &'a Option<quipu::Label>| match label {
            Some(label) => Value::Name(label),
            None => Value::Missing,
        };
        let value = match key {
            Key::Day => group.day.map_or(Value::Missing, Value::Day),
            Key::Hour => int(group.hour.map(u64::from)),
            Key::Provider => name(&group.provider),
            Key::Model => name(&group.model),
            Key::Tenant => name(&group.tenant),
        };
        (key.name(), value)
    })
}

/// What a group adds up to.
pub(crate) fn totals(totals: &Totals) -> Vec<(&'static str, Value<'static>)> {
    let mut fields = Vec::with_capacity(32);
    let mut add = |name, value| fields.push((name, value));
    add("requests", Value::Int(totals.requests));
    add("errors", Value::Int(totals.errors));
    for kind in TokenKind::ALL {
        add(kind.name(), int(totals.reported_tokens(kind)));
    }
    add("cost_nanos", int(cost(totals)));
    for (names, timing) in [
        (
            [
                "latency_mean_us",
                "latency_p50_us",
                "latency_p90_us",
                "latency_p99_us",
            ],
            &totals.latency,
        ),
        (
            ["ttft_mean_us", "ttft_p50_us", "ttft_p90_us", "ttft_p99_us"],
            &totals.time_to_first_token,
        ),
    ] {
        for (name, value) in names.into_iter().zip(timings(timing)) {
            add(name, int(value));
        }
    }
    add("priced", Value::Int(totals.priced));
    add("streamed", Value::Int(totals.streamed));
    add("estimated", Value::Int(totals.estimated));
    for outcome in Outcome::ALL.into_iter().filter(|o| o.is_error()) {
        add(outcome_field(outcome), Value::Int(totals.outcome(outcome)));
    }
    add("saturated", Value::Bool(totals.saturated));
    fields
}

/// The cost, unless not a single call had one.
pub(crate) fn cost(totals: &Totals) -> Option<u64> {
    (totals.priced != 0).then_some(totals.cost_nanos)
}

fn timings(timing: &Timing) -> [Option<u64>; 4] {
    let micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
    [
        timing.mean(),
        timing.quantile(0.5),
        timing.quantile(0.9),
        timing.quantile(0.99),
    ]
    .map(|duration| duration.map(micros))
}

fn int(value: Option<u64>) -> Value<'static> {
    value.map_or(Value::Missing, Value::Int)
}

const fn outcome_field(outcome: Outcome) -> &'static str {
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
