//! Buckets follow the record's own time, in UTC.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::PATIENCE;
use quipu::{Bucket, Day, Recorder, UsageRecord};

fn nanos(text: &str, nanos: u32) -> SystemTime {
    let start = text.parse::<Day>().unwrap().start().unwrap();
    start + Duration::new(0, nanos)
}

fn days(recorder: &Recorder, moments: &[SystemTime]) -> Vec<(String, u64)> {
    let model = recorder.model("openai", "gpt-4o").unwrap();
    for at in moments {
        recorder.record(UsageRecord::new(model).at(*at)).unwrap();
    }
    recorder.flush(PATIENCE).unwrap();
    let snapshot = recorder.snapshot();
    let days = snapshot.by_day();
    let sum: u64 = days.iter().map(|of| of.totals.requests).sum();
    assert_eq!(
        sum,
        snapshot.total().requests,
        "the sum of days is the total"
    );
    days.into_iter()
        .map(|of| (of.day.to_string(), of.totals.requests))
        .collect()
}

#[test]
fn f31_midnight_leap_days_and_new_year_divide_days() {
    let before = |day| nanos(day, 0) - Duration::from_nanos(1);
    let recorder = Recorder::in_memory();
    let found = days(
        &recorder,
        &[
            nanos("2024-03-01", 0),
            before("2024-03-01"),
            nanos("2024-02-29", 0),
            before("2024-02-29"),
            before("2025-01-01"),
            nanos("2025-01-01", 0),
            before("2023-03-01"),
            nanos("2023-03-01", 0),
        ],
    );
    let expected = [
        ("2023-02-28", 1),
        ("2023-03-01", 1),
        ("2024-02-28", 1),
        ("2024-02-29", 2),
        ("2024-03-01", 1),
        ("2024-12-31", 1),
        ("2025-01-01", 1),
    ];
    assert_eq!(found, expected.map(|(day, n)| (day.to_owned(), n)));
}

#[test]
fn f30_the_ends_of_time_saturate() {
    let recorder = Recorder::in_memory();
    let last = UNIX_EPOCH + Duration::from_nanos(u64::MAX);
    let found = days(
        &recorder,
        &[
            UNIX_EPOCH,
            UNIX_EPOCH - Duration::from_secs(1),
            last,
            last + Duration::from_secs(1),
        ],
    );
    assert_eq!(found, [("1970-01-01".into(), 2), ("2554-07-21".into(), 2)]);
    assert!(recorder.snapshot().total().saturated);
}

#[test]
fn f30_a_record_without_a_time_is_of_the_day_it_is_drained() {
    let recorder = Recorder::in_memory();
    let model = recorder.model("openai", "gpt-4o").unwrap();
    let before = Day::of(SystemTime::now());
    recorder.record(UsageRecord::new(model)).unwrap();
    recorder.flush(PATIENCE).unwrap();
    let after = Day::of(SystemTime::now());
    let day = recorder.snapshot().by_day()[0].day;
    assert!(before <= day && day <= after, "{day}");
}

#[test]
fn hours_are_kept_apart_and_add_up_to_days() {
    let recorder = Recorder::builder()
        .bucket(Bucket::Hour)
        .in_memory()
        .unwrap();
    let start = nanos("2024-02-29", 0);
    let moments: Vec<_> = (0..48)
        .map(|n| start + Duration::from_secs(n * 1800))
        .collect();
    assert_eq!(days(&recorder, &moments), [("2024-02-29".to_owned(), 48)]);
    let rows = recorder.snapshot().rows();
    let hours: Vec<_> = rows
        .iter()
        .map(|row| (row.hour, row.totals.requests))
        .collect();
    let expected: Vec<_> = (0..24).map(|hour| (Some(hour), 2)).collect();
    assert_eq!(hours, expected);
}

#[test]
fn f31_a_batch_across_midnight_a_leap_day_and_new_year() {
    let place = common::Place::new();
    for bucket in [Bucket::Day, Bucket::Hour] {
        let store = place.path().join(format!("{bucket:?}"));
        let builder = place.builder().bucket(bucket).shard_capacity(4096);
        let recorder = builder.open(&store).unwrap();
        let model = recorder.model("openai", "gpt-4o").unwrap();
        // Every 20 minutes, from the day before to the day after.
        let mut expected = std::collections::BTreeMap::new();
        let mut batch = Vec::new();
        for first in ["2024-02-28", "2023-02-27", "2024-12-30", "2099-12-30"] {
            for n in 0..4 * 72 {
                let at = nanos(first, 0) + Duration::from_secs(n * 1200);
                *expected.entry(Day::of(at)).or_insert(0) += n;
                let usage = UsageRecord::new(model).at(at);
                batch.push(usage.tokens(quipu::TokenKind::Input, n));
            }
        }
        // In another order than that of time.
        batch.rotate_left(500);
        assert_eq!(recorder.record_batch(&batch), batch.len());
        recorder.close(PATIENCE).unwrap();
        let snapshot = quipu::Reader::open(&store).unwrap().snapshot().unwrap();
        let found: std::collections::BTreeMap<_, _> = snapshot
            .by_day()
            .into_iter()
            .map(|of| (of.day, of.totals.tokens[0]))
            .collect();
        assert_eq!(found, expected);
        let leap_day: Day = "2024-02-29".parse().unwrap();
        assert!(found.contains_key(&leap_day));
        let total = snapshot.total();
        assert_eq!(total.requests, batch.len() as u64);
        assert_eq!(total.tokens[0], found.values().sum::<u64>());
    }
}

#[test]
fn f30_the_last_bucket_doesnt_take_records_of_the_first() {
    for order in [[1, u64::MAX], [u64::MAX, 1]] {
        let recorder = Recorder::in_memory();
        let moments = order.map(|nanos| vec![UNIX_EPOCH + Duration::from_nanos(nanos); 20]);
        let found = days(&recorder, &moments.concat());
        let expected = [("1970-01-01", 20), ("2554-07-21", 20)];
        assert_eq!(found, expected.map(|(day, n)| (day.to_owned(), n)));
    }
}

#[test]
fn a_moment_in_nanoseconds_is_the_same_moment() {
    let recorder = Recorder::in_memory();
    let model = recorder.model("openai", "gpt-4o").unwrap();
    for nanos in [0, 1, 1_700_000_000_000_000_000, u64::MAX] {
        let at = UNIX_EPOCH + Duration::from_nanos(nanos);
        let usage = UsageRecord::new(model);
        assert_eq!(usage.at_nanos(nanos), usage.at(at), "{nanos}");
    }
}

#[test]
fn a_day_is_ten_characters_and_has_a_start() {
    for text in [
        "2024-2-29",
        "20240229",
        "2024-02-29T00:00",
        "2024-02-29T00:00:00Z",
        "2024-02-30",
        "1969-12-31",
        "older",
        "",
    ] {
        assert!(text.parse::<Day>().is_err(), "{text:?}");
    }
    assert_eq!(Day::OLDER.start(), None);
    assert_eq!(Day::OLDER.to_string(), "older");
    for text in ["1970-01-01", "2000-02-29", "2023-11-18"] {
        let day: Day = text.parse().unwrap();
        let start = day.start().unwrap();
        assert_eq!((Day::of(start), day.to_string()), (day, text.to_owned()));
        let next = start + Duration::from_secs(86_400);
        assert_eq!(Day::of(next - Duration::from_nanos(1)), day);
        assert!(Day::of(next) > day && day > Day::OLDER);
    }
    let before = UNIX_EPOCH - Duration::from_secs(1);
    assert_eq!(Day::of(before).to_string(), "1970-01-01");
}
