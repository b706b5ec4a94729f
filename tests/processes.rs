//! Readers in other processes, and writers that are killed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::child::{self, Helper, Notes};
use common::marks::{self, MARKS, mark};
use common::{PATIENCE, Place, builder_at, sums, wait_until};
use quipu::{Builder, ReadError, Reader, Recorder, TokenKind, UsageRecord, Writer};
use rustix::process::Signal;

fn one_two(recorder: &Recorder, model: &str, tenant: &str) -> UsageRecord {
    UsageRecord::new(recorder.model("provider", model).unwrap())
        .tenant(recorder.tenant(tenant).unwrap())
        .tokens(TokenKind::Input, 1)
        .tokens(TokenKind::Output, 2)
        .latency(Duration::from_millis(3))
}

/// Ends the producers, also when the test fails.
struct Enough<'a>(&'a AtomicBool);

impl Drop for Enough<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_reader_in_another_process_sees_whole_commits_only() {
    let place = Place::new();
    let builder = place.builder().flush_interval(Duration::from_millis(1));
    let recorder = builder.open(place.store()).unwrap();
    let readers: Vec<Helper> = (0..2)
        .map(|n| child::start("child_reads", place.path(), n.to_string()))
        .collect();
    let progress = |n| Notes::read(&place.path().join(format!("reader-{n}"))).len();
    let is_enough = AtomicBool::new(false);
    let accepted: u64 = thread::scope(|scope| {
        let enough = Enough(&is_enough);
        let threads: Vec<_> = (0..3)
            .map(|thread| {
                let (recorder, is_enough) = (recorder.clone(), &is_enough);
                scope.spawn(move || {
                    let mut accepted = 0;
                    while !is_enough.load(Ordering::Relaxed) {
                        // New names and new days all the while, so that rows
                        // and extents come while others read.
                        let tenant = format!("tenant {}", accepted % 23);
                        let model = format!("model {thread}");
                        let usage = one_two(&recorder, &model, &tenant);
                        let day = common::at((19_000 + accepted % 3) * 86_400);
                        accepted += recorder.record_batch(&[usage.at(day), usage]) as u64;
                        thread::yield_now();
                    }
                    accepted
                })
            })
            .collect();
        wait_until("both readers saw many commits", || {
            progress(0).min(progress(1)) >= 50
        });
        drop(enough);
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    recorder.close(PATIENCE).unwrap();
    for reader in readers {
        reader.finish();
    }
    for n in 0..2 {
        let seen = Notes::read(&place.path().join(format!("reader-{n}")));
        assert_eq!(seen.last(), Some(&accepted), "the last view is the whole");
    }
}

#[test]
#[ignore = "a child of another test"]
fn child_reads() {
    let Some((place, number)) = child::assignment() else {
        return;
    };
    let mut notes = Notes::append(&place.join(format!("reader-{number}")));
    let reader = Reader::open(place.join("usage.quipu")).unwrap();
    let mut generation = 0;
    let mut requests = 0;
    let mut tenants: Vec<(String, u64)> = Vec::new();
    loop {
        // Looked at first: what follows it is then the last view.
        let is_over = reader.status().unwrap().clean;
        let snapshot = match reader.snapshot() {
            Ok(snapshot) => snapshot,
            Err(ReadError::Busy { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        assert!(snapshot.generation() >= generation, "back in time");
        if snapshot.generation() > generation || is_over {
            let now = sums::check_one_two(&snapshot);
            assert!(now >= requests, "{requests} requests became {now}");
            for (tenant, before) in &tenants {
                let by_tenant = snapshot.by_tenant();
                let same = by_tenant.iter().find(|of| of.tenant == *tenant).unwrap();
                assert!(same.totals.requests >= *before, "{tenant} went back");
            }
            let first = snapshot.by_tenant().into_iter().take(5);
            tenants = first
                .map(|of| (of.tenant.to_string(), of.totals.requests))
                .collect();
            (generation, requests) = (snapshot.generation(), now);
            notes.note(requests);
        }
        if is_over {
            return;
        }
    }
}

/// Settings of the writer that is killed and of the one after it, by number:
/// geometry and flush intervals from constantly to never.
fn settings(place: &Path, number: u64) -> Builder {
    let (shards, capacity, millis) = match number % 5 {
        0 => (1, 2, 1),
        1 => (2, 16, 1),
        2 => (4, 64, 5),
        3 => (1, 4096, 3_600_000),
        _ => (2, 1024, 20),
    };
    builder_at(place)
        .shards(shards)
        .shard_capacity(capacity)
        .flush_interval(Duration::from_millis(millis))
}

const PRODUCERS: u64 = 3;

fn notes_of(place: &Path, producer: u64) -> std::path::PathBuf {
    place.join(format!("accepted-{producer}"))
}

/// Where a producer notes the first number of each run, before it offers it.
fn begun_by(place: &Path, producer: u64) -> std::path::PathBuf {
    place.join(format!("begun-{producer}"))
}

/// The numbers that each producer was told are accepted.
fn acknowledged(place: &Place) -> Vec<(String, Vec<u64>)> {
    (0..PRODUCERS)
        .map(|n| {
            (
                format!("producer {n}"),
                Notes::read(&notes_of(place.path(), n)),
            )
        })
        .collect()
}

#[test]
#[ignore = "a child of another test"]
fn child_writes_until_killed() {
    let Some((place, number)) = child::assignment() else {
        return;
    };
    let builder = settings(&place, number.parse().unwrap());
    let recorder = builder.open(place.join("usage.quipu")).unwrap();
    let threads: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let (recorder, place) = (recorder.clone(), place.clone());
            thread::spawn(move || write_until_killed(&recorder, &place, producer))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    child::wait_for_the_end();
}

fn write_until_killed(recorder: &Recorder, place: &Path, producer: u64) {
    let path = notes_of(place, producer);
    let model = recorder.model("provider", &format!("model {producer}"));
    let tenant = recorder.tenant(&format!("producer {producer}"));
    let usage = UsageRecord::new(model.unwrap()).tenant(tenant.unwrap());
    // The last run may have had a record accepted that it could not note, also
    // its very first: that number is left out, so that it can't be confused
    // with a new one.
    let begun = begun_by(place, producer);
    let last = |path| Notes::read(path).last().copied();
    let first = last(&path).max(last(&begun)).map_or(0, |last| last + 2);
    Notes::append(&begun).note(first);
    let mut notes = Notes::append(&path);
    for n in first..MARKS {
        if recorder.record_timeout(mark(usage, n), PATIENCE).is_ok() {
            notes.note(n);
        }
    }
}

/// Acknowledged ≤ counted ≤ attempted, and each at most once.
fn check_counted(
    place: &Path,
    counted: &marks::Counted,
    acknowledged: &[(String, Vec<u64>)],
    kills: u64,
) {
    let mut unknown = 0;
    for (tenant, numbers) in acknowledged {
        let nothing = Default::default();
        let counted = counted.get(tenant).unwrap_or(&nothing);
        for (n, times) in counted {
            assert_eq!(
                *times, 1,
                "number {n} of {tenant} was counted {times} times"
            );
        }
        for n in numbers {
            assert!(counted.contains_key(n), "number {n} of {tenant} was lost");
        }
        unknown += counted.len() - numbers.len();
        let producer = tenant.trim_start_matches("producer ").parse().unwrap();
        let begun = Notes::read(&begun_by(place, producer));
        for n in counted.keys() {
            let was_next = n
                .checked_sub(1)
                .is_none_or(|before| numbers.contains(&before));
            let was_first = begun.contains(n);
            assert!(
                numbers.binary_search(n).is_ok() || was_next || was_first,
                "number {n} of {tenant} was never offered"
            );
        }
    }
    assert!(
        unknown as u64 <= kills * PRODUCERS,
        "{unknown} counted and not acknowledged"
    );
}

#[test]
fn killed_at_any_instant_and_opened_again_with_another_geometry() {
    let place = Place::new();
    let mut committed_before = 0;
    for kill in 0..40u64 {
        let before: usize = acknowledged(&place).iter().map(|(_, n)| n.len()).sum();
        // From the very start of the process on, up to a thousand records
        // later.
        let wanted = match kill % 4 {
            0 => 0,
            1 => 1,
            _ => kill * 7919 % 1000,
        };
        let mut writer = child::start("child_writes_until_killed", place.path(), kill.to_string());
        wait_until("the child has recorded", || {
            assert!(!writer.has_ended(), "{}", writer.complaint());
            let now: usize = acknowledged(&place).iter().map(|(_, n)| n.len()).sum();
            now - before >= wanted as usize
        });
        if wanted == 0 {
            // Somewhere in the start, the opening, or the first records.
            thread::sleep(Duration::from_micros(kill * 311 % 9000));
        }
        writer.kill();
        let acknowledged = acknowledged(&place);
        if !place.aggregate().exists() {
            continue;
        }

        let seen = Reader::open(place.store()).unwrap();
        let status = seen.status().unwrap();
        assert_eq!(status.writer, Writer::Gone);
        let at_kill = sums::check(&seen.snapshot().unwrap()).requests;
        assert!(at_kill >= committed_before);
        let found = quipu::verify(place.store()).unwrap();
        assert!(found.is_sound(), "after kill {kill}: {:?}", found.problems);

        // Every second time the next child recovers, or is killed at it.
        if kill % 2 == 0 {
            committed_before = at_kill;
            continue;
        }
        let recorder = settings(place.path(), kill + 2)
            .open(place.store())
            .unwrap();
        let snapshot = recorder.snapshot();
        check_counted(
            place.path(),
            &marks::counted(&snapshot),
            &acknowledged,
            kill + 1,
        );
        let total = sums::check(&snapshot).requests;
        let stats = recorder.close(PATIENCE).unwrap();
        assert_eq!(stats.committed, total);
        assert_eq!(stats.accepted, total);
        assert_eq!(stats.rings_lost, 0);
        assert!(stats.holes <= (kill + 1) * PRODUCERS);
        assert!(quipu::verify(place.store()).unwrap().is_sound());
        committed_before = total;
    }
    let recorder = place.open();
    check_counted(
        place.path(),
        &marks::counted(&recorder.snapshot()),
        &acknowledged(&place),
        40,
    );
    assert!(
        recorder.stats().replayed > 0,
        "no kill left anything to replay"
    );
    drop(recorder);
    assert!(common::files_in(&place.ring_dir()).is_empty());
}

#[test]
fn a_reader_of_a_killed_writer_sees_the_last_commit() {
    let place = Place::new();
    let mut writer = child::start("child_leaves_records", place.path(), "");
    wait_until("the child is ready", || place.path().join("ready").exists());
    let reader = Reader::open(place.store()).unwrap();
    assert_eq!(reader.stats().unwrap().in_ring, 30);
    let status = reader.status().unwrap();
    assert_eq!(status.writer, Writer::Alive { pid: writer.pid() });
    writer.kill();
    // The reader from before and a new one.
    for reader in [reader, Reader::open(place.store()).unwrap()] {
        assert_eq!(sums::check_one_two(&reader.snapshot().unwrap()), 20);
        let status = reader.status().unwrap();
        assert_eq!((status.writer, status.clean), (Writer::Gone, false));
        let stats = reader.stats().unwrap();
        assert_eq!(
            (stats.committed, stats.in_ring, stats.accepted),
            (20, 30, 50)
        );
    }
    // A ring in another directory, of another shape.
    let builder = Recorder::builder()
        .shards(8)
        .shard_capacity(8)
        .ring_dir(place.path());
    let recorder = builder.open(place.store()).unwrap();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 50);
    let stats = recorder.stats();
    assert_eq!((stats.replayed, stats.holes, stats.rings_lost), (30, 0, 0));
    drop(recorder);
    assert!(common::files_in(&place.ring_dir()).is_empty());
    assert_eq!(place.open().stats().committed, 50);
}

/// 20 records that are committed and 30 that are only on the ring.
#[test]
#[ignore = "a child of another test"]
fn child_leaves_records() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let builder = builder_at(&place).flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(place.join("usage.quipu")).unwrap();
    let usage = one_two(&recorder, "m", "t");
    assert_eq!(recorder.record_batch(&[usage; 20]), 20);
    recorder.flush(PATIENCE).unwrap();
    assert_eq!(recorder.record_batch(&[usage; 30]), 30);
    fs::write(place.join("ready"), "").unwrap();
    child::wait_for_the_end();
}

fn leave_records(place: &Place) {
    let mut writer = child::start("child_leaves_records", place.path(), "");
    wait_until("the child is ready", || place.path().join("ready").exists());
    writer.kill();
}

#[test]
fn a_ring_that_is_gone_is_counted_as_lost() {
    let place = Place::new();
    leave_records(&place);
    for name in common::files_in(&place.ring_dir()) {
        fs::remove_file(place.ring_dir().join(name)).unwrap();
    }
    let recorder = place.open();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 20);
    let usage = one_two(&recorder, "m", "t");
    recorder.record(usage).unwrap();
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!(
        (stats.committed, stats.rings_lost, stats.replayed),
        (21, 1, 0)
    );
    let stats = place.open().stats();
    assert_eq!((stats.committed, stats.rings_lost), (21, 1));
}

#[test]
fn a_copied_store_leaves_the_ring_to_the_original() {
    let place = Place::new();
    leave_records(&place);
    let copy = place.path().join("copy.quipu");
    fs::create_dir(&copy).unwrap();
    for name in common::files_in(&place.store()) {
        fs::copy(place.store().join(&name), copy.join(&name)).unwrap();
    }
    let recorder = place.builder().open(&copy).unwrap();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 20);
    assert_eq!(recorder.stats().rings_lost, 1);
    drop(recorder);
    let recorder = place.open();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 50);
    assert_eq!(recorder.stats().rings_lost, 0);
}

#[test]
fn a_damaged_ring_is_refused_and_stays() {
    let place = Place::new();
    leave_records(&place);
    let ring = place
        .ring_dir()
        .join(&common::files_in(&place.ring_dir())[0]);
    let sound = fs::read(&ring).unwrap();
    let aggregate = fs::read(place.aggregate()).unwrap();
    let damages: [(&str, Vec<u8>); 4] = [
        ("empty", Vec::new()),
        ("half", sound[..sound.len() / 2].to_vec()),
        ("zeros", vec![0; sound.len()]),
        ("a huge capacity", {
            let mut bytes = sound.clone();
            bytes[64..72].copy_from_slice(&(1u64 << 60).to_le_bytes());
            bytes
        }),
    ];
    for (damage, bytes) in damages {
        fs::write(&ring, &bytes).unwrap();
        let error = place.builder().open(place.store()).unwrap_err();
        assert!(
            error.to_string().contains(ring.to_str().unwrap()),
            "{damage}: {error}"
        );
        assert_eq!(fs::read(&ring).unwrap(), bytes, "{damage}");
        assert_eq!(fs::read(place.aggregate()).unwrap(), aggregate, "{damage}");
        let reader = Reader::open(place.store()).unwrap();
        assert_eq!(sums::check_one_two(&reader.snapshot().unwrap()), 20);
    }
    fs::write(&ring, sound).unwrap();
    assert_eq!(sums::check_one_two(&place.open().snapshot()), 50);
}

#[test]
fn the_default_ring_survives_a_kill_too() {
    let place = Place::new();
    let mut writer = child::start("child_with_default_settings", place.path(), "");
    wait_until("the child is ready", || place.path().join("ready").exists());
    writer.kill();
    let recorder = Recorder::open(place.store()).unwrap();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 500);
    recorder.close(PATIENCE).unwrap();
}

#[test]
#[ignore = "a child of another test"]
fn child_with_default_settings() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let recorder = Recorder::open(place.join("usage.quipu")).unwrap();
    let usage = one_two(&recorder, "m", "t");
    for _ in 0..500 {
        recorder.record(usage).unwrap();
    }
    fs::write(place.join("ready"), "").unwrap();
    child::wait_for_the_end();
}

#[test]
fn a_stopped_writer_shows_as_stalled_and_goes_on() {
    let place = Place::new();
    let mut writer = child::start("child_writes_until_killed", place.path(), "1");
    let reader = || Reader::open(place.store()).ok();
    wait_until("the child has recorded", || {
        reader().is_some_and(|reader| reader.snapshot().unwrap().total().requests > 0)
    });
    let reader = reader().unwrap();
    writer.signal(Signal::STOP);
    wait_until("the reader notices", || {
        let Writer::Stalled { pid, silent_for } = reader.status().unwrap().writer else {
            return false;
        };
        pid == writer.pid() && silent_for > Duration::from_secs(1)
    });
    let stopped = reader.snapshot().unwrap().total().requests;
    assert!(reader.status().unwrap().age > Some(Duration::from_secs(1)));
    assert_eq!(reader.snapshot().unwrap().total().requests, stopped);
    writer.signal(Signal::CONT);
    wait_until("the writer is at work again", || {
        matches!(reader.status().unwrap().writer, Writer::Alive { .. })
    });
    writer.kill();
    let recorder = place.open();
    check_counted(
        place.path(),
        &marks::counted(&recorder.snapshot()),
        &acknowledged(&place),
        1,
    );
}
