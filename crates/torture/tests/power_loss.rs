//! Power cuts: whatever the disk has kept of what was not synced, the store
//! opens with the counts of one commit, and with `Durability::Checkpoint` with
//! one that is not older than the last checkpoint.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod power_model;
mod seam;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::{PATIENCE, Place, at, builder_at, wait_until};
use power_model::{Disk, State, image::Dice};
use quipu::fault::Verdict;
use quipu::{Builder, Durability, ModelTotals, Recorder, RowTotals, Snapshot, UsageRecord};
use seam::Seam;

/// Images of each run, unless the variable says otherwise.
const IMAGES: usize = 300;
const IMAGES_VARIABLE: &str = "QUIPU_POWER_IMAGES";

/// Of the points that each row and each word of a name passes, one in so many
/// is an instant at which the power may go.
const SELDOM: u64 = 37;

/// All that a commit counted.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    rows: Vec<RowTotals>,
    models: Vec<ModelTotals>,
}

impl Counts {
    fn of(snapshot: &Snapshot) -> Self {
        Self {
            rows: snapshot.rows(),
            models: snapshot.by_model(),
        }
    }

    fn requests(&self) -> u64 {
        self.rows.iter().map(|row| row.totals.requests).sum()
    }
}

/// What each generation counted.
#[derive(Debug)]
struct History(Vec<(u64, Counts)>);

impl History {
    fn note(&mut self, recorder: &Recorder) {
        let snapshot = recorder.snapshot();
        let generation = recorder.stats().generation;
        self.0.push((generation, Counts::of(&snapshot)));
    }

    /// The newest generation that counted this.
    fn find(&self, counts: &Counts) -> Option<u64> {
        let same = self.0.iter().rev().find(|(_, noted)| noted == counts);
        same.map(|(generation, _)| *generation)
    }
}

/// A builder of writers that commit when they are told to.
fn builder(place: &Path, durability: Durability) -> Builder {
    builder_at(place)
        .shards(1)
        .shard_capacity(4096)
        .flush_interval(Duration::from_secs(3600))
        .max_name_len(16 * 1024)
        .durability(durability)
}

/// Three lives of a store, with growth of rows and names.
fn live(seed: u64, durability: Durability, place: &Place, disk: &Disk) -> History {
    let mut dice = Dice(seed);
    let mut history = History(vec![(0, Counts::of(&Recorder::in_memory().snapshot()))]);
    for life in 0..3u64 {
        let builder = builder(place.path(), durability);
        let recorder = builder.open(place.store()).unwrap();
        history.note(&recorder);
        disk.declare(recorder.stats().checkpoint);
        for step in 0..4u64 {
            let name = format!("model {life} {}", "long ".repeat(dice.below(2000)));
            recorder.model("provider", &name).unwrap();
            // Some rows are new, most have counts already: both versions of
            // them are sound, so that only all together show what is mixed.
            let model = recorder.model("provider", &format!("model {}", life / 2));
            let tenant = recorder.tenant(&format!("tenant {}", step / 2));
            let usage = UsageRecord::new(model.unwrap()).tenant(tenant.unwrap());
            for n in 0..dice.below(50) as u64 {
                let day = at(86_400 * (19_000 + n));
                let usage = usage.at(day).cost_nanos(1 << n);
                let latency = Duration::from_millis(n % 2);
                recorder.record(usage.latency(latency)).unwrap();
            }
            recorder.flush(PATIENCE).unwrap();
            history.note(&recorder);
            let committed = recorder.stats().generation;
            if durability != Durability::Process && dice.below(2) == 0 {
                wait_until("a checkpoint has all that was committed", || {
                    recorder.stats().checkpoint >= committed
                });
            }
            disk.declare(recorder.stats().checkpoint);
            if dice.below(2) == 0 {
                disk.write_back(&mut dice);
            }
        }
        let stats = recorder.close(PATIENCE).unwrap();
        history.note(&recorder);
        if durability != Durability::Process {
            assert_eq!(stats.checkpoint, stats.generation);
        }
        disk.declare(stats.checkpoint);
    }
    history
}

/// Opens what a cut has left: it must be the counts of one commit, none older
/// than what was declared safe.
fn check(image: &Path, state: &State, history: &History) -> u64 {
    let store = image.join("usage.quipu");
    let recorder = builder(image, Durability::Process).open(&store);
    let recorder = recorder.unwrap_or_else(|error| panic!("it doesn't open: {error}"));
    let aside = format!("{:?}", recorder.set_aside());
    let counts = Counts::of(&recorder.snapshot());
    let stats = recorder.stats();
    assert_eq!(stats.committed, counts.requests(), "{aside}");
    let generation = history.find(&counts);
    let generation = generation.unwrap_or_else(|| {
        panic!(
            "{} requests, as after no commit; {aside}",
            counts.requests()
        );
    });
    assert!(
        generation >= state.declared,
        "generation {generation}, but {} was declared safe; {aside}",
        state.declared
    );
    let verified = quipu::verify(&store).unwrap();
    assert!(verified.is_sound(), "{verified:?}");
    let usage = UsageRecord::new(recorder.model("provider", "after the cut").unwrap());
    recorder.record(usage).unwrap();
    assert_eq!(
        recorder.close(PATIENCE).unwrap().committed,
        counts.requests() + 1
    );
    generation
}

/// Cuts the power of a store that lives with `durability` at many instants.
fn cut_often(seed: u64, durability: Durability) {
    let seam = Seam::take();
    let place = Place::new();
    let disk = Arc::new(Disk::new(&place.store()));
    let (calls, points) = (Arc::clone(&disk), Arc::clone(&disk));
    seam.on_calls(move |call| {
        calls.call(call);
        Verdict::Go
    });
    let passed = AtomicU64::new(0);
    seam.on_points(move |point| {
        let is_frequent = point.starts_with("record") || point.starts_with("consumer");
        let is_seldom = ["commit: mid row", "names: half written"].contains(&point);
        if is_frequent
            || is_seldom
                && !passed
                    .fetch_add(1, Ordering::Relaxed)
                    .is_multiple_of(SELDOM)
        {
            return;
        }
        points.point(point);
    });
    let history = live(seed, durability, &place, &disk);
    seam.clear();

    let states = disk.states();
    let images = std::env::var(IMAGES_VARIABLE).map_or(IMAGES, |n| n.parse().unwrap());
    let mut found = std::collections::BTreeMap::<u64, usize>::new();
    for number in 0..images {
        let mut dice = Dice(seed ^ (number as u64) << 32);
        // Spread over the whole run.
        let state = &states[number * states.len() / images];
        let image = Place::new();
        state.cut(&mut dice, &image.store());
        seam.boot(number as u64 + 1);
        let checked = std::panic::catch_unwind(|| check(image.path(), state, &history));
        let generation = checked.unwrap_or_else(|_| {
            panic!("run {seed}, image {number}, cut before: {}", state.at);
        });
        *found.entry(generation).or_default() += 1;
        let left = fs::read_dir(image.store()).unwrap().count();
        assert!(left < 12, "drafts pile up");
    }
    println!(
        "run {seed}: {} instants, {images} images; of each generation: {found:?}",
        states.len(),
    );
}

#[test]
fn a_power_cut_costs_no_record_that_a_checkpoint_has() {
    for seed in 1..=3 {
        cut_often(seed, Durability::Checkpoint(Duration::from_millis(10)));
    }
}

#[test]
fn a_power_cut_without_checkpoints_leaves_no_mixed_counts() {
    for seed in 11..=12 {
        cut_often(seed, Durability::Process);
    }
}
