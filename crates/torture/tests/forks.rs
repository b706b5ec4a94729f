//! Forks of a process that records. The child's recorder is closed, and what
//! it does with it doesn't concern its parent; a child that outlives its
//! parent doesn't hold the store.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "../../../tests/common/mod.rs"]
mod common;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use common::child::{self, Notes};
use common::marks::{self, mark};
use common::{PATIENCE, Place, builder_at, sums, wait_until};
use quipu::{FlushError, NameError, OpenError, Reader, RecordError, Recorder, UsageRecord, Writer};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, test_kill_process, waitpid};

/// One test at a time: a fork has all that the others hold, their locks too.
static TURN: Mutex<()> = Mutex::new(());

fn take_turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a forked child ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// At once, without anything else.
    Exit,
    /// With everything that the process registered for its end.
    OrderlyExit,
}

/// A fork of this process, killed when the test is over.
#[derive(Debug)]
struct Fork {
    pid: Pid,
}

/// Lets a fork of this process do `work`, which gives its exit code, and end.
fn fork(end: End, work: impl FnOnce() -> i32) -> Fork {
    // SAFETY: the child has this thread only. It allocates, which the C
    // library keeps possible, takes no lock that another thread may have held,
    // and ends below without returning to the test.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "{}", std::io::Error::last_os_error());
    if pid == 0 {
        let code = work();
        match end {
            // SAFETY: ends the process.
            End::Exit => unsafe { libc::_exit(code) },
            // SAFETY: as above.
            End::OrderlyExit => unsafe { libc::exit(code) },
        }
    }
    let pid = Pid::from_raw(pid).unwrap();
    Fork { pid }
}

impl Fork {
    /// Waits for the exit code.
    fn code(&mut self) -> i32 {
        let mut status = None;
        wait_until("the fork has ended", || {
            status = waitpid(Some(self.pid), WaitOptions::NOHANG).unwrap();
            status.is_some()
        });
        let (_, status) = status.unwrap();
        status.exit_status().expect("it was not killed")
    }
}

impl Drop for Fork {
    fn drop(&mut self) {
        // One that has ended and was waited for isn't found.
        if matches!(waitpid(Some(self.pid), WaitOptions::NOHANG), Ok(None)) {
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = waitpid(Some(self.pid), WaitOptions::empty());
        }
    }
}

/// In a fork: tries everything; gives the number of the first thing that was
/// not as it should be, 0 for none. Then the handle is dropped.
fn try_everything(recorder: Recorder, usage: UsageRecord) -> i32 {
    let closed = Err(RecordError::Closed);
    // Long enough to be noticed where somebody waits.
    let patience = Duration::from_secs(10);
    let is_right = [
        recorder.record(usage) == closed,
        recorder.record_batch(&[usage; 10]) == 0,
        recorder.record_timeout(usage, patience) == closed,
        recorder.flush(patience) == Err(FlushError::Closed),
        recorder.model("p", "m") == Err(NameError::Closed),
        recorder.tenant("a new one") == Err(NameError::Closed),
        recorder.close(patience).is_ok(),
        recorder.close(patience).is_ok(),
        recorder.record(usage) == closed,
    ];
    drop(recorder);
    let wrong = is_right.iter().position(|is_right| !is_right);
    wrong.map_or(0, |wrong| wrong as i32 + 1)
}

#[test]
fn f27_a_forked_child_is_closed_and_its_parent_goes_on() {
    let _turn = take_turn();
    for end in [End::Exit, End::OrderlyExit] {
        let place = Place::new();
        let recorder = place.open();
        let model = recorder.model("p", "m").unwrap();
        let usage = |n| mark(UsageRecord::new(model), n);
        recorder.record(usage(0)).unwrap();
        recorder.flush(PATIENCE).unwrap();
        // On the ring at the fork.
        recorder.record(usage(1)).unwrap();
        // The child has a handle of its own, so it drops the last but one, and
        // then one more than that.
        let clone = recorder.clone();
        let forks = [
            fork(end, || try_everything(clone, usage(2))),
            fork(end, || try_everything(recorder.clone(), usage(3))),
        ];
        recorder.record(usage(4)).unwrap();
        assert_eq!(forks.map(|mut fork| fork.code()), [0, 0]);

        let stats = recorder.stats();
        assert_eq!((stats.attempted, stats.rejected), (3, 0), "{end:?}");
        let status = Reader::open(place.store()).unwrap().status().unwrap();
        let pid = std::process::id();
        assert_eq!(status.writer, Writer::Alive { pid });
        assert_eq!(common::files_in(&place.ring_dir()).len(), 1);
        // Another process finds the lock held.
        let me = pid.to_string();
        child::start("child_is_told", place.path(), me).finish();
        recorder.record(usage(5)).unwrap();
        recorder.flush(PATIENCE).unwrap();
        let expected = marks::once([(String::new(), vec![0, 1, 4, 5])]);
        assert_eq!(marks::counted(&recorder.snapshot()), expected);
        let stats = recorder.close(PATIENCE).unwrap();
        assert_eq!((stats.committed, stats.holes), (4, 0), "{end:?}");
        let recorder = place.open();
        assert_eq!(marks::counted(&recorder.snapshot()), expected);
        assert_eq!(recorder.stats().replayed, 0);
    }
}

#[test]
fn f27_the_last_handle_dropped_in_the_child() {
    let _turn = take_turn();
    let place = Place::new();
    let recorder = place.open();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    recorder.record(mark(usage, 0)).unwrap();
    // SAFETY: the copy is dropped in the child only, which has the memory to
    // itself; here it is forgotten.
    let copy = std::mem::ManuallyDrop::new(unsafe { std::ptr::read(&raw const recorder) });
    let mut fork = fork(End::Exit, || {
        try_everything(std::mem::ManuallyDrop::into_inner(copy), usage)
    });
    assert_eq!(fork.code(), 0);
    recorder.record(mark(usage, 1)).unwrap();
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!((stats.committed, stats.attempted), (2, 2));
}

#[test]
fn f27_without_files_too() {
    let _turn = take_turn();
    let recorder = Recorder::in_memory();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    recorder.record(usage).unwrap();
    let clone = recorder.clone();
    let mut fork = fork(End::Exit, || try_everything(clone, usage));
    recorder.record(usage).unwrap();
    assert_eq!(fork.code(), 0);
    assert_eq!(recorder.close(PATIENCE).unwrap().attempted, 2);
}

#[test]
fn f27_the_child_is_told_who_holds_the_store() {
    let _turn = take_turn();
    let place = Place::new();
    let recorder = place.open();
    let (builder, store) = (place.builder(), place.store());
    let parent = std::process::id();
    let mut fork = fork(End::Exit, || match builder.open(&store) {
        Err(OpenError::InUse { pid, .. }) if pid == Some(parent) => 0,
        _ => 1,
    });
    assert_eq!(fork.code(), 0);
    // The child has closed the lock's file, which must not end the lock.
    child::start("child_is_told", place.path(), parent.to_string()).finish();
    recorder.close(PATIENCE).unwrap();
}

#[test]
fn f27_while_several_threads_record() {
    let _turn = take_turn();
    const PRODUCERS: u64 = 4;
    let place = Place::new();
    let builder = place.builder().flush_interval(Duration::from_millis(1));
    let recorder = builder.open(place.store()).unwrap();
    let model = recorder.model("p", "m").unwrap();
    let is_over = AtomicBool::new(false);
    let recorded = AtomicU64::new(0);
    let accepted: Vec<(String, Vec<u64>)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..PRODUCERS)
            .map(|producer| {
                let (recorder, is_over, recorded) = (recorder.clone(), &is_over, &recorded);
                scope.spawn(move || {
                    let name = producer.to_string();
                    let tenant = recorder.tenant(&name).unwrap();
                    let usage = UsageRecord::new(model).tenant(tenant);
                    let mut n = 0;
                    while !is_over.load(Ordering::Relaxed) && n < marks::MARKS {
                        recorder.record_timeout(mark(usage, n), PATIENCE).unwrap();
                        recorded.fetch_add(1, Ordering::Relaxed);
                        n += 1;
                        thread::yield_now();
                    }
                    (name, (0..n).collect())
                })
            })
            .collect();
        for n in 1..=30 {
            wait_until("some more are recorded", || {
                recorded.load(Ordering::Relaxed) >= n * 100
            });
            let clone = recorder.clone();
            let mut fork = fork(End::Exit, || try_everything(clone, UsageRecord::new(model)));
            assert_eq!(fork.code(), 0, "fork {n}");
        }
        is_over.store(true, Ordering::Relaxed);
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    recorder.flush(PATIENCE).unwrap();
    let count: u64 = accepted.iter().map(|(_, n)| n.len() as u64).sum();
    let expected = marks::once(accepted);
    assert!(marks::counted(&recorder.snapshot()) == expected);
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!((stats.committed, stats.holes), (count, 0));
    assert_eq!((stats.attempted, stats.rejected), (count, 0));
    assert!(marks::counted(&place.open().snapshot()) == expected);
}

#[test]
fn f27_while_another_thread_interns_names() {
    let _turn = take_turn();
    let place = Place::new();
    let recorder = place.open();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    let is_over = AtomicBool::new(false);
    let named = thread::scope(|scope| {
        let namer = scope.spawn(|| {
            let mut n = 0;
            while !is_over.load(Ordering::Relaxed) && n < 100_000 {
                recorder.tenant(&format!("tenant {n}")).unwrap();
                n += 1;
            }
            n
        });
        for n in 0..200 {
            let clone = recorder.clone();
            let mut fork = fork(End::Exit, || try_everything(clone, usage));
            assert_eq!(fork.code(), 0, "fork {n}");
        }
        is_over.store(true, Ordering::Relaxed);
        namer.join().unwrap()
    });
    let stats = recorder.close(PATIENCE).unwrap();
    assert_eq!((stats.tenants, stats.attempted), (named, 0));
}

#[test]
fn f26_a_forked_child_outlives_the_writer_that_was_killed() {
    let _turn = take_turn();
    let place = Place::new();
    let mut writer = child::start("child_forks_and_waits", place.path(), "");
    writer.wait_until_ready(place.path());
    let forked = Notes::read(&place.path().join("forked"))[0];
    let forked = Pid::from_raw(i32::try_from(forked).unwrap()).unwrap();
    writer.kill();
    assert!(test_kill_process(forked).is_ok(), "the fork lives");
    let status = Reader::open(place.store()).unwrap().status().unwrap();
    assert_eq!((status.writer, status.clean), (Writer::Gone, false));

    let recorder = place.open();
    assert!(test_kill_process(forked).is_ok(), "the fork still lives");
    let expected = marks::once([(String::new(), (0..50).collect())]);
    assert_eq!(marks::counted(&recorder.snapshot()), expected);
    let stats = recorder.stats();
    assert_eq!((stats.replayed, stats.holes, stats.rings_lost), (30, 0, 0));
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    recorder.record(mark(usage, 50)).unwrap();
    kill_process(forked, Signal::KILL).unwrap();
    assert_eq!(recorder.close(PATIENCE).unwrap().committed, 51);
    sums::check(&place.open().snapshot());
}

#[test]
#[ignore = "a child of another test"]
fn child_forks_and_waits() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let builder = builder_at(&place).flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(place.join("usage.quipu")).unwrap();
    let usage = UsageRecord::new(recorder.model("p", "m").unwrap());
    let record = |numbers: std::ops::Range<u64>| {
        for n in numbers {
            recorder.record(mark(usage, n)).unwrap();
        }
    };
    record(0..20);
    recorder.flush(PATIENCE).unwrap();
    record(20..30);
    let fork = fork(End::Exit, || {
        // It has the store's files open and mapped, and uses what it has; not
        // for ever, should nobody end it.
        for _ in 0..600 {
            let _ = recorder.record(usage);
            // SAFETY: sleeps.
            unsafe { libc::usleep(100_000) };
        }
        0
    });
    record(30..50);
    Notes::append(&place.join("forked"))
        .note(fork.pid.as_raw_nonzero().get().unsigned_abs().into());
    child::say_ready(&place);
    child::wait_for_the_end();
}

#[test]
#[ignore = "a child of another test"]
fn child_is_told() {
    let Some((place, holder)) = child::assignment() else {
        return;
    };
    let told = |place: &Path| match builder_at(place).open(place.join("usage.quipu")) {
        Err(OpenError::InUse { pid, .. }) => pid,
        other => panic!("{other:?}"),
    };
    assert_eq!(told(&place), Some(holder.parse().unwrap()));
}
