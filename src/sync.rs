//! The one place that imports atomics, so that loom can stand in for them.
//!
//! A test (`tests/house_rules/`) keeps the raw types out of everywhere else.

#[cfg(not(loom))]
pub(crate) use std::sync::{
    Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence},
};

#[cfg(not(loom))]
pub(crate) use arc_swap::ArcSwap;
#[cfg(not(loom))]
pub(crate) use crossbeam_queue::SegQueue;
#[cfg(not(loom))]
pub(crate) use crossbeam_utils::{
    Backoff,
    sync::{Parker, Unparker},
};

#[cfg(not(loom))]
mod cell;
#[cfg(not(loom))]
pub(crate) use cell::UnsafeCell;
#[cfg(loom)]
pub(crate) use loom::cell::UnsafeCell;

#[cfg(loom)]
pub(crate) use loom::sync::{
    Arc, Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence},
};

#[cfg(loom)]
mod modelled;
#[cfg(loom)]
pub(crate) use modelled::{ArcSwap, Backoff, Parker, SegQueue, Unparker, make_mut};

/// The value in `shared`, alone: a copy where others have it too.
#[cfg(not(loom))]
#[inline]
pub(crate) fn make_mut<T: Clone>(shared: &mut Arc<T>) -> &mut T {
    Arc::make_mut(shared)
}

/// Locks `mutex`, also when a thread died while it held the lock: every value
/// that is guarded in this crate is consistent between any two statements.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
