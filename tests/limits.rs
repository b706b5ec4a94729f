//! Beyond every limit totals stay exact (I9); names survive as they are.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs;
use std::time::{Duration, UNIX_EPOCH};

use common::{PATIENCE, Place};
use quipu::{Day, ModelId, OTHER, OpenError, Reader, Recorder, TenantId, TokenKind, UsageRecord};

fn record(recorder: &Recorder, model: ModelId, tenant: TenantId, day: u64) {
    let usage = UsageRecord::new(model)
        .tenant(tenant)
        .tokens(TokenKind::Input, 3)
        .latency(Duration::from_millis(day))
        .at(UNIX_EPOCH + Duration::from_secs(day * 86_400));
    recorder.record_timeout(usage, PATIENCE).unwrap();
}

#[test]
fn f39_names_beyond_the_limits_are_counted_as_other() {
    let place = Place::new();
    let builder = place.builder().max_models(2).max_tenants(3).max_name_len(8);
    let recorder = builder.open(place.store()).unwrap();
    for n in 0..5 {
        let model = recorder.model("p", &format!("m{n}")).unwrap();
        assert_eq!(model.is_other(), n >= 2);
        let tenant = recorder.tenant(&format!("t{n}")).unwrap();
        assert_eq!(tenant.is_other(), n >= 3);
        record(&recorder, model, tenant, 100);
    }
    for name in ["", "ninebytes"] {
        assert!(recorder.model(name, "m0").unwrap().is_other());
        assert!(recorder.model("p", name).unwrap().is_other());
        assert!(recorder.tenant(name).unwrap().is_other());
    }
    recorder.flush(PATIENCE).unwrap();
    let snapshot = recorder.snapshot();
    assert_eq!(snapshot.total().requests, 5);
    let other = snapshot.by_model().into_iter().find(|of| of.model == OTHER);
    assert_eq!(other.unwrap().totals.requests, 3);
    let other = snapshot
        .by_tenant()
        .into_iter()
        .find(|of| of.tenant == OTHER);
    assert_eq!(other.unwrap().totals.requests, 2);
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!((stats.models, stats.tenants), (2, 3));
    assert_eq!(stats.names_refused, 3 + 2 + 6);
}

#[test]
fn f39_a_model_that_is_refused_takes_no_room_for_its_provider() {
    for (models, name) in [(1, "m2".to_owned()), (1000, "x".repeat(257))] {
        let place = Place::new();
        let recorder = place.builder().max_models(models);
        let recorder = recorder.open(place.store()).unwrap();
        assert!(!recorder.model("p", "m").unwrap().is_other());
        let len = || fs::metadata(place.aggregate()).unwrap().len();
        let before = len();
        for n in 0..5000 {
            let provider = format!("{n:0200}");
            assert!(recorder.model(&provider, &name).unwrap().is_other());
        }
        assert_eq!(len(), before, "names of 1 MB that nobody can use");
    }
}

#[test]
fn f39_rows_and_days_beyond_the_limits_keep_the_total_also_across_openings() {
    let place = Place::new();
    let mut expected = 0;
    for (rows, days) in [(10, 3), (4, 2), (1, 1), (1000, 100)] {
        let builder = place.builder().max_rows(rows).buckets_kept(days);
        let recorder = builder.open(place.store()).unwrap();
        for day in 100..108 {
            for n in 0..6 {
                let model = recorder.model("p", &format!("m{}", n % 2)).unwrap();
                let tenant = recorder.tenant(&format!("t{n}")).unwrap();
                record(&recorder, model, tenant, day);
                expected += 1;
            }
        }
        recorder.close(PATIENCE).unwrap();
        let snapshot = Reader::open(place.store()).unwrap().snapshot().unwrap();
        let total = snapshot.total();
        assert_eq!(total.requests, expected, "{rows} rows, {days} days");
        assert_eq!(total.tokens[0], 3 * expected);
        assert_eq!(total.latency.histogram.count(), expected);
        assert!(snapshot.by_day().iter().any(|of| of.day == Day::OLDER));
        assert!(quipu::verify(place.store()).unwrap().is_sound());
    }
}

#[test]
fn f39_lower_limits_than_a_store_was_kept_under_count_nothing_twice() {
    for (rows, days) in [(1, 3), (300, 2), (1, 1)] {
        let place = Place::new();
        let recorder = place.builder().open(place.store()).unwrap();
        let model = recorder.model("p", "m").unwrap();
        for n in 0..200 {
            let tenant = recorder.tenant(&format!("t{n}")).unwrap();
            record(&recorder, model, tenant, 100 + n % 7);
        }
        recorder.close(PATIENCE).unwrap();
        let before = Reader::open(place.store()).unwrap().snapshot().unwrap();

        let builder = place.builder().max_rows(rows).buckets_kept(days);
        let recorder = builder.open(place.store()).unwrap();
        let late = recorder.tenant("late").unwrap();
        for n in 0..100 {
            record(&recorder, model, late, 200 + n % 10);
        }
        recorder.close(PATIENCE).unwrap();
        let snapshot = Reader::open(place.store()).unwrap().snapshot().unwrap();
        let total = snapshot.total();
        assert_eq!(total.requests, 300, "{rows} rows, {days} days");
        assert_eq!(total.tokens[0], 900);
        assert_eq!(total.latency.count, 300);
        assert_eq!(total.latency.histogram.count(), 300);
        for tenant in before.by_tenant() {
            let same = |of: &&quipu::TenantTotals| of.tenant == tenant.tenant;
            let now = snapshot.by_tenant();
            let now = now.iter().find(same).map_or(0, |of| of.totals.requests);
            // Of days that were folded there may be no room for each tenant.
            let is_there = now == tenant.totals.requests || (rows == 1 && now == 0);
            assert!(is_there, "{now} of {}", tenant.tenant);
        }
        assert!(quipu::verify(place.store()).unwrap().is_sound());
    }
}

#[test]
fn f39_names_with_any_character_come_back_as_they_were() {
    let place = Place::new();
    let mut names: Vec<String> = [
        "a,b",
        "say \"hi\"",
        "two\nlines",
        "cr\r\n",
        "tab\t",
        "nul\0",
        "esc\u{1b}[31m",
        "\u{202e}rtl",
        "zero\u{200b}width",
        "e\u{301}",
        "🦀",
        "=1+1",
        "'",
        "\\",
        " ",
        "__other",
    ]
    .map(String::from)
    .into();
    names.push("x".repeat(256));
    names.sort();
    let recorder = place.open();
    for name in &names {
        let model = recorder.model(name, name).unwrap();
        let tenant = recorder.tenant(name).unwrap();
        assert!(!model.is_other() && !tenant.is_other(), "{name:?}");
        assert_eq!(recorder.model(name, name).unwrap(), model);
        record(&recorder, model, tenant, 100);
    }
    recorder.close(PATIENCE).unwrap();
    let snapshot = Reader::open(place.store()).unwrap().snapshot().unwrap();
    let found: Vec<_> = snapshot
        .by_tenant()
        .iter()
        .map(|of| of.tenant.to_string())
        .collect();
    assert_eq!(found, names);
    let models = snapshot.by_model();
    assert!(models.iter().all(|of| of.provider == *of.model));
    let found: Vec<_> = models.iter().map(|of| of.model.to_string()).collect();
    assert_eq!(found, names);
    // The same names get the same ids when the store is opened again.
    let recorder = place.open();
    for name in &names {
        record(
            &recorder,
            recorder.model(name, name).unwrap(),
            TenantId::NONE,
            100,
        );
    }
    recorder.flush(PATIENCE).unwrap();
    let models = recorder.snapshot().by_model();
    assert!(models.iter().all(|of| of.totals.requests == 2));
}

#[test]
fn settings_out_of_range_are_refused_before_anything_is_created() {
    let place = Place::new();
    let builders = [
        place.builder().shards(0),
        place.builder().shards(65),
        place.builder().shard_capacity(1),
        place.builder().shard_capacity((1 << 22) + 1),
        place.builder().flush_interval(Duration::ZERO),
        place
            .builder()
            .flush_interval(Duration::from_nanos(999_999)),
        place
            .builder()
            .flush_interval(Duration::from_micros(3_600_000_500)),
        // In milliseconds a little more than 64 bits hold.
        place.builder().flush_interval(Duration::MAX),
        place
            .builder()
            .flush_interval(Duration::from_millis(u64::MAX) + Duration::from_millis(5)),
        place
            .builder()
            .durability(quipu::Durability::Checkpoint(Duration::from_millis(9))),
        place
            .builder()
            .durability(quipu::Durability::Checkpoint(Duration::from_secs(86_401))),
        place.builder().flush_records(0),
        place.builder().max_rows(0),
        place.builder().max_rows((1 << 26) + 1),
        place.builder().max_models(0),
        place.builder().max_models(65_001),
        place.builder().max_tenants(0),
        place.builder().max_tenants(u32::MAX - 1),
        place.builder().max_name_len(0),
        place.builder().max_name_len(32 * 1024 + 1),
        place.builder().buckets_kept(0),
        place.builder().buckets_kept((1 << 26) + 1),
    ];
    for builder in builders {
        let error = builder.open(place.store()).unwrap_err();
        assert!(matches!(error, OpenError::Setting { .. }), "{error}");
        assert!(!place.store().exists());
    }
    let nowhere = place.path().join("nowhere");
    assert!(
        place
            .builder()
            .ring_dir(nowhere)
            .open(place.store())
            .is_err()
    );
    assert!(!place.store().exists());
}

#[test]
fn a_default_ring_has_room_in_each_of_many_shards() {
    for (shards, slots) in [(1, 131_072), (2, 131_072), (32, 131_072), (64, 262_144)] {
        let recorder = Recorder::builder().shards(shards).in_memory().unwrap();
        assert_eq!(recorder.stats().ring_capacity, slots, "{shards} shards");
    }
}
