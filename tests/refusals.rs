//! What is no store, and what lies where a file of a store belongs, is refused
//! untouched (I11); what belongs to others is left alone.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use common::leftovers::Kept;
use common::sums::{check_one_two, one_two};
use common::{PATIENCE, Place};
use quipu::{Durability, OpenError, Reader};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

/// Something to put in place of a file: what the refusal says, and how to make
/// it at a path, given a file of somebody else. `false` where this process may
/// not make it.
type Put = (&'static str, fn(&Path, &Path) -> bool);

const PUT: [Put; 8] = [
    ("symbolic link", |at, other| symlink(other, at).is_ok()),
    ("symbolic link", |at, other| {
        symlink(other.with_extension("nowhere"), at).is_ok()
    }),
    ("symbolic link", |at, _| symlink(at, at).is_ok()),
    ("directory", |at, _| fs::create_dir(at).is_ok()),
    ("hard link", |at, other| fs::hard_link(other, at).is_ok()),
    ("FIFO", |at, _| node(at, FileType::Fifo)),
    ("socket", |at, _| UnixListener::bind(at).is_ok()),
    ("device", |at, _| node(at, FileType::CharacterDevice)),
];

/// The device is the one that `/dev/null` is.
fn node(at: &Path, kind: FileType) -> bool {
    mknodat(CWD, at, kind, Mode::from_raw_mode(0o600), makedev(1, 3)).is_ok()
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
}

/// A file of somebody else, in a directory of its own.
struct Other {
    file: PathBuf,
    before: BTreeMap<PathBuf, common::Found>,
}

impl Other {
    fn new(place: &Place) -> Self {
        let dir = place.path().join("other");
        fs::create_dir(&dir).unwrap();
        let file = dir.join("file");
        fs::copy(place.aggregate(), &file).unwrap();
        let before = common::contents(&[&dir]);
        Self { file, before }
    }

    fn assert_untouched(&self, what: &str) {
        let now = common::contents(&[self.file.parent().unwrap()]);
        assert!(now == self.before, "{what}: followed");
    }
}

/// Puts each thing in place of `file`: a writer says what it found, touches
/// nothing, and finds everything as it was when that is gone. `readers` says
/// whether readers can do without the file.
fn put_in_place_of(file: impl Fn(&Kept) -> PathBuf, readers: bool) {
    let kept = Kept::new();
    let place = &kept.place;
    let other = Other::new(place);
    for (complaint, put) in PUT {
        let at = file(&kept);
        let before = fs::read(&at).ok();
        remove(&at);
        if !put(&at, &other.file) {
            eprintln!("skipped: no {complaint} can be made here");
            continue;
        }
        let contents = place.contents();
        let what = format!("{complaint} at {}", at.display());
        let durability = Durability::Checkpoint(PATIENCE);
        for builder in [place.builder(), place.builder().durability(durability)] {
            let error = builder.open(place.store()).unwrap_err();
            assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains(complaint), "{text:?} without {complaint:?}");
            assert!(text.contains(at.to_str().unwrap()), "{text}");
        }
        let reader = Reader::open(place.store());
        let verified = quipu::verify(place.store());
        if readers {
            assert!(verified.unwrap().is_sound(), "{what}");
            let reader = reader.unwrap();
            assert_eq!(check_one_two(&reader.snapshot().unwrap()), 4, "{what}");
            let _ = (reader.stats().unwrap(), reader.status().unwrap());
        } else {
            for error in [reader.unwrap_err(), verified.unwrap_err()] {
                assert!(error.to_string().contains(complaint), "{error}");
            }
        }
        assert!(place.contents() == contents, "{what}: touched");
        other.assert_untouched(&what);

        remove(&at);
        if let Some(before) = before {
            fs::write(&at, before).unwrap();
        }
        kept.put_back();
        let recorder = place.open();
        assert_eq!(check_one_two(&recorder.snapshot()), 7, "{what}");
        drop(recorder);
        kept.put_back();
    }
}

#[test]
fn f18_in_place_of_the_aggregate() {
    put_in_place_of(|kept| kept.place.aggregate(), false);
}

#[test]
fn f18_in_place_of_the_lock() {
    put_in_place_of(|kept| kept.place.store().join("lock"), true);
}

#[test]
fn f18_in_place_of_the_checkpoint() {
    put_in_place_of(|kept| kept.place.store().join("checkpoint"), true);
}

#[test]
fn f18_in_place_of_the_ring() {
    put_in_place_of(Kept::ring_path, true);
}

/// A name under which only drafts are: what is there is replaced, and never
/// followed. A directory can't be replaced.
#[test]
fn f18_in_place_of_a_draft() {
    for (complaint, put) in PUT {
        for name in ["aggregate.new", "checkpoint.new"] {
            let place = Place::new();
            fs::create_dir(place.store()).unwrap();
            fs::write(place.aggregate(), "somebody's").unwrap();
            let other = Other::new(&place);
            fs::remove_file(place.aggregate()).unwrap();
            let at = place.store().join(name);
            if !put(&at, &other.file) {
                eprintln!("skipped: no {complaint} can be made here");
                continue;
            }
            // A link to the other file changes its number of links only.
            let what = format!("{complaint} at {name}");
            let builder = place.builder().durability(Durability::Checkpoint(PATIENCE));
            let recorder = match builder.open(place.store()) {
                Ok(recorder) => recorder,
                Err(error) => {
                    assert_eq!((complaint, name), ("directory", "aggregate.new"));
                    assert!(error.to_string().contains(name), "{error}");
                    assert!(!place.aggregate().exists());
                    continue;
                }
            };
            let usage = one_two(&recorder, "m", "t");
            recorder.record(usage).unwrap();
            match recorder.close(PATIENCE) {
                Ok(stats) => {
                    assert_eq!(stats.checkpoint, stats.generation, "{what}");
                    assert!(fs::symlink_metadata(&at).is_err(), "{what} is there");
                }
                Err(error) => {
                    assert_eq!((complaint, name), ("directory", "checkpoint.new"));
                    assert!(error.to_string().contains(name), "{error}");
                    assert!(at.is_dir());
                }
            }
            let reader = Reader::open(place.store()).unwrap();
            assert_eq!(check_one_two(&reader.snapshot().unwrap()), 1, "{what}");
            other.assert_untouched(&what);
        }
    }
}

#[test]
fn f18_in_place_of_the_next_ring() {
    for (complaint, put) in PUT {
        let kept = Kept::new();
        let place = &kept.place;
        let other = Other::new(place);
        let last = kept.ring_path();
        let next = last.to_str().unwrap().replace("-1.ring", "-2.ring");
        if !put(Path::new(&next), &other.file) {
            eprintln!("skipped: no {complaint} can be made here");
            continue;
        }
        match place.builder().open(place.store()) {
            Ok(recorder) => {
                assert_eq!(check_one_two(&recorder.snapshot()), 7);
                let there = fs::symlink_metadata(&next).unwrap();
                assert!(there.is_file(), "{complaint}");
            }
            Err(error) => {
                assert_eq!(complaint, "directory");
                assert!(error.to_string().contains(&next), "{error}");
                assert_eq!(fs::read(last).unwrap(), kept.ring);
            }
        }
        other.assert_untouched(complaint);
    }
}

#[test]
fn f18_a_store_that_is_not_there_or_is_a_file() {
    let place = Place::new();
    assert!(Reader::open(place.store()).unwrap_err().is_not_found());
    fs::create_dir(place.store()).unwrap();
    let error = Reader::open(place.store()).unwrap_err().to_string();
    assert!(error.contains("no file `aggregate` in it"), "{error}");
    fs::remove_dir(place.store()).unwrap();
    fs::write(place.store(), "something").unwrap();
    assert!(matches!(
        place.builder().open(place.store()),
        Err(OpenError::NotAStore { .. })
    ));
    assert_eq!(fs::read(place.store()).unwrap(), b"something");
    let deep = place.path().join("a/b/c");
    assert!(place.builder().open(deep).unwrap_err().is_not_found());
    assert!(!place.path().join("a").exists());
}

/// Names that nobody but a neighbour gives, some of them close to ours.
const IN_THE_STORE: [&str; 14] = [
    "notes.txt",
    "Aggregate",
    "aggregate.",
    "aggregate~",
    ".aggregate.swp",
    "aggregate.old",
    "aggregate.new.txt",
    "aggregate.2020-01-01T000000Z.mine",
    "checkpoint.old",
    "checkpoints",
    "lock.txt",
    "quipu.ring",
    "quipu-notes-1.ring",
    "core",
];

#[test]
fn f24_files_of_others_are_left_alone() {
    let kept = Kept::new();
    let place = &kept.place;
    let mut others: Vec<_> = IN_THE_STORE
        .iter()
        .map(|name| place.store().join(name))
        .collect();
    let ring = kept.ring_path();
    let ring = ring.file_name().unwrap().to_str().unwrap();
    let prefix = ring.strip_suffix("1.ring").unwrap();
    for name in [
        format!("{prefix}notes.ring"),
        format!("{prefix}.ring"),
        format!("{prefix}007.ring"),
        format!("{prefix}+7.ring"),
        format!("{prefix}7.ring.bak"),
        format!("{prefix}7"),
        format!("a-{prefix}7.ring"),
        ring.replacen("quipu-", "quipu-0", 1),
    ] {
        others.push(place.ring_dir().join(name));
    }
    for path in &others {
        fs::write(path, path.to_str().unwrap()).unwrap();
    }
    let assert_there = |when: &str| {
        for path in &others {
            let bytes = fs::read(path).unwrap_or_default();
            let name = path.to_str().unwrap();
            assert!(bytes == name.as_bytes(), "{name}: touched {when}");
        }
    };
    let inside = place.store().join("directory");
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("aggregate"), "mine").unwrap();

    let mut expected = 7;
    for when in ["by the replay", "by an open", "by a restore", "by damage"] {
        let checkpoint = place.store().join("checkpoint");
        if when == "by a restore" {
            fs::write(place.aggregate(), "no store").unwrap();
        }
        if when == "by damage" {
            fs::write(place.aggregate(), "no store").unwrap();
            fs::write(checkpoint, "no checkpoint").unwrap();
            expected = 0;
        }
        let builder = place.builder().durability(Durability::Checkpoint(PATIENCE));
        let recorder = builder.open(place.store()).unwrap();
        assert_eq!(check_one_two(&recorder.snapshot()), expected, "{when}");
        assert_there(when);
        recorder.record(one_two(&recorder, "m", "t")).unwrap();
        expected += 1;
        recorder.close(PATIENCE).unwrap();
        assert_there(when);
        assert_eq!(fs::read(inside.join("aggregate")).unwrap(), b"mine");
    }
    assert_eq!(common::files_in(&inside), ["aggregate"]);
}

#[test]
fn an_open_that_fails_leaves_nothing_behind() {
    let place = Place::new();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    // No ring can be created in any of these.
    for dir in ["/proc", file.to_str().unwrap(), "/nonexistent"] {
        let error = place.builder().ring_dir(dir).open(place.store());
        assert!(
            matches!(error, Err(OpenError::Io { .. })),
            "{dir}: {error:?}"
        );
        assert!(!place.store().exists(), "{dir}");
    }
    // What was there before stays.
    fs::create_dir(place.store()).unwrap();
    fs::write(place.store().join("notes.txt"), "mine").unwrap();
    place
        .builder()
        .ring_dir("/proc")
        .open(place.store())
        .unwrap_err();
    assert_eq!(common::files_in(&place.store()), ["notes.txt"]);
    place.open().close(PATIENCE).unwrap();
    place
        .builder()
        .ring_dir("/proc")
        .open(place.store())
        .unwrap_err();
    assert_eq!(
        common::files_in(&place.store()),
        ["aggregate", "lock", "notes.txt"]
    );
    assert!(quipu::verify(place.store()).unwrap().is_sound());
}
