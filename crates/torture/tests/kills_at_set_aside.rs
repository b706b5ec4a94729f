//! Writers that are killed while a damaged file gives way to the checkpoint,
//! and the ring of the file before is replayed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod seam;

use common::sums::check_one_two;
use common::{PATIENCE, builder_at, child, wait_until};
use quipu::fault::POINTS;
use rustix::process::{Signal, getpid, kill_process};
use seam::Seam;
use seam::leftovers::{self, ALL, Leftovers};

/// Opens what was left with the bytes `aggregate`, and is killed at each point
/// in turn, and at some of them in the attempt after that.
fn kill_at_each_point(left: &Leftovers, aggregate: &[u8]) -> usize {
    let mut kills = 0;
    for first in POINTS {
        for again in [
            None,
            Some("recovery: mid replay"),
            Some("create: before the rename"),
        ] {
            left.put_back(aggregate);
            if !is_killed_at(left, first) {
                break;
            }
            kills += 1;
            kills += usize::from(again.is_some_and(|point| is_killed_at(left, point)));
            let what = format!("killed at {first:?} and {again:?}");
            let recorder = left.place.open();
            assert_eq!(check_one_two(&recorder.snapshot()), ALL, "{what}");
            let stats = recorder.stats();
            assert_eq!((stats.rings_lost, stats.lost), (0, 0), "{what}");
            recorder.close(PATIENCE).unwrap();
            let verified = quipu::verify(left.place.store()).unwrap();
            assert!(verified.is_sound(), "{what}: {verified:?}");
            let names = common::files_in(&left.place.store());
            let kept = names.iter().filter(|name| {
                let path = left.place.store().join(name);
                name.starts_with("aggregate.") && std::fs::read(path).unwrap() == aggregate
            });
            assert_eq!(kept.count(), 1, "{what}: {names:?}");
        }
    }
    kills
}

/// Whether a child that opens the store comes by `point`, where it is killed.
fn is_killed_at(left: &Leftovers, point: &str) -> bool {
    let place = left.place.path();
    std::fs::remove_file(place.join("ready")).unwrap_or_default();
    let mut writer = child::start("child_opens_and_is_killed", place, point);
    wait_until("the child is done", || {
        place.join("ready").exists() || writer.has_ended()
    });
    !place.join("ready").exists()
}

#[test]
#[ignore = "a child of another test"]
fn child_opens_and_is_killed() {
    let Some((place, at)) = child::assignment() else {
        return;
    };
    let seam = Seam::take();
    seam.on_points(move |point| {
        if point == at {
            kill_process(getpid(), Signal::KILL).unwrap();
        }
    });
    let recorder = builder_at(&place).open(place.join("usage.quipu")).unwrap();
    child::say_ready(&place);
    // Not closed, as after a kill.
    std::mem::forget(recorder);
}

#[test]
fn f06_killed_while_a_damaged_file_gives_way_to_the_checkpoint() {
    let left = Leftovers::leave();
    let mut damaged = left.aggregate.clone();
    let rows = damaged.windows(8).position(|word| word == b"QPU-ROWS");
    damaged[rows.unwrap() + 4096..][..1024].fill(0xaa);
    let kills = kill_at_each_point(&left, &damaged);
    assert!(kills > 15, "{kills} kills");
}

#[test]
fn f06_killed_while_an_old_file_gives_way_to_the_checkpoint() {
    let left = Leftovers::leave();
    let kills = kill_at_each_point(&left, &left.early);
    assert!(kills > 15, "{kills} kills");
}

#[test]
#[ignore = "a child of another test"]
fn child_leaves_a_checkpoint() {
    leftovers::child();
}
