//! The piece of work that goes to a producer.

use std::sync::Arc;

use quipu::UsageRecord;

/// Records of one batch: enough that handing them over costs nothing per
/// record, few enough that all producers end together.
pub(super) const BATCH: usize = 8_192;

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
