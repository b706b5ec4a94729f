//! The directory in which files meet the library: one for each process, in
//! shared memory where there is some.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use quipu::{Builder, Recorder};

use crate::base::ID;

/// Where beds are made; `run` sets it and removes what is left.
const DIR: &str = "QUIPU_FUZZ_DIR";
const SHARED_MEMORY: &str = "/dev/shm";

/// A store's directory and one for its ring.
#[derive(Debug)]
pub struct Bed {
    root: PathBuf,
}

impl Bed {
    /// That of this process.
    pub fn get() -> &'static Self {
        static BED: OnceLock<Bed> = OnceLock::new();
        BED.get_or_init(|| {
            let parent = std::env::var_os(DIR).map(PathBuf::from).unwrap_or_else(|| {
                let shared = Path::new(SHARED_MEMORY);
                if shared.is_dir() {
                    shared.into()
                } else {
                    std::env::temp_dir()
                }
            });
            // The path is in the file, so its length is always the same.
            Self::at(parent.join(format!("quipu-fuzz-{:010}", std::process::id())))
        })
    }

    /// A bed at this path.
    pub(crate) fn at(root: PathBuf) -> Self {
        let bed = Self { root };
        fs::create_dir_all(bed.store()).unwrap();
        fs::create_dir_all(bed.ring_dir()).unwrap();
        bed
    }

    pub fn store(&self) -> PathBuf {
        self.root.join("usage.quipu")
    }

    pub fn aggregate(&self) -> PathBuf {
        self.store().join("aggregate")
    }

    pub fn checkpoint(&self) -> PathBuf {
        self.store().join("checkpoint")
    }

    pub fn ring_dir(&self) -> PathBuf {
        self.root.join("ring")
    }

    /// A file beside the store.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A recorder that commits when it is told to.
    pub fn builder(&self) -> Builder {
        Recorder::builder()
            .shards(2)
            .shard_capacity(32)
            .flush_interval(Duration::from_secs(3600))
            .ring_dir(self.ring_dir())
    }

    /// Where the ring with this number belongs to the aggregate file that is
    /// there now.
    pub fn ring(&self, number: u64) -> PathBuf {
        let inode = fs::metadata(self.aggregate()).map_or(0, |file| file.ino());
        let [high, low] = ID;
        let name = format!("quipu-{high:016x}{low:016x}-{inode:x}-{number}.ring");
        self.ring_dir().join(name)
    }

    /// Removes everything but the aggregate file and the lock, which are used
    /// again.
    pub fn clear(&self) {
        for dir in [self.store(), self.ring_dir()] {
            for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
                let name = entry.file_name();
                if name != "aggregate" && name != "lock" {
                    fs::remove_file(entry.path()).unwrap();
                }
            }
        }
    }

    /// The same with the aggregate file.
    pub fn clear_all(&self) {
        self.clear();
        let _ = fs::remove_file(self.aggregate());
    }

    /// Where the aggregate file was set aside, if it was.
    pub(crate) fn set_aside(&self, recorder: &Recorder) -> Option<PathBuf> {
        let all = recorder.set_aside().iter();
        let mut live = all.filter(|it| it.original == self.aggregate());
        live.next().map(|it| it.path.clone())
    }
}
