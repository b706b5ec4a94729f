//! A user who may read a store and not write it: the reader needs no more, and
//! the writer says what it lacks and changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs::{self, File, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::child::{self, Helper};
use common::sums::{self, one_two};
use common::{PATIENCE, Place, builder_at, leftovers, wait_until};
use quipu::{Durability, OpenError, Reader, Writer};

/// A user who owns nothing.
const USER: u32 = 65_534;

/// Starts a child that has no rights but those that modes give it. The modes
/// here give the owner no more than others, so that without privileges this
/// user will do. `None` where the child could not so much as see the place.
fn start(entry: &str, place: &Place, argument: &str) -> Option<Helper> {
    if !rustix::process::geteuid().is_root() {
        return Some(child::start(entry, place.path(), argument));
    }
    let above = place.path().ancestors().skip(1);
    let mut closed = above.filter(|dir| fs::metadata(dir).unwrap().permissions().mode() & 1 == 0);
    if let Some(dir) = closed.next() {
        eprintln!("skipped: {} is closed to other users", dir.display());
        return None;
    }
    match child::start_as(USER, entry, place.path(), argument) {
        Ok(helper) => Some(helper),
        Err(error) => {
            eprintln!("skipped: no child can be another user's: {error}");
            None
        }
    }
}

/// Modes of the parts of a place. Whoever drops it may do everything again,
/// also remove the directories.
struct Modes<'a>(&'a Place);

/// Of the store, of its lock and aggregate, of the ring's directory, and of
/// the ring.
type FiveModes = [u32; 5];

const READ_ONLY: FiveModes = [0o555, 0o444, 0o444, 0o555, 0o444];
const ALL: FiveModes = [0o777, 0o666, 0o666, 0o777, 0o666];

impl<'a> Modes<'a> {
    fn set(place: &'a Place, modes: FiveModes) -> Self {
        let this = Self(place);
        set_mode(place.path(), 0o755);
        this.apply(modes);
        this
    }

    fn apply(&self, [store, lock, aggregate, ring_dir, ring]: FiveModes) {
        let place = self.0;
        for name in common::files_in(&place.ring_dir()) {
            set_mode(&place.ring_dir().join(name), ring);
        }
        set_mode(&place.store().join("lock"), lock);
        set_mode(&place.aggregate(), aggregate);
        set_mode(&place.store(), store);
        set_mode(&place.ring_dir(), ring_dir);
    }
}

impl Drop for Modes<'_> {
    fn drop(&mut self) {
        // Directories first: without them nothing in them can be reached.
        set_mode(self.0.path(), 0o755);
        set_mode(&self.0.store(), 0o755);
        set_mode(&self.0.ring_dir(), 0o755);
        self.apply(ALL);
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn f19_what_is_created_is_for_its_owner_and_group() {
    let place = Place::new();
    let durability = Durability::Checkpoint(Duration::from_millis(10));
    let recorder = place.builder().durability(durability);
    let recorder = recorder.open(place.store()).unwrap();
    recorder.record(one_two(&recorder, "m", "t")).unwrap();
    recorder.flush(PATIENCE).unwrap();
    wait_until("there is a checkpoint", || recorder.stats().checkpoint > 0);
    let mut paths = vec![place.store()];
    for dir in [place.store(), place.ring_dir()] {
        let names = common::files_in(&dir).into_iter();
        // One that is just being written may be gone when it is looked at.
        let names = names.filter(|name| !name.ends_with(".new"));
        paths.extend(names.map(|name| dir.join(name)));
    }
    // Directory, lock, live file, checkpoint, ring.
    assert_eq!(paths.len(), 5, "{paths:?}");
    for path in paths {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o007, 0, "{}: {mode:o}", path.display());
    }
}

#[test]
fn f19_a_reader_beside_a_writer_needs_no_right_to_write() {
    let place = Place::new();
    let builder = place.builder().flush_interval(Duration::from_millis(1));
    let recorder = builder.open(place.store()).unwrap();
    let modes = Modes::set(&place, READ_ONLY);
    let writer = std::process::id().to_string();
    let Some(mut reader) = start("child_reads_beside_a_writer", &place, &writer) else {
        return;
    };
    let mut recorded = 0;
    wait_until("the reader has seen enough", || {
        // New names, so that the file grows.
        let tenant = format!("tenant {}", recorded % 1000);
        let usage = one_two(&recorder, "m", &tenant);
        recorder.record_timeout(usage, PATIENCE).unwrap();
        recorded += 1;
        reader.has_ended()
    });
    reader.finish();
    drop(modes);
    assert_eq!(recorder.close(PATIENCE).unwrap().committed, recorded);
}

#[test]
#[ignore = "a child of another test"]
fn child_reads_beside_a_writer() {
    let Some((place, pid)) = child::assignment() else {
        return;
    };
    let store = place.join("usage.quipu");
    assert_not_writable(&store.join("aggregate"));
    let reader = Reader::open(&store).unwrap();
    let mut seen = 0;
    for _ in 0..20 {
        wait_until("there is more", || {
            let Ok(snapshot) = reader.snapshot() else {
                return false;
            };
            let before = std::mem::replace(&mut seen, sums::check_one_two(&snapshot));
            seen > before
        });
    }
    let pid = pid.parse().unwrap();
    assert_eq!(reader.status().unwrap().writer, Writer::Alive { pid });
    assert!(quipu::verify(&store).unwrap().is_sound());
}

/// Otherwise the test shows nothing.
fn assert_not_writable(path: &Path) {
    let error = File::options().write(true).open(path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[test]
fn f19_a_reader_after_a_writer_needs_no_right_to_write() {
    let place = Place::new();
    leftovers::leave(&place);
    for left in ["20 30 killed", "50 0 closed"] {
        let before = place.contents();
        let modes = Modes::set(&place, READ_ONLY);
        let Some(reader) = start("child_reads_what_is_left", &place, left) else {
            return;
        };
        reader.finish();
        drop(modes);
        assert_eq!(place.contents(), before, "{left}");
        place.open().close(PATIENCE).unwrap();
    }
}

#[test]
#[ignore = "a child of another test"]
fn child_reads_what_is_left() {
    let Some((place, left)) = child::assignment() else {
        return;
    };
    let store = place.join("usage.quipu");
    assert_not_writable(&store.join("aggregate"));
    let reader = Reader::open(&store).unwrap();
    sums::check_one_two(&reader.snapshot().unwrap());
    let stats = reader.stats().unwrap();
    let status = reader.status().unwrap();
    assert_eq!(status.writer, Writer::Gone);
    let end = if status.clean { "closed" } else { "killed" };
    let found = format!("{} {} {end}", stats.committed, stats.in_ring);
    assert_eq!(found, left);
    assert!(quipu::verify(&store).unwrap().is_sound());
}

/// A child's writer must be refused, with an error that names what it wanted
/// to do with which file.
fn check_refused(place: &Place, modes: FiveModes, action: &str, path: &Path) -> Option<()> {
    let before = place.contents();
    let set = Modes::set(place, modes);
    let expected = format!("can't {action} {}: ", path.display());
    start("child_is_refused", place, &expected)?.finish();
    drop(set);
    assert!(place.contents() == before, "something changed: {expected}");
    Some(())
}

#[test]
#[ignore = "a child of another test"]
fn child_is_refused() {
    let Some((place, expected)) = child::assignment() else {
        return;
    };
    match builder_at(&place).open(place.join("usage.quipu")) {
        Err(error) => assert_denied(&error, &expected),
        Ok(_) => panic!("opened, and not: {expected}"),
    }
}

fn assert_denied(error: &OpenError, expected: &str) {
    let OpenError::Io {
        action,
        path,
        source,
    } = error
    else {
        panic!("{error}, and not: {expected}");
    };
    assert_eq!(format!("can't {action} {}: ", path.display()), expected);
    assert_eq!(source.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn f19_a_writer_that_lacks_a_right_says_which_and_changes_nothing() {
    let place = Place::new();
    leftovers::leave(&place);
    let lock = place.store().join("lock");
    let name = &common::files_in(&place.ring_dir())[0];
    let ring = place.ring_dir().join(name);
    let next = place.ring_dir().join(name.replace("-1.ring", "-2.ring"));
    let cases: [(FiveModes, &str, PathBuf); 6] = [
        (READ_ONLY, "open", lock.clone()),
        ([0o000, 0o666, 0o666, 0o777, 0o666], "open", lock),
        (
            [0o555, 0o666, 0o444, 0o777, 0o666],
            "open",
            place.aggregate(),
        ),
        (
            [0o555, 0o666, 0o000, 0o777, 0o666],
            "open",
            place.aggregate(),
        ),
        ([0o555, 0o666, 0o666, 0o777, 0o444], "open", ring),
        ([0o555, 0o666, 0o666, 0o555, 0o666], "create", next),
    ];
    for (modes, action, path) in cases {
        if check_refused(&place, modes, action, &path).is_none() {
            return;
        }
    }
    let recorder = place.open();
    assert_eq!(sums::check_one_two(&recorder.snapshot()), 50);
    assert_eq!(recorder.stats().rings_lost, 0);
}

#[test]
fn f19_a_store_that_may_not_be_created() {
    let place = Place::new();
    set_mode(place.path(), 0o555);
    let expected = format!("can't create the directory {}: ", place.store().display());
    if let Some(writer) = start("child_is_refused", &place, &expected) {
        writer.finish();
    }
    set_mode(place.path(), 0o755);
    assert_eq!(common::files_in(place.path()), ["ring"]);
}

#[test]
fn f19_what_may_not_be_read_is_said_and_a_reader_from_before_goes_on() {
    for shut in [
        [0o555, 0o444, 0o000, 0o555, 0o444],
        [0o000, 0o444, 0o444, 0o555, 0o444],
    ] {
        let place = Place::new();
        leftovers::leave(&place);
        let modes = Modes::set(&place, READ_ONLY);
        // The child has something to say.
        set_mode(place.path(), 0o777);
        fs::remove_file(place.path().join("ready")).unwrap();
        let Some(mut reader) = start("child_reads_until_it_may_not", &place, "") else {
            return;
        };
        reader.wait_until_ready(place.path());
        modes.apply(shut);
        fs::write(place.path().join("shut"), "").unwrap();
        reader.finish();
    }
}

#[test]
#[ignore = "a child of another test"]
fn child_reads_until_it_may_not() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let store = place.join("usage.quipu");
    let reader = Reader::open(&store).unwrap();
    child::say_ready(&place);
    wait_until("the store is shut", || place.join("shut").exists());
    let expected = format!("can't open {}: ", store.join("aggregate").display());
    assert_denied(&Reader::open(&store).unwrap_err(), &expected);
    assert_denied(&quipu::verify(&store).unwrap_err(), &expected);
    assert_eq!(sums::check_one_two(&reader.snapshot().unwrap()), 20);
}

#[test]
#[ignore = "a child of another test"]
fn child_leaves_records() {
    leftovers::child();
}
