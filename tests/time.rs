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
fn midnight_leap_days_and_new_year_divide_days() {
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
fn the_ends_of_time_saturate() {
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
fn a_record_without_a_time_is_of_the_day_it_is_drained() {
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
