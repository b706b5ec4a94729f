//! The ends of counters: sums saturate and say so, token counts are exact from
//! 0 to their largest, and what is missing is not zero (I12).

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{PATIENCE, Place};
use quipu::{By, Reader, Recorder, RollUp, Snapshot, TokenKind, Totals, UsageRecord, verify};

/// Records one call for each of these costs.
fn record_costs(recorder: &Recorder, model: &str, costs: &[u64]) {
    let model = recorder.model("p", model).unwrap();
    for cost in costs {
        let usage = UsageRecord::new(model).cost_nanos(*cost);
        recorder.record_timeout(usage, PATIENCE).unwrap();
    }
    recorder.flush(PATIENCE).unwrap();
}

/// Cost, calls that were priced, and whether anything saturated.
fn seen(totals: &Totals) -> (u64, u64, bool) {
    (totals.cost_nanos, totals.priced, totals.saturated)
}

/// The snapshot of the recorder and that of a reader, which must be the same.
fn snapshots(place: &Place, recorder: &Recorder) -> [std::sync::Arc<Snapshot>; 2] {
    let reader = Reader::open(place.store()).unwrap();
    let both = [recorder.snapshot(), reader.snapshot().unwrap()];
    assert_eq!(both[0].rows(), both[1].rows());
    both
}

#[test]
fn f32_sums_next_to_the_largest_saturate_and_say_so_for_good() {
    let place = Place::new();
    let recorder = place.open();
    record_costs(&recorder, "m", &[u64::MAX - 3, 1, 1, 0]);
    let largest = u64::MAX;
    for snapshot in snapshots(&place, &recorder) {
        assert_eq!(seen(&snapshot.total()), (largest - 1, 4, false));
    }
    // Exactly the largest is still exact.
    record_costs(&recorder, "m", &[1]);
    for snapshot in snapshots(&place, &recorder) {
        assert_eq!(seen(&snapshot.total()), (largest, 5, false));
    }
    record_costs(&recorder, "m", &[1]);
    for snapshot in snapshots(&place, &recorder) {
        assert_eq!(seen(&snapshot.total()), (largest, 6, true));
    }
    assert!(verify(place.store()).unwrap().is_sound());
    recorder.close(PATIENCE).unwrap();
    drop(recorder);

    // The flag stays with the row, also when it changes again.
    let recorder = place.open();
    assert_eq!(seen(&recorder.snapshot().total()), (largest, 6, true));
    record_costs(&recorder, "m", &[largest, 7]);
    for snapshot in snapshots(&place, &recorder) {
        let total = snapshot.total();
        assert_eq!(seen(&total), (largest, 8, true));
        assert_eq!(total.requests, 8, "the others stay exact");
    }
    assert!(verify(place.store()).unwrap().is_sound());
}

#[test]
fn f32_rows_that_fit_may_have_a_sum_that_does_not() {
    let places = [Place::new(), Place::new()];
    let half = 1 << 63;
    let mut roll_up = RollUp::new(By {
        model: true,
        ..By::default()
    });
    for (place, model) in places.iter().zip(["m", "n"]) {
        let recorder = place.open();
        record_costs(&recorder, "m", &[half]);
        record_costs(&recorder, model, &[half - 1]);
        let total = recorder.snapshot().total();
        assert_eq!(seen(&total), (u64::MAX, 2, false));
        roll_up.add(&recorder.snapshot());
    }
    assert_eq!(seen(roll_up.total()), (u64::MAX, 4, true));
    let groups = roll_up.groups();
    let seen_of = |name: &str| {
        let group = groups
            .iter()
            .find(|of| of.model.as_ref().is_some_and(|model| *model == *name));
        seen(&group.unwrap().totals)
    };
    assert_eq!(seen_of("m"), (u64::MAX, 3, true));
    assert_eq!(seen_of("n"), (half - 1, 1, false));
}

#[test]
fn f32_sums_that_are_merged_by_hand_saturate_and_say_so() {
    let nearly = u64::MAX - 1;
    let mut one = Totals {
        requests: 1,
        ..Totals::default()
    };
    one.tokens[3] = 1;
    one.latency.sum_us = 1;
    one.time_to_first_token.count = 1;
    let with = |change: fn(&mut Totals, u64)| {
        let mut sum = Totals::default();
        change(&mut sum, nearly);
        sum
    };
    let near: [(&str, Totals); 4] = [
        ("requests", with(|sum, n| sum.requests = n)),
        ("tokens", with(|sum, n| sum.tokens[3] = n)),
        ("latency", with(|sum, n| sum.latency.sum_us = n)),
        ("ttft", with(|sum, n| sum.time_to_first_token.count = n)),
    ];
    for (name, mut sum) in near {
        sum.merge(&one);
        assert!(!sum.saturated, "{name}: the largest is exact");
        sum.merge(&one);
        assert!(sum.saturated, "{name}");
        let largest = [
            sum.requests,
            sum.tokens[3],
            sum.latency.sum_us,
            sum.time_to_first_token.count,
        ];
        assert_eq!(largest.iter().max(), Some(&u64::MAX), "{name}");
    }
}

#[test]
fn sums_that_are_merged_by_hand_have_all_that_either_has() {
    let mut one = Totals {
        requests: 1,
        errors: 2,
        outcomes: std::array::from_fn(|n| 10 + n as u64),
        tokens: std::array::from_fn(|n| 30 + n as u64),
        reported: std::array::from_fn(|n| 50 + n as u64),
        cost_nanos: 3,
        priced: 4,
        streamed: 5,
        estimated: 6,
        saturated: true,
        ..Totals::default()
    };
    (one.latency.count, one.latency.sum_us) = (7, 8);
    one.time_to_first_token.count = 9;
    one.time_to_first_token.sum_us = 10;
    let mut sum = Totals::default();
    sum.merge(&one);
    assert_eq!(sum, one);
    sum.merge(&Totals::default());
    assert_eq!(sum, one);
}

#[test]
fn f33_token_counts_are_exact_and_missing_is_not_zero() {
    let place = Place::new();
    let recorder = place.open();
    let model = recorder.model("p", "m").unwrap();
    let largest = u64::from(u32::MAX);
    // Of each kind: absent, 0, 1, the largest, and beyond.
    let values = [None, Some(0), Some(1), Some(largest)];
    let mut expected = [[0u64; 2]; 6];
    for round in 0..64 {
        let mut usage = UsageRecord::new(model);
        for (n, kind) in TokenKind::ALL.into_iter().enumerate() {
            if let Some(tokens) = values[(round >> (n % 3 * 2)) & 3] {
                usage = usage.tokens(kind, tokens);
                expected[n][0] += tokens;
                expected[n][1] += 1;
                assert_eq!(usage.reported(kind).map(u64::from), Some(tokens));
            } else {
                assert_eq!(usage.reported(kind), None);
            }
        }
        assert!(!usage.is_saturated());
        recorder.record(usage).unwrap();
    }
    recorder.flush(PATIENCE).unwrap();
    for snapshot in snapshots(&place, &recorder) {
        let total = snapshot.total();
        assert_eq!(total.tokens, expected.map(|[tokens, _]| tokens));
        assert_eq!(total.reported, expected.map(|[_, reported]| reported));
        assert_eq!((total.requests, total.saturated), (64, false));
    }
    let beyond = UsageRecord::new(model).tokens(TokenKind::Audio, largest + 1);
    assert_eq!(beyond.reported(TokenKind::Audio), Some(u32::MAX));
    recorder.record(beyond).unwrap();
    recorder.flush(PATIENCE).unwrap();
    assert!(recorder.snapshot().total().saturated);
}

#[test]
fn f33_nothing_but_zeros_and_nothing_at_all() {
    let place = Place::new();
    let recorder = place.open();
    let zeros = UsageRecord::new(recorder.model("p", "zeros").unwrap());
    let zeros = TokenKind::ALL
        .into_iter()
        .fold(zeros, |usage, kind| usage.tokens(kind, 0));
    let nothing = UsageRecord::new(recorder.model("p", "nothing").unwrap());
    recorder.record(zeros.cost_nanos(0)).unwrap();
    recorder.record(nothing).unwrap();
    recorder.close(PATIENCE).unwrap();
    let snapshot = Reader::open(place.store()).unwrap().snapshot().unwrap();
    for of in snapshot.by_model() {
        let reported = u64::from(of.model == "zeros");
        let totals = of.totals;
        assert_eq!(totals.reported, [reported; 6]);
        assert_eq!((totals.priced, totals.unpriced()), (reported, 1 - reported));
        for kind in TokenKind::ALL {
            let expected = (reported == 1).then_some(0);
            assert_eq!(totals.reported_tokens(kind), expected);
        }
    }
}
