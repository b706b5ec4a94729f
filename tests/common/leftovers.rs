//! What a killed writer leaves: 20 records that are committed and 30 that are
//! only on the ring.

use std::time::Duration;

use super::child::{self, Helper};
use super::sums::one_two;
use super::{PATIENCE, Place, builder_at};

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
