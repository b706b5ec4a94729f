//! How the thread that writes checkpoints learns that it is over.

use crate::sync::{AtomicBool, Ordering};

/// Whether the consumer has made its last commit.
#[derive(Debug, Default)]
pub(crate) struct Over {
    is_over: AtomicBool,
}

impl Over {
    /// It has made its last commit, and published it.
    pub(crate) fn set(&self) {
        // Release: the last commit was published before.
        self.is_over.store(true, Ordering::Release);
    }

    /// Whether it has. Who gets `true` finds the last commit published.
    pub(crate) fn is_set(&self) -> bool {
        // Acquire: pairs with the Release in `set`.
        self.is_over.load(Ordering::Acquire)
    }
}
