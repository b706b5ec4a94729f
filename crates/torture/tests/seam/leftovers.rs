//! A store whose writer was killed, to be had again and again: 20 records are
//! committed and in a checkpoint, 30 are on the ring.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use quipu::Durability;

use crate::common::sums::one_two;
use crate::common::{PATIENCE, Place, builder_at, child, files_in, wait_until};

/// All records that a later open must have.
pub(crate) const ALL: u64 = 50;

/// The files as they were left.
#[derive(Debug)]
pub(crate) struct Leftovers {
    pub(crate) place: Place,
    pub(crate) aggregate: Vec<u8>,
    /// The aggregate file as it was when nothing was counted.
    pub(crate) early: Vec<u8>,
    checkpoint: Vec<u8>,
    ring: Vec<u8>,
    /// The name of the ring's file without the inode in it.
    ring_name: (String, String),
}

impl Leftovers {
    /// Leaves them. The test binary's ignored test `child_leaves_a_checkpoint`
    /// must call [`child`].
    pub(crate) fn leave() -> Self {
        let place = Place::new();
        let mut writer = child::start("child_leaves_a_checkpoint", place.path(), "");
        writer.wait_until_ready(place.path());
        writer.kill();
        let inode = format!("-{:x}-", fs::metadata(place.aggregate()).unwrap().ino());
        let name = files_in(&place.ring_dir()).remove(0);
        let (before, after) = name.split_once(&inode).unwrap();
        Self {
            aggregate: fs::read(place.aggregate()).unwrap(),
            early: fs::read(place.path().join("early")).unwrap(),
            checkpoint: fs::read(place.store().join("checkpoint")).unwrap(),
            ring: fs::read(place.ring_dir().join(&name)).unwrap(),
            ring_name: (before.to_owned(), after.to_owned()),
            place,
        }
    }

    /// Puts all files back, with these bytes as the aggregate file.
    pub(crate) fn put_back(&self, aggregate: &[u8]) {
        for dir in [self.place.store(), self.place.ring_dir()] {
            fs::remove_dir_all(&dir).unwrap();
            fs::create_dir(&dir).unwrap();
        }
        fs::write(self.place.aggregate(), aggregate).unwrap();
        fs::write(self.place.store().join("checkpoint"), &self.checkpoint).unwrap();
        let inode = fs::metadata(self.place.aggregate()).unwrap().ino();
        let (before, after) = &self.ring_name;
        let name = format!("{before}-{inode:x}-{after}");
        fs::write(self.place.ring_dir().join(name), &self.ring).unwrap();
    }
}

/// In a child: the writer.
pub(crate) fn child() {
    let Some((place, _)) = child::assignment() else {
        return;
    };
    let store = place.join("usage.quipu");
    let recorder = builder_at(&place)
        .flush_interval(Duration::from_secs(3600))
        .durability(Durability::Checkpoint(Duration::from_millis(10)))
        .open(&store)
        .unwrap();
    fs::copy(store.join("aggregate"), place.join("early")).unwrap();
    let usage = one_two(&recorder, "m", "t");
    assert_eq!(recorder.record_batch(&[usage; 20]), 20);
    recorder.flush(PATIENCE).unwrap();
    wait_until("the checkpoint has them", || {
        let stats = recorder.stats();
        stats.checkpoint == stats.generation
    });
    assert_eq!(recorder.record_batch(&[usage; 30]), 30);
    child::say_ready(&place);
    child::wait_for_the_end();
}
