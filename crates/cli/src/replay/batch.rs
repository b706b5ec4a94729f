//! The piece of work that goes to a producer.

use std::sync::Arc;

use quipu::UsageRecord;

/// Records of one batch: enough that handing them over costs nothing per
/// record, few enough that all producers end together.
pub(super) const BATCH: usize = 8_192;

/// As many calls (384 MiB, then 224 MiB of records) are kept in memory at full
/// speed, so that the recorder's speed shows and not the reader's. Longer
/// traces are streamed.
pub(super) const IN_MEMORY: usize = 1 << 22;

/// A run of records; its clones share them.
#[derive(Clone, Debug)]
pub(super) struct Batch(Arc<Vec<UsageRecord>>);

impl Batch {
    pub(super) fn records(&self) -> &[UsageRecord] {
        &self.0
    }
}

impl From<Vec<UsageRecord>> for Batch {
    fn from(records: Vec<UsageRecord>) -> Self {
        Self(Arc::new(records))
    }
}
