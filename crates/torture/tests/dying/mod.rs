//! Children that kill themselves at a named point.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use std::{fs, thread};

use quipu::{Builder, Durability, Recorder, UsageRecord, fault};
use rustix::process::{Signal, getpid, kill_process};

use super::common::child::{self, Notes};
use super::common::marks::mark;
use super::common::{PATIENCE, Place, builder_at, wait_until};

/// Numbers that a child records and flushes first.
pub(crate) const COMMITTED: u64 = 20;
/// Numbers that it records after that.
pub(crate) const LOOSE: u64 = 350;

/// A point, and the how-manieth time somebody comes by it.
pub(crate) type Death = (&'static str, u64);

/// Lets a child do as `scenario` says until it dies.
pub(crate) fn die(place: &Place, scenario: &str, point: &str, nth: u64) {
    let argument = format!("{scenario}/{point}/{nth}");
    child::start("child_dies", place.path(), argument).wait_until_killed();
}

/// Numbers for which `record` returned, before the child died.
pub(crate) fn acknowledged(place: &Place) -> Vec<u64> {
    Notes::read(&place.path().join("accepted"))
}

/// The same with checkpoints each few milliseconds, and at the end.
pub(crate) fn with_checkpoints(builder: Builder) -> Builder {
    builder.durability(Durability::Checkpoint(Duration::from_millis(10)))
}

/// In a child: does as it was told.
pub(crate) fn child() {
    let Some((place, argument)) = child::assignment() else {
        return;
    };
    let [scenario, point, nth] = argument.split('/').collect::<Vec<_>>()[..] else {
        panic!("{argument}");
    };
    let nth = nth.parse().unwrap();
    let arm = || die_at(point.to_owned(), nth);
    // No commit but those that are asked for.
    let builder = builder_at(&place)
        .shards(1)
        .shard_capacity(2048)
        .flush_interval(Duration::from_secs(3600));
    let builder = match scenario {
        "writes checkpoints" => with_checkpoints(builder),
        "interns" => builder.max_name_len(32 * 1024),
        _ => builder,
    };
    if scenario == "opens" {
        arm();
    }
    let store = place.join("usage.quipu");
    let recorder = builder.open(&store).unwrap();
    assert_ne!(scenario, "opens", "it never came by the point");

    let mut notes = Notes::append(&place.join("accepted"));
    let tenant = recorder.tenant("t").unwrap();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap()).tenant(tenant);
    let mut record = |usage, n| {
        recorder.record(mark(usage, n)).unwrap();
        notes.note(n);
    };
    for n in 0..COMMITTED {
        record(usage, n);
    }
    recorder.flush(PATIENCE).unwrap();
    if scenario == "writes checkpoints" {
        let is_written = || recorder.stats().checkpoint == recorder.stats().generation;
        wait_until("the first checkpoint is written", is_written);
    }
    if scenario == "interns" {
        // Half of the first extent of names.
        recorder.tenant(&"a".repeat(30_000)).unwrap();
    }
    if scenario == "records behind a hole" {
        claim_and_stop(&recorder, mark(usage, COMMITTED + LOOSE));
    } else {
        arm();
    }
    let loose = COMMITTED..COMMITTED + LOOSE;
    match scenario {
        "records a batch" => {
            let batch: Vec<_> = loose.map(|n| mark(usage, n)).collect();
            recorder.record_batch(&batch);
        }
        "interns" => {
            recorder.tenant(&"b".repeat(20_000)).unwrap();
        }
        "grows" => {
            // Each with a name of its own, and a row.
            for n in COMMITTED..COMMITTED + 600 {
                let tenant = recorder.tenant(&format!("{n:0200}")).unwrap();
                record(usage.tenant(tenant), n);
            }
        }
        _ => loose.for_each(|n| record(usage, n)),
    }
    IS_RECORDED.store(true, Ordering::SeqCst);
    match scenario {
        "records behind a hole" => die_now(),
        // One more, at which it dies.
        "records" => record(usage, COMMITTED + LOOSE),
        "flushes without its file" => fs::remove_file(store.join("aggregate")).unwrap(),
        _ => {}
    }
    recorder.flush(PATIENCE).unwrap();
    if scenario == "writes checkpoints" {
        child::wait_for_the_end();
    }
    panic!("it never came by the point");
}

/// Lets another thread claim a slot, and never go on.
fn claim_and_stop(recorder: &Recorder, usage: UsageRecord) {
    let claimed = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&claimed);
    fault::set_point_hook(Some(Arc::new(move |name| {
        if name == "record: claimed" && seen.fetch_add(1, Ordering::SeqCst) == 0 {
            child::wait_for_the_end();
        }
    })));
    let recorder = recorder.clone();
    thread::spawn(move || recorder.record(usage));
    wait_until("a slot is claimed", || claimed.load(Ordering::SeqCst) > 0);
}

/// Set when all numbers are recorded.
static IS_RECORDED: AtomicBool = AtomicBool::new(false);

fn die_at(point: String, nth: u64) {
    let reached = AtomicU64::new(0);
    fault::set_point_hook(Some(Arc::new(move |name| {
        if name == point && reached.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            if name == "consumer: mid batch" {
                // It may be early: it was still awake after the first flush.
                let is_recorded = || IS_RECORDED.load(Ordering::SeqCst);
                wait_until("all is recorded", is_recorded);
            }
            die_now();
        }
    })));
}

fn die_now() -> ! {
    kill_process(getpid(), Signal::KILL).unwrap();
    child::wait_for_the_end()
}
