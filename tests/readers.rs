//! Readers in another process than the writer's, while it is at work and after
//! it was killed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::child::{self, Helper, Notes};
use common::sums::{self, one_two};
use common::{PATIENCE, Place, leftovers, wait_until};
use quipu::{ReadError, Reader, Recorder, Writer};

/// Ends the producers, also when the test fails.
struct Enough<'a>(&'a AtomicBool);

impl Drop for Enough<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn f28_a_reader_in_another_process_sees_whole_commits_only() {
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

#[test]
fn a_reader_of_a_killed_writer_sees_the_last_commit() {
    let place = Place::new();
    let mut writer = leftovers::start(&place);
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

#[test]
#[ignore = "a child of another test"]
fn child_leaves_records() {
    leftovers::child();
}

#[test]
fn verify_finds_nothing_wrong_beside_a_writer() {
    let place = Place::new();
    let builder = place.builder().flush_interval(Duration::from_millis(1));
    let recorder = builder.open(place.store()).unwrap();
    let usages: Vec<_> = (0..2000)
        .map(|n| one_two(&recorder, "m", &format!("tenant {n}")))
        .collect();
    let is_enough = AtomicBool::new(false);
    thread::scope(|scope| {
        let enough = Enough(&is_enough);
        let writer = scope.spawn(|| {
            while !is_enough.load(Ordering::Relaxed) {
                for usage in &usages {
                    recorder.record_timeout(*usage, PATIENCE).unwrap();
                }
            }
        });
        wait_until("every tenant has a row", || recorder.stats().rows > 2000);
        for _ in 0..20 {
            let found = quipu::verify(place.store()).unwrap();
            assert!(found.is_sound(), "{:?}", found.problems.first());
            assert!(found.records > 2000 && !writer.is_finished());
        }
        drop(enough);
    });
}
