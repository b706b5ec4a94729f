//! Errors of the system while a store is in use: EIO, a full disk, a signal, a
//! short write, at each call. `record` goes on; when the fault is over the
//! store recovers by itself and has everything once.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod seam;

use std::fs;
use std::time::Duration;

use common::sums::{check_one_two, one_two};
use common::{PATIENCE, Place, at, wait_until};
use quipu::fault::Verdict;
use quipu::{Builder, CloseError, Durability, FlushError, Recorder, UsageRecord};
use rustix::io::Errno;
use seam::Seam;
use seam::plan::{Plan, sweep};

const ERRNOS: [i32; 2] = [Errno::IO.raw_os_error(), Errno::NOSPC.raw_os_error()];

fn builder(place: &Place) -> Builder {
    place
        .builder()
        .flush_interval(Duration::from_millis(2))
        .max_name_len(32 * 1024)
}

fn count(recorder: &Recorder, records: usize) {
    let usage = one_two(recorder, "m", "t");
    assert_eq!(recorder.record_batch(&vec![usage; records]), records);
}

/// A flush that may have met the fault.
fn flush(recorder: &Recorder, plan: &Plan) {
    match recorder.flush(PATIENCE) {
        Ok(()) => {}
        Err(FlushError::Degraded(reason)) => assert!(!reason.is_empty()),
        Err(error) => panic!("{plan:?}: {error}"),
    }
}

/// Nobody does anything: the store is written all the same.
fn wait_until_recovered(recorder: &Recorder, plan: &Plan) {
    wait_until(&format!("the store has recovered from {plan:?}"), || {
        let stats = recorder.stats();
        stats.degraded.is_none() && stats.unwritten == 0 && stats.in_ring == 0
    });
}

/// Closes and opens again: `records` are there, and nothing is wrong.
fn reopen(place: &Place, recorder: Recorder, plan: &Plan, records: u64) -> Recorder {
    let closed = recorder.close(PATIENCE);
    assert_eq!(closed.unwrap().committed, records, "{plan:?}");
    drop(recorder);
    let verified = quipu::verify(place.store()).unwrap();
    assert!(verified.is_sound(), "{plan:?}: {verified:?}");
    let reopened = place.open();
    let stats = reopened.stats();
    assert!(reopened.set_aside().is_empty(), "{plan:?}");
    assert_eq!(stats.committed, records, "{plan:?}");
    assert_eq!((stats.lost, stats.rings_lost), (0, 0), "{plan:?}");
    reopened
}

#[test]
fn f21_errors_while_rows_and_names_grow() {
    let seam = Seam::take();
    let met = sweep(&ERRNOS, |plan| {
        let place = Place::new();
        let recorder = builder(&place).open(place.store()).unwrap();
        count(&recorder, 5);
        recorder.flush(PATIENCE).unwrap();
        let armed = plan.arm(&seam, place.path());
        // The names fill an extent, the days one of rows.
        let long = "long ".repeat(5000);
        for n in 0..3u64 {
            let model = recorder.model("p", &format!("{n} {long}")).unwrap();
            for day in 0..120u64 {
                let usage = UsageRecord::new(model).at(at(86_400 * (19_000 + day)));
                recorder.record_timeout(usage, PATIENCE).unwrap();
            }
        }
        flush(&recorder, plan);
        let is_met = armed.end();
        wait_until_recovered(&recorder, plan);
        let reopened = reopen(&place, recorder, plan, 365);
        let models = reopened.snapshot().by_model();
        for n in 0..3 {
            let name = format!("{n} {long}");
            let of = models.iter().find(|of| of.model == *name);
            assert_eq!(of.unwrap().totals.requests, 120, "{plan:?}");
        }
        is_met
    });
    assert!(met > 50, "{met} faults were met");
}

#[test]
fn f21_errors_while_a_checkpoint_is_written() {
    let seam = Seam::take();
    let met = sweep(&ERRNOS, |plan| {
        let place = Place::new();
        let durability = Durability::Checkpoint(Duration::from_millis(10));
        let recorder = builder(&place).durability(durability);
        let recorder = recorder.open(place.store()).unwrap();
        let is_safe = |recorder: &Recorder| {
            let stats = recorder.stats();
            stats.checkpoint == stats.generation
        };
        count(&recorder, 5);
        recorder.flush(PATIENCE).unwrap();
        wait_until("there is a checkpoint", || is_safe(&recorder));
        let armed = plan.arm(&seam, &place.store());
        count(&recorder, 3);
        flush(&recorder, plan);
        wait_until("a checkpoint was tried", || {
            armed.has_struck() || recorder.stats().unwritten == 0 && is_safe(&recorder)
        });
        let is_met = armed.end();
        wait_until_recovered(&recorder, plan);
        wait_until("the checkpoint was written", || is_safe(&recorder));
        let reopened = reopen(&place, recorder, plan, 8);
        drop(reopened);
        // What was declared safe is: without the live file it is all there.
        fs::remove_file(place.aggregate()).unwrap();
        let restored = place.open();
        assert_eq!(check_one_two(&restored.snapshot()), 8, "{plan:?}");
        is_met
    });
    assert!(met > 50, "{met} faults were met");
}

#[test]
fn f21_errors_while_a_store_is_closed() {
    let seam = Seam::take();
    let met = sweep(&ERRNOS, |plan| {
        let place = Place::new();
        let recorder = place
            .builder()
            .durability(Durability::Checkpoint(PATIENCE))
            .open(place.store())
            .unwrap();
        count(&recorder, 5);
        recorder.flush(PATIENCE).unwrap();
        count(&recorder, 3);
        let armed = plan.arm(&seam, place.path());
        let closed = recorder.close(PATIENCE);
        drop(recorder);
        let is_met = armed.end();
        // What was not finished is not left behind.
        let draft = place.store().join("checkpoint.new");
        assert!(plan.call == "remove" || !draft.exists(), "{plan:?}");
        match closed {
            Ok(stats) => assert_eq!(stats.committed, 8, "{plan:?}"),
            Err(CloseError::Degraded(reason)) => assert!(is_met && !reason.is_empty()),
            Err(error) => panic!("{plan:?}: {error}"),
        }
        let reopened = place.open();
        assert_eq!(check_one_two(&reopened.snapshot()), 8, "{plan:?}");
        drop(reopen(&place, reopened, plan, 8));
        is_met
    });
    assert!(met > 20, "{met} faults were met");
}

/// The live file is taken away and written anew from memory; with
/// `is_put_back` the old one comes back in the middle of that.
fn take_away(seam: &Seam, is_put_back: bool) {
    let met = sweep(&ERRNOS, |plan| {
        let place = Place::new();
        let recorder = builder(&place).open(place.store()).unwrap();
        count(&recorder, 5);
        recorder.flush(PATIENCE).unwrap();
        let armed = plan.arm(seam, place.path());
        let away = place.path().join("away");
        fs::rename(place.aggregate(), &away).unwrap();
        count(&recorder, 3);
        flush(&recorder, plan);
        if is_put_back && !place.aggregate().exists() {
            fs::rename(&away, place.aggregate()).unwrap();
        }
        let is_met = armed.end();
        wait_until_recovered(&recorder, plan);
        count(&recorder, 2);
        let reopened = reopen(&place, recorder, plan, 10);
        assert_eq!(check_one_two(&reopened.snapshot()), 10, "{plan:?}");
        is_met
    });
    assert!(met > 40, "{met} faults were met");
}

#[test]
fn f21_errors_while_a_file_is_written_anew() {
    let seam = Seam::take();
    take_away(&seam, false);
}

#[test]
fn f21_errors_while_a_file_is_written_anew_and_the_old_one_comes_back() {
    let seam = Seam::take();
    take_away(&seam, true);
}

#[test]
fn f21_a_file_system_that_can_not_allocate() {
    let seam = Seam::take();
    seam.on_calls(|call| match call.name {
        "allocate" => Verdict::Fail(Errno::OPNOTSUPP.into()),
        _ => Verdict::Go,
    });
    let place = Place::new();
    let recorder = builder(&place).open(place.store()).unwrap();
    count(&recorder, 5);
    recorder.flush(PATIENCE).unwrap();
    let before = fs::metadata(place.aggregate()).unwrap().len();
    // More rows and names than a new file has room for.
    for n in 0..5 {
        let name = format!("{n} {}", "long ".repeat(5000));
        let model = recorder.model("p", &name).unwrap();
        for day in 0..100u64 {
            let usage = UsageRecord::new(model).at(at(86_400 * (19_000 + day)));
            recorder.record_timeout(usage, PATIENCE).unwrap();
        }
    }
    recorder.flush(PATIENCE).unwrap();
    assert!(fs::metadata(place.aggregate()).unwrap().len() > before);
    assert_eq!(recorder.close(PATIENCE).unwrap().committed, 505);
    drop(recorder);
    assert!(quipu::verify(place.store()).unwrap().is_sound());
    let snapshot = place.open().snapshot();
    assert_eq!(snapshot.total().requests, 505);
    assert_eq!(snapshot.by_model().len(), 6);
}
