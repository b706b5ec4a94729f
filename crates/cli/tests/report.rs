//! `quipu report` against stores whose content is known.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use quipu::{Bucket, Outcome, Recorder, TokenKind, Totals, UsageRecord};
use serde_json::Value;
use support::{DEADLINE, NASTY, failure, hours, record, stdout, store};

/// day, provider, model, tenant
type Key = [String; 4];

/// What one group has to add up to, by field; missing ones are absent.
type Sums = BTreeMap<&'static str, u64>;

/// Records calls of every shape and returns what they add up to.
fn fill(recorder: &Recorder) -> BTreeMap<Key, Sums> {
    let mut expected: BTreeMap<Key, Sums> = BTreeMap::new();
    for i in 0..600u64 {
        let (provider, model) =
            [("openai", "gpt-4o"), ("anthropic", "claude"), ("x", "bare")][i as usize % 3];
        let tenant = ["", "acme", NASTY[i as usize % NASTY.len()]][i as usize / 3 % 3];
        let day = ["2023-11-16", "2023-11-17"][i as usize / 9 % 2];
        let at = hours(i / 9 % 2 * 24 + i % 24);
        let id = recorder.model(provider, model).unwrap();
        let mut usage = UsageRecord::new(id).at(at);
        if !tenant.is_empty() {
            usage = usage.tenant(recorder.tenant(tenant).unwrap());
        }
        let key = [day, provider, model, tenant].map(str::to_owned);
        let sums = expected.entry(key).or_default();
        let mut add = |field, n| *sums.entry(field).or_default() += n;
        add("requests", 1);
        add("errors", 0);
        if i % 7 == 0 {
            usage = usage.outcome(Outcome::Timeout);
            add("errors", 1);
        }
        // A model about which nothing else is known.
        if model != "bare" {
            usage = usage
                .tokens(TokenKind::Input, i)
                .tokens(TokenKind::Output, u64::from(u32::MAX))
                .tokens(TokenKind::CacheRead, 0)
                .cost_nanos(i * 1_000_003)
                .latency(Duration::from_micros(i * 1_000))
                .time_to_first_token(Duration::from_micros(7));
            add("input", i);
            add("output", u64::from(u32::MAX));
            add("cache_read", 0);
            add("cost_nanos", i * 1_000_003);
            add("latency_sum", i * 1_000);
            add("ttft_mean_us", 0);
        }
        recorder.record_timeout(usage, DEADLINE).unwrap();
    }
    for sums in expected.values_mut() {
        if let Some(sum) = sums.remove("latency_sum") {
            sums.insert("latency_mean_us", sum / sums["requests"]);
            sums.insert("ttft_mean_us", 7);
        }
    }
    expected
}

const FIELDS: [&str; 11] = [
    "requests",
    "errors",
    "input",
    "cache_read",
    "cache_write",
    "output",
    "reasoning",
    "audio",
    "cost_nanos",
    "latency_mean_us",
    "ttft_mean_us",
];

const BY_ALL: &str = "--by=day,provider,model,tenant";

fn json(args: &[&str]) -> Value {
    let text = stdout(args.iter().chain(&["--format", "json"]));
    assert_eq!(text.lines().count(), 1);
    serde_json::from_str(&text).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn json_and_csv_say_what_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    let mut expected = BTreeMap::new();
    store(&place, |recorder| expected = fill(recorder));

    let report = json(&["report", path(&place), BY_ALL]);
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), expected.len());
    for row in rows {
        let key =
            ["day", "provider", "model", "tenant"].map(|k| row[k].as_str().unwrap().to_owned());
        let sums = &expected[&key];
        for field in FIELDS {
            let value = row.as_object().unwrap().get(field).unwrap();
            assert_eq!(value.as_u64(), sums.get(field).copied(), "{key:?} {field}");
            assert_eq!(
                value.is_null(),
                !sums.contains_key(field),
                "{key:?} {field}"
            );
        }
        assert_eq!(row["errors"], row["errors_timeout"], "{key:?}");
    }
    // All of the library's, and nothing beside the keys.
    let names = Totals::default().fields().map(|(name, _)| name);
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    let keys = |row: &Value| -> Vec<String> {
        let mut keys: Vec<_> = row.as_object().unwrap().keys().cloned().collect();
        keys.sort_unstable();
        keys
    };
    assert_eq!(keys(&report["total"]), names);
    names.extend(["day", "provider", "model", "tenant"]);
    names.sort_unstable();
    assert!(rows.iter().all(|row| keys(row) == names));
    let total = |field| {
        expected
            .values()
            .filter_map(|sums| sums.get(field))
            .sum::<u64>()
    };
    for field in ["requests", "errors", "input", "output", "cost_nanos"] {
        assert_eq!(
            report["total"][field].as_u64(),
            Some(total(field)),
            "{field}"
        );
    }
    assert!(report["total"]["output"].as_u64() > Some(u64::from(u32::MAX) * 300));

    let text = stdout(["report", path(&place), BY_ALL, "--format", "csv"]);
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let header = csv.headers().unwrap().clone();
    let mut seen = 0;
    for row in csv.records() {
        let row: BTreeMap<&str, String> = header
            .iter()
            .zip(row.unwrap().iter().map(str::to_owned))
            .collect::<Vec<_>>()
            .into_iter()
            .collect();
        let key = ["day", "provider", "model", "tenant"].map(|k| row[k].clone());
        let sums = &expected[&key];
        for field in FIELDS {
            let value = sums.get(field).map_or(String::new(), u64::to_string);
            assert_eq!(row[field], value, "{key:?} {field}");
        }
        seen += 1;
    }
    assert_eq!(seen, expected.len());
}

#[test]
fn only_the_keys_that_were_asked_for_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    store(&place, |recorder| record(recorder, "openai", "gpt-4o", 3));
    let keys = ["day", "hour", "provider", "model", "tenant"];
    for by in ["day", "provider", "model,day", "tenant,model"] {
        let report = json(&["report", path(&place), "--by", by]);
        let row = report["rows"][0].as_object().unwrap();
        for key in keys {
            assert_eq!(row.contains_key(key), by.contains(key), "{by}: {row:?}");
            assert!(!report["total"].as_object().unwrap().contains_key(key));
        }
        assert_eq!(row["requests"], 3);
        assert_eq!(row["latency_mean_us"], 250_000);
        assert_eq!(
            row["latency_p50_us"].is_null(),
            by.contains("tenant"),
            "{row:?}"
        );
    }
    let header = stdout([
        "report",
        path(&place),
        "--by",
        "model,day",
        "--format",
        "csv",
    ]);
    assert!(
        header.starts_with("model,day,requests,errors,input,cache_read,"),
        "{header}"
    );
}

#[test]
fn stores_are_added_up_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
    store(&a, |recorder| {
        record(recorder, "openai", "gpt-4o", 5);
        record(recorder, "only", "here", 1);
    });
    store(&b, |recorder| {
        // Another order, so other ids.
        record(recorder, "other", "model", 2);
        record(recorder, "openai", "gpt-4o", 7);
        recorder.flush(DEADLINE).unwrap();
        record(recorder, "openai", "gpt-4o", 1);
    });
    let report = json(&["report", path(&a), path(&b), "--by", "provider,model"]);
    let rows: Vec<(&str, u64)> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["model"].as_str().unwrap(),
                row["requests"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(rows, [("here", 1), ("gpt-4o", 13), ("model", 2)]);
    assert_eq!(report["total"]["requests"], 16);
    // All took 250 ms; quantiles are within 1/32.
    let median = report["total"]["latency_p50_us"].as_u64().unwrap();
    assert!(median.abs_diff(250_000) <= 250_000 / 32, "{median}");
    let generations: Vec<u64> = report["stores"]
        .as_array()
        .unwrap()
        .iter()
        .map(|store| store["generation"].as_u64().unwrap())
        .collect();
    assert_eq!(generations.len(), 2);
    assert_eq!(
        report["generation"].as_u64(),
        generations.iter().max().copied()
    );

    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&a, &link).unwrap();
    let error = failure(2, ["report", path(&a), path(&link)]);
    assert!(error.contains("count twice"), "{error}");
}

#[test]
fn days_can_be_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    store(&place, |recorder| {
        let model = recorder.model("p", "m").unwrap();
        for day in 0..5 {
            for _ in 0..=day {
                // The last nanosecond of the day.
                let at = hours(day * 24 + 24) - Duration::from_nanos(1);
                recorder
                    .record_timeout(UsageRecord::new(model).at(at), DEADLINE)
                    .unwrap();
            }
        }
    });
    let requests = |args: &[&str]| {
        let mut all = vec!["report", path(&place), "--by", "day"];
        all.extend(args);
        let report = json(&all);
        let total = report["total"]["requests"].as_u64().unwrap();
        let rows = report["rows"].as_array().unwrap();
        let sum: u64 = rows
            .iter()
            .map(|row| row["requests"].as_u64().unwrap())
            .sum();
        assert_eq!(sum, total);
        (rows.len(), total)
    };
    assert_eq!(requests(&[]), (5, 15));
    assert_eq!(requests(&["--since", "2023-11-18"]), (3, 12));
    assert_eq!(requests(&["--until", "2023-11-18"]), (3, 6));
    assert_eq!(
        requests(&["--since=2023-11-17", "--until=2023-11-17"]),
        (1, 2)
    );
    assert_eq!(requests(&["--since", "2024-01-01"]), (0, 0));
    let text = stdout(["report", path(&place), "--since", "2024-01-01"]);
    assert!(text.contains("no records"), "{text}");

    let error = failure(
        2,
        [
            "report",
            path(&place),
            "--since=2023-11-18",
            "--until=2023-11-17",
        ],
    );
    assert!(
        error.contains("--since 2023-11-18 is after --until 2023-11-17"),
        "{error}"
    );
    for day in ["2023-02-29", "16.11.2023", "today", "1969-12-31", ""] {
        let error = failure(2, ["report", path(&place), &format!("--until={day}")]);
        assert!(error.contains("--until"), "{error}");
    }
}

#[test]
fn hours_where_the_store_has_them() {
    let dir = tempfile::tempdir().unwrap();
    let [days, by_hour] = ["days", "hours"].map(|name| dir.path().join(name));
    store(&days, |recorder| record(recorder, "p", "m", 30));
    let recorder = Recorder::builder()
        .bucket(Bucket::Hour)
        .open(&by_hour)
        .unwrap();
    record(&recorder, "p", "m", 30);
    recorder.close(DEADLINE).unwrap();

    let report = json(&["report", path(&by_hour), "--by", "hour"]);
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 24);
    assert_eq!(
        (&rows[0]["hour"], &rows[0]["requests"]),
        (&0.into(), &2.into())
    );
    assert_eq!(
        (&rows[23]["hour"], &rows[23]["requests"]),
        (&23.into(), &1.into())
    );
    let text = stdout(["report", path(&by_hour), "--by", "day,hour"]);
    assert!(text.contains("2023-11-16  05:00  "), "{text}");

    let error = failure(1, ["report", path(&days), "--by", "hour"]);
    assert!(error.contains("keeps days, not hours"), "{error}");
}

#[test]
fn f33_missing_is_not_zero() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("usage.quipu");
    store(&place, |recorder| {
        let model = recorder.model("p", "m").unwrap();
        let usage = UsageRecord::new(model)
            .at(hours(0))
            .tokens(TokenKind::Reasoning, 0);
        recorder.record_timeout(usage, DEADLINE).unwrap();
    });
    let row = &json(&["report", path(&place)])["rows"][0];
    assert_eq!(row["reasoning"], 0);
    for missing in [
        "input",
        "output",
        "audio",
        "cost_nanos",
        "latency_mean_us",
        "ttft_p50_us",
    ] {
        assert!(row.as_object().unwrap().contains_key(missing), "{missing}");
        assert!(row[missing].is_null(), "{missing}: {row}");
    }
    let csv = stdout(["report", path(&place), "--format", "csv"]);
    assert!(csv.contains("\r\n2023-11-16,m,1,0,,,,,0,,,"), "{csv}");
    let table = stdout(["report", path(&place)]);
    let cells: Vec<&str> = table.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(
        cells[2..10],
        ["1", "0", "-", "-", "-", "-", "0", "-"],
        "{table}"
    );
}
