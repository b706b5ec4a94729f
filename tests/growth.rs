//! The file grows by extents up to its limits while producers record and
//! readers in other processes read: nobody stops, no view is mixed, and what
//! is beyond a limit is in `__other__` or in `older`, exactly (I8, I9).

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::child::{self, Helper, Notes};
use common::image::Image;
use common::sums::{self, one_two};
use common::{PATIENCE, Place, wait_until};
use quipu::{Day, OTHER, ReadError, Reader, Recorder, Snapshot, Stats, verify};

/// Days on which records are; each new one begins a bucket.
const DAYS: u64 = 40;
const PRODUCERS: u64 = 3;
/// Records of one producer.
const RECORDS: u64 = 6_000;
/// Tenants of one producer, each under a name of its own that is as long as
/// names may be, so that the names need more than one extent too.
const NAMES: u64 = 400;

/// What one producer records at its turn `n`: a day and a tenant. New days and
/// names come all the while.
fn turn(producer: u64, n: u64) -> (u64, String) {
    let day = 19_000 + n * DAYS / RECORDS;
    let tenant = format!("{producer}-{:0>240}", n * 7919 % NAMES.min(n / 8 + 1));
    (day, tenant)
}

fn produce(recorder: &Recorder, producer: u64) {
    for n in 0..RECORDS {
        let (day, tenant) = turn(producer, n);
        let usage = one_two(recorder, &format!("model {producer}"), &tenant);
        let at = common::at(day * 86_400 + n);
        recorder.record_timeout(usage.at(at), PATIENCE).unwrap();
    }
}

/// Records by day as they were recorded, with all but the last `kept` days in
/// `older`, `rounds` times over.
fn by_day(kept: u64, rounds: u64) -> BTreeMap<Day, u64> {
    let mut expected = BTreeMap::new();
    for n in 0..RECORDS {
        let (day, _) = turn(0, n);
        let is_kept = day >= 19_000 + DAYS.saturating_sub(kept);
        let day = if is_kept {
            Day::of(common::at(day * 86_400))
        } else {
            Day::OLDER
        };
        *expected.entry(day).or_insert(0) += PRODUCERS * rounds;
    }
    expected
}

/// The recorders' and a reader's view add up, and have all that was recorded.
fn check(snapshot: &Snapshot, kept: u64, rounds: u64, what: &str) {
    let total = sums::check_one_two(snapshot);
    assert_eq!(total, PRODUCERS * RECORDS * rounds, "{what}");
    let found: BTreeMap<_, _> = snapshot
        .by_day()
        .into_iter()
        .map(|of| (of.day, of.totals.requests))
        // Where rows are few, `older` may have latencies only.
        .filter(|(_, requests)| *requests > 0)
        .collect();
    assert_eq!(found, by_day(kept, rounds), "{what}");
    let by_model = snapshot.by_model();
    let others = by_model.iter().filter(|of| of.model == OTHER);
    let others: u64 = others.map(|of| of.totals.requests).sum();
    for of in by_model.iter().filter(|of| of.model != OTHER) {
        let most = RECORDS * rounds;
        assert!(of.totals.requests + others >= most, "{what}");
        assert!(of.totals.requests <= most, "{what}");
    }
}

/// A round of producers, with readers in other processes that must see views
/// all the while.
fn round(place: &Place, recorder: &Recorder, number: u64) -> Stats {
    let named = |what: &str, n: u64| place.path().join(format!("{what} {number} {n}"));
    let readers: Vec<Helper> = (0..2)
        .map(|n| child::start("child_reads", place.path(), format!("{number} {n}")))
        .collect();
    let seen = |n| Notes::read(&named("seen", n)).len();
    wait_until("the readers read", || seen(0).min(seen(1)) > 0);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        // Stats can be asked for at any time, and always balance.
        let watcher = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let stats = recorder.stats();
                assert_eq!(stats.accepted, stats.committed + stats.in_ring);
                assert_eq!(stats.degraded, None);
                thread::yield_now();
            }
        });
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|n| scope.spawn(move || produce(recorder, n)))
            .collect();
        let ended = producers.into_iter().map(thread::ScopedJoinHandle::join);
        let ended: Vec<_> = ended.collect();
        is_over.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
        ended.into_iter().for_each(|ended| ended.unwrap());
    });
    recorder.flush(PATIENCE).unwrap();
    wait_until("the readers saw it grow", || seen(0).min(seen(1)) > 1);
    child::say(place.path(), &format!("over {number}"));
    for reader in readers {
        reader.finish();
    }
    recorder.stats()
}

#[test]
#[ignore = "a child of another test"]
fn child_reads() {
    let Some((place, numbers)) = child::assignment() else {
        return;
    };
    let (round, _) = numbers.split_once(' ').unwrap();
    let mut notes = Notes::append(&place.join(format!("seen {numbers}")));
    let reader = Reader::open(place.join("usage.quipu")).unwrap();
    let (mut generation, mut before) = (0, 0);
    loop {
        let is_last = place.join(format!("over {round}")).exists();
        let snapshot = match reader.snapshot() {
            Ok(snapshot) => snapshot,
            Err(ReadError::Busy { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        if snapshot.generation() > generation {
            let now = sums::check_one_two(&snapshot);
            assert!(now >= before, "{before} records became {now}");
            (generation, before) = (snapshot.generation(), now);
            notes.note(now);
        }
        if is_last {
            return;
        }
    }
}

/// Grows a store to these limits, twice, with an opening in between.
fn grow(max_rows: u32, kept: u32, max_tenants: u32) {
    let what = format!("{max_rows} rows, {kept} days, {max_tenants} tenants");
    let place = Place::new();
    let builder = || {
        place
            .builder()
            .shard_capacity(1024)
            .flush_interval(Duration::from_millis(2))
            .max_rows(max_rows)
            .buckets_kept(kept)
            .max_tenants(max_tenants)
    };
    let mut size = 0;
    for rounds in 1..=2 {
        let recorder = builder().open(place.store()).unwrap();
        let stats = round(&place, &recorder, rounds);
        check(&recorder.snapshot(), kept.into(), rounds, &what);
        // The limits, and what is kept in reserve beyond them.
        let most = u64::from(max_rows) + u64::from(kept) + 40;
        assert!(stats.rows <= most, "{what}: {} rows", stats.rows);
        assert!(stats.tenants <= u64::from(max_tenants), "{what}");
        recorder.close(PATIENCE).unwrap();
        let reader = Reader::open(place.store()).unwrap();
        check(&reader.snapshot().unwrap(), kept.into(), rounds, &what);
        let found = quipu::verify(place.store()).unwrap();
        assert!(found.is_sound(), "{what}: {:?}", found.problems);
        size = fs::metadata(place.aggregate()).unwrap().len();
    }
    // No more than an extent beyond what the rows and names take.
    let rows = u64::from(max_rows.min(60_000)) + u64::from(kept) + 40;
    let names = u64::from(max_tenants).min(PRODUCERS * NAMES) * 300;
    assert!(
        size <= 2 * (rows * 512 + names) + (5 << 20),
        "{what}: {size}"
    );
    let recorder = builder().open(place.store()).unwrap();
    check(&recorder.snapshot(), kept.into(), 2, &what);
}

#[test]
fn f39_a_store_that_grows_while_others_read() {
    grow(1 << 20, 400, 1 << 17);
}

#[test]
fn f39_a_store_that_forgets_no_day_beyond_the_limit() {
    grow(1 << 20, 7, 1 << 17);
    grow(1 << 20, 1, 1 << 17);
}

#[test]
fn f39_a_store_with_few_rows_and_names() {
    grow(700, 400, 50);
    grow(40, 5, 1 << 17);
    grow(1, 2, 1);
}

/// Somebody else's bytes at the end of a file, or those of an extent that is
/// no longer counted, must not turn up in rows of the next one.
#[test]
fn what_lies_behind_the_last_extent_is_no_part_of_the_next() {
    let place = Place::new();
    let open = || {
        place
            .builder()
            .max_tenants(1 << 12)
            .open(place.store())
            .unwrap()
    };
    let recorder = open();
    recorder.record(one_two(&recorder, "m", "first")).unwrap();
    recorder.close(PATIENCE).unwrap();
    drop(recorder);
    let before = fs::metadata(place.aggregate()).unwrap().len();
    // As rows, all of these have values of generation 1.
    let ones = 1u64.to_le_bytes().repeat(1 << 19);
    let mut file = fs::File::options()
        .append(true)
        .open(place.aggregate())
        .unwrap();
    file.write_all(&ones).unwrap();

    let recorder = open();
    for n in 0..2000 {
        let usage = one_two(&recorder, "m", &format!("tenant {n}"));
        recorder.record_timeout(usage, PATIENCE).unwrap();
    }
    recorder.close(PATIENCE).unwrap();
    drop(recorder);
    let image = Image::read(&place.aggregate());
    let end: usize = image
        .extents()
        .iter()
        .map(|it| it.at + it.bytes)
        .max()
        .unwrap();
    assert!(end as u64 > before, "it grew over them");
    let recorder = open();
    assert!(
        recorder.set_aside().is_empty(),
        "{:?}",
        recorder.set_aside()
    );
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 2001);
    assert!(verify(place.store()).unwrap().is_sound());
}
