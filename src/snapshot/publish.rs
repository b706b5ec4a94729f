//! Where the newest snapshot is. One thread publishes, any thread loads.

/// The newest of something. arc-swap does the work; under loom, which can't
/// model it, a mutex stands in: the protocol around it is modelled.
#[derive(Debug)]
pub(crate) struct Published<T> {
    #[cfg(not(loom))]
    newest: arc_swap::ArcSwap<T>,
    #[cfg(loom)]
    newest: crate::sync::Mutex<std::sync::Arc<T>>,
}

impl<T> Published<T> {
    pub(crate) fn new(first: std::sync::Arc<T>) -> Self {
        Self {
            #[cfg(not(loom))]
            newest: arc_swap::ArcSwap::new(first),
            #[cfg(loom)]
            newest: crate::sync::Mutex::new(first),
        }
    }

    /// The newest; some ten nanoseconds, without a lock.
    #[inline]
    pub(crate) fn load(&self) -> std::sync::Arc<T> {
        #[cfg(not(loom))]
        {
            self.newest.load_full()
        }
        #[cfg(loom)]
        {
            std::sync::Arc::clone(&crate::sync::lock(&self.newest))
        }
    }

    /// Makes `next` the newest; gives what it replaced.
    pub(crate) fn publish(&self, next: std::sync::Arc<T>) -> std::sync::Arc<T> {
        #[cfg(not(loom))]
        {
            self.newest.swap(next)
        }
        #[cfg(loom)]
        {
            std::mem::replace(&mut *crate::sync::lock(&self.newest), next)
        }
    }
}
