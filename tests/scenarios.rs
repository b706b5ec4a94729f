//! The classic scenarios: a burst that is recorded quickly is one flush.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::{Duration, UNIX_EPOCH};

use common::{PATIENCE, Place, wait_until};
use quipu::{Recorder, Stats, TokenKind, UsageRecord};

const DAY: &str = "2025-03-14";

/// Model, provider, and how many of 25 records it gets.
const MODELS: [(&str, &str, u64); 3] = [
    ("openai", "gpt-4o", 10),
    ("openai", "gpt-4o-mini", 8),
    ("anthropic", "claude-sonnet-4-5", 7),
];

fn usage(recorder: &Recorder, provider: &str, model: &str) -> UsageRecord {
    UsageRecord::new(recorder.model(provider, model).unwrap())
        .tokens(TokenKind::Input, 100)
        .tokens(TokenKind::Output, 10)
        .cost_nanos(1_000)
        .at(UNIX_EPOCH + Duration::from_secs(1_741_953_600))
}

/// Opens a store with default settings, so that the default interval decides.
fn default_recorder(place: &Place) -> Recorder {
    Recorder::builder()
        .ring_dir(place.ring_dir())
        .open(place.store())
        .unwrap()
}

/// The state once `records` are committed, without asking for a flush.
fn when_committed(recorder: &Recorder, records: u64) -> Stats {
    wait_until("all are committed", || {
        recorder.stats().committed == records
    });
    recorder.stats()
}

fn assert_one_flush(stats: &Stats, records: u64) {
    assert_eq!(stats.flushes, 1);
    assert_eq!(stats.records_per_flush_last, records);
    assert_eq!(stats.records_per_flush_max, records);
    assert!((stats.records_per_flush_mean - records as f64).abs() < f64::EPSILON);
}

#[test]
fn twenty_five_records_over_three_models_are_one_flush() {
    let place = Place::new();
    let recorder = default_recorder(&place);
    for (provider, model, count) in MODELS {
        let usage = usage(&recorder, provider, model);
        for _ in 0..count {
            recorder.record(usage).unwrap();
        }
    }
    assert_one_flush(&when_committed(&recorder, 25), 25);

    let snapshot = recorder.snapshot();
    let days = snapshot.by_day();
    assert_eq!(days.len(), 1);
    assert_eq!(days[0].day.to_string(), DAY);
    assert_eq!(days[0].totals.requests, 25);
    assert_eq!(days[0].totals.token(TokenKind::Input), 2_500);
    assert_eq!(days[0].totals.cost_nanos, 25_000);
    let models: Vec<_> = snapshot
        .by_model()
        .into_iter()
        .map(|of| {
            (
                of.provider.to_string(),
                of.model.to_string(),
                of.totals.requests,
            )
        })
        .collect();
    let mut expected: Vec<_> = MODELS
        .iter()
        .map(|(provider, model, n)| ((*provider).to_owned(), (*model).to_owned(), *n))
        .collect();
    expected.sort();
    assert_eq!(models, expected);
    let providers: Vec<_> = snapshot
        .by_provider()
        .into_iter()
        .map(|of| (of.provider.to_string(), of.totals.requests))
        .collect();
    assert_eq!(providers, [("anthropic".into(), 7), ("openai".into(), 18)]);
    recorder.close(PATIENCE).unwrap();
}

#[test]
fn a_burst_of_fifty_is_one_flush() {
    let place = Place::new();
    let recorder = default_recorder(&place);
    let usage = usage(&recorder, "openai", "gpt-4o");
    for _ in 0..50 {
        recorder.record(usage).unwrap();
    }
    assert_one_flush(&when_committed(&recorder, 50), 50);
}

#[test]
fn thirty_at_once_are_one_flush() {
    let place = Place::new();
    let recorder = default_recorder(&place);
    let usage = usage(&recorder, "openai", "gpt-4o");
    let start = std::sync::Barrier::new(30);
    std::thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| {
                start.wait();
                recorder.record(usage).unwrap();
            });
        }
    });
    assert_one_flush(&when_committed(&recorder, 30), 30);
}
