//! What calls used.

use quipu::{By, Group, Label, Outcome, RollUp, Snapshot, Timing, TokenKind, Totals};

use super::text::{Kind, Text};

/// Bounds of OpenTelemetry's durations, as text and in microseconds.
const BOUNDS: [(&str, u64); 14] = [
    ("0.01", 10_000),
    ("0.02", 20_000),
    ("0.04", 40_000),
    ("0.08", 80_000),
    ("0.16", 160_000),
    ("0.32", 320_000),
    ("0.64", 640_000),
    ("1.28", 1_280_000),
    ("2.56", 2_560_000),
    ("5.12", 5_120_000),
    ("10.24", 10_240_000),
    ("20.48", 20_480_000),
    ("40.96", 40_960_000),
    ("81.92", 81_920_000),
];

const PROVIDER: &str = "gen_ai_provider_name";
const MODEL: &str = "gen_ai_request_model";
const TENANT: &str = "quipu_tenant";

pub(super) fn write(text: &mut Text, snapshot: &Snapshot, by_tenant: bool) {
    let by_model = By {
        provider: true,
        model: true,
        ..By::default()
    };
    let models = groups(snapshot, by_model);
    let callers = groups(
        snapshot,
        By {
            tenant: by_tenant,
            ..by_model
        },
    );
    write_tokens(text, &callers);
    write_times(text, &models);
    write_own(text, &callers);
}

fn groups(snapshot: &Snapshot, by: By) -> Vec<Group> {
    let mut roll_up = RollUp::new(by);
    roll_up.add(snapshot);
    roll_up.groups()
}

/// The labels of a group, and more.
fn labels<'a, const N: usize>(
    group: &'a Group,
    more: [(&'static str, &'a str); N],
) -> Vec<(&'static str, &'a str)> {
    let own = [
        (PROVIDER, &group.provider),
        (MODEL, &group.model),
        (TENANT, &group.tenant),
    ];
    let own = own.into_iter().filter_map(|(name, label)| {
        let label: &Label = label.as_ref()?;
        // No tenant is no label.
        (name != TENANT || !label.is_empty()).then(|| (name, label.as_str()))
    });
    own.chain(more).collect()
}

/// `gen_ai.client.token.usage`: input with what was cached, output with
/// reasoning.
fn write_tokens(text: &mut Text, callers: &[Group]) {
    const INPUT: [TokenKind; 3] = [
        TokenKind::Input,
        TokenKind::CacheRead,
        TokenKind::CacheWrite,
    ];
    const OUTPUT: [TokenKind; 2] = [TokenKind::Output, TokenKind::Reasoning];
    text.family(
        Kind::Summary,
        "gen_ai_client_token_usage",
        "",
        "Tokens of calls; input includes what was cached, output includes reasoning.",
    );
    for group in callers {
        let totals = &group.totals;
        for (kind, kinds) in [("input", &INPUT[..]), ("output", &OUTPUT[..])] {
            let sum = kinds
                .iter()
                .fold(0u64, |sum, kind| sum.saturating_add(totals.token(*kind)));
            let calls = kinds.iter().map(|kind| totals.reported[kind.index()]);
            let calls = calls.max().unwrap_or(0);
            if calls > 0 {
                text.summary(&labels(group, [("gen_ai_token_type", kind)]), sum, calls);
            }
        }
    }
}

/// Durations, by model: histograms are of no tenant in particular.
fn write_times(text: &mut Text, models: &[Group]) {
    type OfTotals = fn(&Totals) -> &Timing;
    let families: [(&str, &str, OfTotals); 2] = [
        (
            "gen_ai_client_operation_duration_seconds",
            "Time from a request to the end of its answer.",
            |totals| &totals.latency,
        ),
        (
            "gen_ai_server_time_to_first_token_seconds",
            "Time from a request to the first bytes of a streamed answer.",
            |totals| &totals.time_to_first_token,
        ),
    ];
    for (name, help, of) in families {
        text.family(Kind::Histogram, name, "seconds", help);
        for group in models {
            let timing = of(&group.totals);
            if timing.count > 0 {
                let sum = decimal(timing.sum_us, 6);
                text.histogram(&labels(group, []), &buckets(timing), sum, timing.count);
            }
        }
    }
}

/// How many values are up to each bound, as far as quipu's finer buckets can
/// tell: one that holds a bound belongs below the next.
fn buckets(timing: &Timing) -> [(&'static str, u64); BOUNDS.len()] {
    let mut buckets = BOUNDS.map(|(bound, _)| (bound, 0));
    for (low, width, count) in timing.histogram.buckets() {
        for ((_, up_to), (_, bound)) in buckets.iter_mut().zip(BOUNDS) {
            if low + width - 1 <= bound {
                *up_to += count;
            }
        }
    }
    buckets
}

fn write_own(text: &mut Text, callers: &[Group]) {
    text.family(
        Kind::Counter,
        "quipu_requests",
        "",
        "Calls by how they ended.",
    );
    for group in callers {
        for outcome in Outcome::ALL {
            let calls = group.totals.outcome(outcome);
            if calls > 0 || outcome == Outcome::Ok {
                text.value(&labels(group, [("outcome", outcome.name())]), calls);
            }
        }
    }
    let help = "Tokens by kind; none is contained in another.";
    text.family(Kind::Counter, "quipu_tokens", "", help);
    for group in callers {
        for kind in TokenKind::ALL {
            if let Some(tokens) = group.totals.reported_tokens(kind) {
                text.value(&labels(group, [("kind", kind.name())]), tokens);
            }
        }
    }
    let help = "Cost of the calls that have a price, in US dollars.";
    text.family(Kind::Counter, "quipu_cost_usd", "usd", help);
    for group in callers.iter().filter(|group| group.totals.priced > 0) {
        text.value(&labels(group, []), decimal(group.totals.cost_nanos, 9));
    }
    type OfTotals = fn(&Totals) -> u64;
    let families: [(&str, &str, OfTotals); 3] = [
        (
            "quipu_unpriced_requests",
            "Calls without a price.",
            Totals::unpriced,
        ),
        (
            "quipu_streamed_requests",
            "Calls whose answer was a stream.",
            |it| it.streamed,
        ),
        (
            "quipu_estimated_requests",
            "Calls whose tokens are not all the provider's word.",
            |it| it.estimated,
        ),
    ];
    for (name, help, of) in families {
        text.family(Kind::Counter, name, "", help);
        for group in callers {
            text.value(&labels(group, []), of(&group.totals));
        }
    }
}

/// A number of smallest parts as a decimal number, exactly.
fn decimal(parts: u64, digits: usize) -> String {
    let text = format!("{parts:0>width$}", width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    format!("{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use super::super::Format;
    use quipu::{Recorder, UsageRecord};

    #[test]
    fn decimals_are_exact() {
        assert_eq!(decimal(0, 9), "0.000000000");
        assert_eq!(decimal(7, 6), "0.000007");
        assert_eq!(decimal(u64::MAX, 9), "18446744073.709551615");
    }

    #[test]
    fn calls_become_counters_and_histograms() {
        let recorder = Recorder::in_memory();
        let usage = UsageRecord::new(recorder.model("openai", "m").unwrap())
            .tenant(recorder.tenant("acme").unwrap())
            .tokens(TokenKind::Input, 5)
            .tokens(TokenKind::CacheRead, 3)
            .tokens(TokenKind::Output, 2)
            .tokens(TokenKind::Reasoning, 1)
            .cost_nanos(1_500)
            .latency(Duration::from_millis(100));
        recorder.record(usage).unwrap();
        let failed = usage
            .outcome(Outcome::Timeout)
            .latency(Duration::from_secs(100));
        recorder.record(failed).unwrap();
        recorder.flush(Duration::from_secs(30)).unwrap();
        let page = |by_tenant| {
            let (snapshot, stats) = (recorder.snapshot(), recorder.stats());
            super::super::text(Format::Prometheus, &snapshot, &stats, None, by_tenant)
        };
        let model = "gen_ai_provider_name=\"openai\",gen_ai_request_model=\"m\"";
        let whole = page(true);
        for line in [
            "gen_ai_client_token_usage_sum{@,quipu_tenant=\"acme\",gen_ai_token_type=\"input\"} 16",
            "gen_ai_client_token_usage_count{@,quipu_tenant=\"acme\",gen_ai_token_type=\"input\"} 2",
            "gen_ai_client_token_usage_sum{@,quipu_tenant=\"acme\",gen_ai_token_type=\"output\"} 6",
            "gen_ai_client_operation_duration_seconds_bucket{@,le=\"0.08\"} 0",
            "gen_ai_client_operation_duration_seconds_bucket{@,le=\"0.16\"} 1",
            "gen_ai_client_operation_duration_seconds_bucket{@,le=\"81.92\"} 1",
            "gen_ai_client_operation_duration_seconds_bucket{@,le=\"+Inf\"} 2",
            "gen_ai_client_operation_duration_seconds_sum{@} 100.100000",
            "quipu_requests_total{@,quipu_tenant=\"acme\",outcome=\"ok\"} 1",
            "quipu_requests_total{@,quipu_tenant=\"acme\",outcome=\"timeout\"} 1",
            "quipu_tokens_total{@,quipu_tenant=\"acme\",kind=\"cache_read\"} 6",
            "quipu_cost_usd_total{@,quipu_tenant=\"acme\"} 0.000003000",
            "quipu_records_committed_total 2",
        ] {
            let line = line.replace('@', model);
            assert!(whole.lines().any(|it| it == line), "{line} in\n{whole}");
        }
        assert!(!page(false).contains("acme"));
    }
}
