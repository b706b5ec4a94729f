//! What all paths stand on.

use std::time::{Duration, SystemTime};

use quipu::Builder;

use crate::common::usage::quiet;

/// One shard, of which nothing here fills the half.
pub(crate) fn roomy() -> Builder {
    quiet().shards(1).shard_capacity(1 << 17)
}

/// Lets the consumer fall asleep, so that it finds all of the next records at
/// once.
pub(crate) fn settle() {
    std::thread::sleep(Duration::from_millis(100));
}

/// One moment of one day: the same rows whenever this runs.
pub(crate) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}
