//! The day is as described, and the same for the same seed.

use std::collections::BTreeMap;

use quipu::{Outcome, TokenKind};

use super::Synth;

const START: u64 = 1_735_689_600_000_000_000;
const DAY: u64 = 86_400_000_000_000;

struct Call {
    at: u64,
    model: String,
    tenant: String,
    tokens: [Option<u64>; 6],
    cost: Option<u64>,
    outcome: Outcome,
    has_latency: bool,
    is_ttft_in_latency: bool,
}

fn day(seed: u64, requests: u64) -> Vec<Call> {
    let mut synth = Synth::new(seed, requests, START);
    let mut calls = Vec::new();
    while let Some(event) = synth.next() {
        calls.push(Call {
            at: event.at,
            model: format!("{}/{}", event.provider, event.model),
            tenant: event.tenant.to_string(),
            tokens: event.tokens,
            cost: event.cost_nanos,
            outcome: event.outcome,
            has_latency: event.latency.is_some(),
            is_ttft_in_latency: event.time_to_first_token <= event.latency,
        });
    }
    calls
}

#[test]
fn the_same_seed_is_the_same_day() {
    let print = |seed| -> Vec<_> {
        day(seed, 2_000)
            .iter()
            .map(|c| (c.at, c.model.clone(), c.tokens, c.cost))
            .collect()
    };
    assert_eq!(print(7), print(7));
    assert_ne!(print(7), print(8));
}

#[test]
fn the_day_is_one_day_in_order_with_a_rhythm() {
    let calls = day(1, 50_000);
    assert_eq!(calls.len(), 50_000);
    assert!(calls.is_sorted_by_key(|call| call.at));
    assert!(
        calls
            .iter()
            .all(|call| (START..START + DAY).contains(&call.at))
    );
    let hour = |hour: u64| {
        let begin = START + hour * DAY / 24;
        calls
            .iter()
            .filter(|call| (begin..begin + DAY / 24).contains(&call.at))
            .count()
    };
    assert!(hour(15) > 4 * hour(3), "{} {}", hour(15), hour(3));
}

#[test]
fn there_is_everything_that_a_gateway_sees() {
    let calls = day(1, 50_000);
    let mut tenants: BTreeMap<&str, usize> = BTreeMap::new();
    let mut models: BTreeMap<&str, usize> = BTreeMap::new();
    for call in &calls {
        *tenants.entry(&call.tenant).or_default() += 1;
        *models.entry(&call.model).or_default() += 1;
        assert!(call.has_latency && call.is_ttft_in_latency);
    }
    assert_eq!(models.len(), 11);
    assert!(tenants.len() > 350, "{}", tenants.len());
    assert!(tenants["tenant-001"] > 50 * tenants["tenant-300"]);
    for kind in [
        TokenKind::Input,
        TokenKind::CacheRead,
        TokenKind::CacheWrite,
        TokenKind::Output,
        TokenKind::Reasoning,
    ] {
        let tokens = |call: &Call| call.tokens[kind.index()].unwrap_or(0);
        assert!(calls.iter().any(|call| tokens(call) > 0), "{kind:?}");
        assert!(
            calls.iter().any(|call| call.tokens[kind.index()].is_none()),
            "{kind:?}"
        );
    }
    for outcome in Outcome::ALL {
        let ended = calls.iter().any(|call| call.outcome == outcome);
        assert_eq!(ended, outcome != Outcome::Other, "{outcome:?}");
    }
    let failed = calls.iter().filter(|call| call.outcome.is_error()).count();
    assert!((500..1_500).contains(&failed), "{failed}");
    assert!(
        calls
            .iter()
            .any(|call| call.cost.is_none() && call.outcome == Outcome::Ok)
    );
}

#[test]
fn a_day_may_be_empty() {
    assert_eq!(day(1, 0).len(), 0);
    assert_eq!(day(1, 1).len(), 1);
}
