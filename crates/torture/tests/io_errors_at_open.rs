//! Errors of the system while a store is opened: EIO, a signal, a short write,
//! at each call. Either the open failed, with the system's error and nothing
//! half made, or it succeeded; and the next one has everything.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod seam;

use common::sums::{check_one_two, one_two};
use common::{PATIENCE, Place, files_in};
use quipu::{OpenError, Recorder};
use rustix::io::Errno;
use seam::Seam;
use seam::leftovers::{self, ALL, Leftovers};
use seam::plan::{Plan, sweep};

const EIO: i32 = Errno::IO.raw_os_error();
const ENOSPC: i32 = Errno::NOSPC.raw_os_error();

/// Opens under `plan`; gives the recorder, if any, and whether the fault was
/// met. An error must be the system's: one that can't be read is not damaged.
fn open_under(seam: &Seam, plan: &Plan, place: &Place) -> (Option<Recorder>, bool) {
    let armed = plan.arm(seam, place.path());
    let opened = place.builder().open(place.store());
    let is_met = armed.end();
    match opened {
        Ok(recorder) => (Some(recorder), is_met),
        Err(OpenError::Io { source, .. }) if is_met => {
            let errno = source.raw_os_error();
            assert!([Some(EIO), Some(ENOSPC)].contains(&errno), "{plan:?}");
            (None, is_met)
        }
        Err(error) => panic!("{plan:?}: {error}"),
    }
}

/// Counts one more and closes.
fn count_one(recorder: &Recorder, plan: &Plan, expected: u64) {
    recorder.record(one_two(recorder, "m", "t")).unwrap();
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!(stats.committed, expected, "{plan:?}");
    assert_eq!(check_one_two(&recorder.snapshot()), expected, "{plan:?}");
}

/// Also row 20: there is no room at any of the calls.
#[test]
fn f21_errors_while_a_store_is_created() {
    let seam = Seam::take();
    let met = sweep(&[EIO, ENOSPC], |plan| {
        let place = Place::new();
        let (opened, is_met) = open_under(&seam, plan, &place);
        let mut counted = 0;
        if let Some(recorder) = opened {
            counted += 1;
            count_one(&recorder, plan, counted);
        } else if place.store().exists() {
            for name in files_in(&place.store()) {
                // Whoever can't remove leaves what the next open replaces.
                let is_left = name == "aggregate.new" && plan.call == "remove";
                let is_whole = ["lock", "aggregate"].contains(&&*name);
                assert!(is_whole || is_left, "{plan:?}: {name}");
            }
            if place.aggregate().exists() {
                assert!(quipu::verify(place.store()).unwrap().is_sound(), "{plan:?}");
            }
        }
        let recorder = place.open();
        assert!(recorder.set_aside().is_empty(), "{plan:?}: {recorder:?}");
        assert_eq!(recorder.stats().rings_lost, 0, "{plan:?}");
        count_one(&recorder, plan, counted + 1);
        assert!(quipu::verify(place.store()).unwrap().is_sound(), "{plan:?}");
        assert_eq!(files_in(&place.store()), ["aggregate", "lock"], "{plan:?}");
        assert_eq!(files_in(&place.ring_dir()), [""; 0], "{plan:?}");
        is_met
    });
    assert!(met > 40, "{met} faults were met");
}

/// Opens what was left, with the bytes `aggregate`, under each fault, and then
/// without: everything is there once, and `set_aside` files were set aside.
fn check_open(seam: &Seam, left: &Leftovers, aggregate: &[u8], set_aside: usize) {
    let met = sweep(&[EIO], |plan| {
        left.put_back(aggregate);
        let (opened, is_met) = open_under(seam, plan, &left.place);
        let mut counted = ALL;
        if let Some(recorder) = opened {
            counted += 1;
            count_one(&recorder, plan, counted);
        }
        let recorder = left.place.open();
        assert_eq!(check_one_two(&recorder.snapshot()), counted, "{plan:?}");
        let stats = recorder.stats();
        assert_eq!((stats.rings_lost, stats.lost), (0, 0), "{plan:?}");
        count_one(&recorder, plan, counted + 1);
        assert!(
            quipu::verify(left.place.store()).unwrap().is_sound(),
            "{plan:?}"
        );
        let aside: Vec<_> = files_in(&left.place.store())
            .into_iter()
            .filter(|name| name.starts_with("aggregate."))
            .collect();
        assert_eq!(aside.len(), set_aside, "{plan:?}: {aside:?}");
        for name in aside {
            let bytes = std::fs::read(left.place.store().join(name)).unwrap();
            assert!(bytes == aggregate, "{plan:?}");
        }
        is_met
    });
    assert!(met > 40, "{met} faults were met");
}

#[test]
fn f21_errors_while_a_ring_is_replayed() {
    let seam = Seam::take();
    let left = Leftovers::leave();
    check_open(&seam, &left, &left.aggregate, 0);
}

#[test]
fn f21_errors_while_a_damaged_file_is_set_aside_for_the_checkpoint() {
    let seam = Seam::take();
    let left = Leftovers::leave();
    let mut damaged = left.aggregate.clone();
    // Rows; the commit block and the names are behind and before them.
    let rows = damaged.windows(8).position(|word| word == b"QPU-ROWS");
    damaged[rows.unwrap() + 4096..][..1024].fill(0xaa);
    check_open(&seam, &left, &damaged, 1);
}

#[test]
fn f21_errors_while_a_file_gives_way_to_a_newer_checkpoint() {
    let seam = Seam::take();
    let left = Leftovers::leave();
    check_open(&seam, &left, &left.early, 1);
}

#[test]
#[ignore = "a child of another test"]
fn child_leaves_a_checkpoint() {
    leftovers::child();
}
