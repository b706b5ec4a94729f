//! What a killed writer leaves: 20 records that are committed and 30 that are
//! only on the ring.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use super::child::{self, Helper};
use super::sums::one_two;
use super::{PATIENCE, Place, builder_at, files_in};

/// Starts the writer, and waits until it has recorded. The test binary's
/// ignored test `child_leaves_records` must call [`child`].
pub(crate) fn start(place: &Place) -> Helper {
    let mut writer = child::start("child_leaves_records", place.path(), "");
    writer.wait_until_ready(place.path());
    writer
}

/// Leaves a store and a ring whose writer was killed.
pub(crate) fn leave(place: &Place) {
    start(place).kill();
}

/// In a child: the writer.
pub(crate) fn child() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let builder = builder_at(&place).flush_interval(Duration::from_secs(3600));
    let recorder = builder.open(place.join("usage.quipu")).unwrap();
    let usage = one_two(&recorder, "m", "t");
    assert_eq!(recorder.record_batch(&[usage; 20]), 20);
    recorder.flush(PATIENCE).unwrap();
    assert_eq!(recorder.record_batch(&[usage; 30]), 30);
    child::say_ready(&place);
    child::wait_for_the_end();
}

/// What a writer leaves that is killed right after its last record, kept so
/// that it can be put back as often as a test likes.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) place: Place,
    pub(crate) aggregate: Vec<u8>,
    pub(crate) ring: Vec<u8>,
    ring_name: String,
}

impl Kept {
    /// Four records that are committed, and three that are only on a ring of
    /// eight slots.
    pub(crate) fn new() -> Self {
        let place = Place::new();
        let builder = place.builder().shards(1).shard_capacity(8);
        let builder = builder.flush_interval(Duration::from_secs(3600));
        let recorder = builder.open(place.store()).unwrap();
        let usage = one_two(&recorder, "m", "t");
        // Two commits, so that both versions of each row are in use.
        for _ in 0..2 {
            assert_eq!(recorder.record_batch(&[usage; 2]), 2);
            recorder.flush(PATIENCE).unwrap();
        }
        assert_eq!(recorder.record_batch(&[usage; 3]), 3);
        let ring_name = files_in(&place.ring_dir()).remove(0);
        let kept = Self {
            aggregate: fs::read(place.aggregate()).unwrap(),
            ring: fs::read(place.ring_dir().join(&ring_name)).unwrap(),
            ring_name,
            place,
        };
        drop(recorder);
        kept.put_back();
        kept
    }

    /// Where the ring of the aggregate file is that is there now.
    pub(crate) fn ring_path(&self) -> PathBuf {
        let inode = fs::metadata(self.place.aggregate()).unwrap().ino();
        let parts: Vec<_> = self.ring_name.split('-').collect();
        let name = format!("{}-{}-{inode:x}-{}", parts[0], parts[1], parts[3]);
        self.place.ring_dir().join(name)
    }

    /// As it was.
    pub(crate) fn put_back(&self) {
        for dir in [self.place.store(), self.place.ring_dir()] {
            for name in files_in(&dir) {
                if !["aggregate", "lock"].contains(&name.as_str()) {
                    fs::remove_file(dir.join(name)).unwrap();
                }
            }
        }
        fs::write(self.place.aggregate(), &self.aggregate).unwrap();
        fs::write(self.ring_path(), &self.ring).unwrap();
    }
}
