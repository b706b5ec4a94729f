//! Quantiles come within 1/32 of those of the very values that were recorded,
//! whatever their distribution and however the rows are added up.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::time::Duration;

use common::{PATIENCE, Place};
use quipu::{By, Day, Group, ModelId, Reader, Recorder, RollUp, Timing, UsageRecord};

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Above 0, up to 1.
    fn fraction(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.fraction().ln()).sqrt() * (TAU * self.fraction()).cos()
    }
}

/// Microseconds of one distribution.
type Draw = fn(&mut Random) -> u64;

const LARGEST: u64 = u32::MAX as u64;

const DISTRIBUTIONS: [(&str, Draw); 8] = [
    ("constant", |_| 730_001),
    ("uniform", |random| 1_000 + random.next() % 3_000_000),
    ("log-normal", |random| {
        (400_000.0 * random.normal().exp()) as u64
    }),
    ("bimodal", |random| match random.next() % 10 {
        0 => 20_000_000 + random.next() % 5_000_000,
        _ => 800 + random.next() % 50,
    }),
    ("tiny", |random| random.next() % 48),
    ("nothing but zeros", |_| 0),
    ("near the largest", |random| {
        LARGEST - random.next() % 500_000_000
    }),
    ("every magnitude", |random| LARGEST >> (random.next() % 33)),
];

/// The quantile in hundredths by its definition: the least value that so many
/// of all values don't exceed.
fn exact(sorted: &[u64], percent: usize) -> u64 {
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

/// Compares with the values that went in, in any order.
fn check(what: &str, timing: &Timing, values: &[u64]) {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    assert_eq!(timing.count, sorted.len() as u64, "{what}: count");
    assert_eq!(timing.histogram.count(), timing.count, "{what}: histogram");
    assert_eq!(timing.sum_us, sorted.iter().sum::<u64>(), "{what}: sum");
    for percent in [50, 90, 99] {
        let q = percent as f64 / 100.0;
        if sorted.is_empty() {
            assert_eq!(timing.quantile(q), None, "{what}: p{percent} of nothing");
            continue;
        }
        let exact = exact(&sorted, percent);
        let got = timing.quantile(q).unwrap().as_micros() as u64;
        assert!(
            32 * got.abs_diff(exact) <= exact,
            "{what}: p{percent} is {exact} µs, and came as {got} µs"
        );
    }
}

fn usage(model: ModelId, latency: Option<u64>, ttft: Option<u64>) -> UsageRecord {
    let mut usage = UsageRecord::new(model);
    if let Some(us) = latency {
        usage = usage.latency(Duration::from_micros(us));
    }
    if let Some(us) = ttft {
        usage = usage.time_to_first_token(Duration::from_micros(us));
    }
    usage
}

#[test]
fn of_every_distribution() {
    for (seed, (name, draw)) in DISTRIBUTIONS.into_iter().enumerate() {
        // Few values and many; 101 so that ranks fall between hundredths.
        for n in [1, 2, 10, 101, 20_000] {
            let mut random = Random(seed as u64);
            let recorder = Recorder::in_memory();
            let model = recorder.model("p", "m").unwrap();
            let (mut latencies, mut ttfts) = (Vec::new(), Vec::new());
            for _ in 0..n {
                // Another value, so that the two can't be taken for each other.
                let (latency, ttft) = (draw(&mut random), draw(&mut random) / 2);
                let usage = usage(model, Some(latency), Some(ttft));
                recorder.record_timeout(usage, PATIENCE).unwrap();
                latencies.push(latency);
                ttfts.push(ttft);
            }
            recorder.flush(PATIENCE).unwrap();
            let total = recorder.snapshot().total();
            let what = |of| format!("{of} of {n}, {name}");
            check(&what("latency"), &total.latency, &latencies);
            check(&what("first token"), &total.time_to_first_token, &ttfts);
            assert!(!total.saturated);
        }
    }
}

#[test]
fn a_tenant_has_a_mean_and_no_quantiles() {
    let recorder = Recorder::in_memory();
    let model = recorder.model("p", "m").unwrap();
    let tenant = recorder.tenant("t").unwrap();
    let usage = UsageRecord::new(model).tenant(tenant);
    for millis in [1, 3] {
        let usage = usage.latency(Duration::from_millis(millis));
        recorder.record(usage).unwrap();
    }
    recorder.flush(PATIENCE).unwrap();
    let tenants = recorder.snapshot().by_tenant();
    assert_eq!(tenants.len(), 1, "{tenants:?}");
    let latency = &tenants[0].totals.latency;
    assert_eq!(latency.mean(), Some(Duration::from_millis(2)));
    assert!(latency.histogram.is_empty() && latency.quantile(0.5).is_none());
}

#[test]
fn f33_what_is_missing_is_not_counted() {
    let recorder = Recorder::in_memory();
    let model = recorder.model("p", "m").unwrap();
    let mut random = Random(1);
    let (mut latencies, mut ttfts) = (Vec::new(), Vec::new());
    for n in 0..5_000u64 {
        // A missing value must not be a zero, and a zero not a missing value.
        let us = if n % 5 == 0 {
            0
        } else {
            random.next() % 90_000
        };
        let latency = (n % 3 != 0).then_some(us);
        let ttft = (n % 7 == 0).then_some(us);
        latencies.extend(latency);
        ttfts.extend(ttft);
        let usage = usage(model, latency, ttft);
        recorder.record_timeout(usage, PATIENCE).unwrap();
    }
    recorder.flush(PATIENCE).unwrap();
    let total = recorder.snapshot().total();
    assert_eq!(total.requests, 5_000);
    check("latency", &total.latency, &latencies);
    check("first token", &total.time_to_first_token, &ttfts);

    let silent = recorder.model("p", "silent").unwrap();
    recorder.record(UsageRecord::new(silent)).unwrap();
    recorder.flush(PATIENCE).unwrap();
    let models = recorder.snapshot().by_model();
    let silent = models.iter().find(|of| of.model == "silent").unwrap();
    check("none at all", &silent.totals.latency, &[]);
    assert!(silent.totals.latency.histogram.is_empty());
    assert_eq!(silent.totals.latency.mean(), None);
}

#[test]
fn beyond_the_largest_counts_as_the_largest() {
    let recorder = Recorder::in_memory();
    let model = recorder.model("p", "m").unwrap();
    for beyond in [0, 1, 1 << 40] {
        let usage = usage(model, Some(LARGEST + beyond), None);
        recorder.record(usage).unwrap();
    }
    recorder.flush(PATIENCE).unwrap();
    let total = recorder.snapshot().total();
    check("the largest", &total.latency, &[LARGEST; 3]);
    assert!(total.saturated);
}

const FIRST_DAY: u64 = 20_000;
const DAYS: u64 = 4;

/// A day and a model.
type Cell = (Day, String);

/// Records a distribution of its own for each model of each day, and notes the
/// values.
fn fill(recorder: &Recorder, seed: u64, into: &mut BTreeMap<Cell, Vec<u64>>) {
    let mut random = Random(seed);
    for day in FIRST_DAY..FIRST_DAY + DAYS {
        let at = common::at(day * 86_400 + 7);
        for n in 0..3 {
            let (_, draw) = DISTRIBUTIONS[(day + n) as usize % DISTRIBUTIONS.len()];
            let name = format!("model {n}");
            let model = recorder.model("p", &name).unwrap();
            let values = into.entry((Day::of(at), name)).or_default();
            for _ in 0..(300 * (n + 1) + day % 7) {
                let us = draw(&mut random);
                let usage = usage(model, Some(us), Some(us / 3)).at(at);
                recorder.record_timeout(usage, PATIENCE).unwrap();
                values.push(us);
            }
        }
    }
}

fn check_group(group: &Group, recorded: &BTreeMap<Cell, Vec<u64>>) {
    let (day, model) = (group.day, group.model.as_ref());
    let of_group = |(a_day, a_model): &Cell| {
        day.is_none_or(|day| day == *a_day) && model.is_none_or(|model| *model == **a_model)
    };
    let cells = recorded.iter().filter(|(cell, _)| of_group(cell));
    let values: Vec<u64> = cells.flat_map(|(_, values)| values).copied().collect();
    let thirds: Vec<u64> = values.iter().map(|us| us / 3).collect();
    let what = format!("{day:?}, {model:?}");
    assert_eq!(group.totals.requests, values.len() as u64, "{what}");
    check(&what, &group.totals.latency, &values);
    check(&what, &group.totals.time_to_first_token, &thirds);
}

#[test]
fn added_up_over_days_models_and_stores() {
    let places = [Place::new(), Place::new(), Place::new()];
    let mut recorded = BTreeMap::new();
    let mut snapshots = Vec::new();
    for (seed, place) in (1..).zip(&places) {
        let recorder = place.open();
        // In another order, so that ids differ from store to store.
        recorder.model("p", &format!("model {}", 3 - seed)).unwrap();
        fill(&recorder, seed, &mut recorded);
        recorder.close(PATIENCE).unwrap();
        let reader = Reader::open(place.store()).unwrap();
        snapshots.push(reader.snapshot().unwrap());
    }
    for (day, model, groups) in [
        (true, true, 3 * DAYS),
        (true, false, DAYS),
        (false, true, 3),
        (false, false, 1),
    ] {
        let by = By {
            day,
            model,
            ..By::default()
        };
        let mut roll_up = RollUp::new(by);
        for snapshot in &snapshots {
            roll_up.add(snapshot);
        }
        let found = roll_up.groups();
        assert_eq!(found.len() as u64, groups);
        for group in &found {
            check_group(group, &recorded);
        }
        let all: Vec<u64> = recorded.values().flatten().copied().collect();
        check("the total", &roll_up.total().latency, &all);
    }
}

#[test]
fn days_that_became_older_keep_their_distribution() {
    let place = Place::new();
    let recorder = place.builder().buckets_kept(1).open(place.store()).unwrap();
    let mut recorded = BTreeMap::new();
    fill(&recorder, 9, &mut recorded);
    recorder.close(PATIENCE).unwrap();
    // Also what was written for one day and read back by the next writer.
    let recorder = place.builder().buckets_kept(1).open(place.store()).unwrap();
    let last = common::at((FIRST_DAY + DAYS) * 86_400);
    let model = recorder.model("p", "model 0").unwrap();
    recorder.record(UsageRecord::new(model).at(last)).unwrap();
    recorder.close(PATIENCE).unwrap();

    let snapshot = Reader::open(place.store()).unwrap().snapshot().unwrap();
    let days = snapshot.by_day();
    let older = days.iter().find(|of| of.day == Day::OLDER).unwrap();
    let all: Vec<u64> = recorded.into_values().flatten().collect();
    check("older", &older.totals.latency, &all);
}
