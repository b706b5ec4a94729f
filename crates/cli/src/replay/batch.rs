//! The piece of work that goes to a producer.

use std::ops::Range;
use std::sync::Arc;

use quipu::UsageRecord;

/// Records of one batch: enough that handing them over costs nothing per
/// record, few enough that all producers end together.
pub(super) const BATCH: usize = 8_192;

/// A run of records, shared with other batches where the trace is in memory.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    records: Arc<Vec<UsageRecord>>,
    range: Range<usize>,
}

impl Batch {
    pub(super) fn records(&self) -> &[UsageRecord] {
        &self.records[self.range.clone()]
    }

    /// All of `records`, in batches.
    pub(super) fn split(records: &Arc<Vec<UsageRecord>>) -> impl Iterator<Item = Self> {
        (0..records.len()).step_by(BATCH).map(|start| Self {
            records: Arc::clone(records),
            range: start..records.len().min(start + BATCH),
        })
    }
}

impl From<Vec<UsageRecord>> for Batch {
    fn from(records: Vec<UsageRecord>) -> Self {
        Self {
            range: 0..records.len(),
            records: Arc::new(records),
        }
    }
}
