//! Where the newest snapshot is. One thread publishes, any thread loads.

use std::sync::Arc;

use crate::sync::ArcSwap;

/// The newest of something.
#[derive(Debug)]
pub(crate) struct Published<T> {
    newest: ArcSwap<T>,
}

impl<T> Published<T> {
    pub(crate) fn new(first: Arc<T>) -> Self {
        Self {
            newest: ArcSwap::new(first),
        }
    }

    /// The newest; some ten nanoseconds, without a lock.
    #[inline]
    pub(crate) fn load(&self) -> Arc<T> {
        self.newest.load_full()
    }

    /// Makes `next` the newest; gives what it replaced.
    pub(crate) fn publish(&self, next: Arc<T>) -> Arc<T> {
        self.newest.swap(next)
    }
}
