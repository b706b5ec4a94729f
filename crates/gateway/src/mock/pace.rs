//! How fast an answer comes, and in how many pieces.

use std::num::NonZeroU64;
use std::time::Duration;

/// Pieces of text that one answer may have.
pub(super) const MOST_CHUNKS: u64 = 1_000_000;

/// The pace of one answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// From the request to the response's headers.
    pub(crate) first: Duration,
    /// Between two pieces of text.
    pub(crate) gap: Duration,
    /// Pieces of text.
    pub(crate) chunks: NonZeroU64,
}
