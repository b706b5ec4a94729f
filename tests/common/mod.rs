//! What the integration tests share.

// Each test binary uses a part of it.
#![allow(dead_code)]

pub(crate) mod by_the_page;
pub(crate) mod child;
pub(crate) mod counts;
pub(crate) mod image;
pub(crate) mod leftovers;
pub(crate) mod marks;
pub(crate) mod sums;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use quipu::{Builder, Recorder};
use tempfile::TempDir;

/// How long a condition that must come true may take, also on a machine that
/// is busy with something else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A temporary directory with room for a store and for its ring.
#[derive(Debug)]
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("ring")).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path().join("usage.quipu")
    }

    pub(crate) fn aggregate(&self) -> PathBuf {
        self.store().join("aggregate")
    }

    /// Where the ring's file is, so that a test that fails leaves nothing in
    /// shared memory.
    pub(crate) fn ring_dir(&self) -> PathBuf {
        self.path().join("ring")
    }

    /// What is in the store's directory and in the ring's, as far as a test
    /// can tell whether somebody touched it.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Found> {
        contents(&[&self.store(), &self.ring_dir()])
    }

    /// A builder of a recorder with a small ring.
    pub(crate) fn builder(&self) -> Builder {
        builder_at(self.path())
    }

    /// Opens the store with a small ring.
    pub(crate) fn open(&self) -> Recorder {
        self.builder().open(self.store()).unwrap()
    }
}

/// What has a name in a directory: inode, kind, and the bytes of a file or the
/// target of a symbolic link.
pub(crate) type Found = (u64, u32, Vec<u8>);

/// Everything in these directories, without what is in directories in them.
pub(crate) fn contents(dirs: &[&Path]) -> BTreeMap<PathBuf, Found> {
    let paths = dirs
        .iter()
        .flat_map(|dir| files_in(dir).into_iter().map(|name| dir.join(name)));
    paths
        .map(|path| {
            let metadata = fs::symlink_metadata(&path).unwrap();
            let bytes = match metadata.file_type() {
                kind if kind.is_file() => fs::read(&path).unwrap(),
                kind if kind.is_symlink() => {
                    let target = fs::read_link(&path).unwrap();
                    target.into_os_string().into_encoded_bytes()
                }
                _ => Vec::new(),
            };
            (path, (metadata.ino(), metadata.mode() >> 12, bytes))
        })
        .collect()
}

/// The builder for the [`Place`] at `path`; for children, which know only the
/// path.
pub(crate) fn builder_at(path: &Path) -> Builder {
    Recorder::builder()
        .shards(2)
        .shard_capacity(256)
        .ring_dir(path.join("ring"))
}

/// Waits until `is` says so; fails the test after [`PATIENCE`].
pub(crate) fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_micros(200));
    }
}

/// A moment, in seconds since 1970.
pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Names of the files in a directory, sorted.
pub(crate) fn files_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
