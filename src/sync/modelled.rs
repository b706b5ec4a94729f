//! Stand-ins under loom for what other crates do and loom can't look into.
//!
//! Each promises no more than the original's documentation does, so that a
//! protocol that only works thanks to more synchronisation fails in its model.
//! Values are kept behind mutexes of the standard library: loom runs one
//! thread at a time and doesn't see these, so they synchronise nothing.

use std::time::Instant;

use super::{Arc, AtomicUsize, Condvar, Mutex, Ordering, lock};

/// Stand-in for `crossbeam_utils::Backoff`: lets the other threads run, for
/// loom can't know that a loop waits for them.
#[derive(Debug, Default)]
pub(crate) struct Backoff;

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self
    }

    pub(crate) fn spin(&self) {
        loom::thread::yield_now();
    }

    pub(crate) fn snooze(&self) {
        loom::thread::yield_now();
    }
}

#[derive(Debug, Default)]
struct Token {
    is_there: Mutex<bool>,
    came: Condvar,
    /// How often somebody unparked.
    calls: std::sync::Mutex<u64>,
}

/// Stand-in for `crossbeam_utils::sync::Parker`. It blocks instead of spinning,
/// so that a wake-up that gets lost is a deadlock, which loom reports.
#[derive(Debug, Default)]
pub(crate) struct Parker(Unparker);

/// The other half of a [`Parker`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Unparker(Arc<Token>);

impl Parker {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) const fn unparker(&self) -> &Unparker {
        &self.0
    }

    pub(crate) fn park(&self) {
        let Unparker(token) = &self.0;
        let mut is_there = lock(&token.is_there);
        while !*is_there {
            is_there = token
                .came
                .wait(is_there)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        *is_there = false;
    }

    /// There is no time under loom: returns at once, as any park may.
    pub(crate) fn park_deadline(&self, _: Instant) {
        loom::thread::yield_now();
    }
}

impl Unparker {
    pub(crate) fn unpark(&self) {
        let Self(token) = self;
        *unseen(&token.calls) += 1;
        *lock(&token.is_there) = true;
        token.came.notify_one();
    }

    /// How often it was called: each is a system call in a real parker.
    pub(crate) fn calls(&self) -> u64 {
        *unseen(&self.0.calls)
    }
}

/// Stand-in for `Arc::make_mut`, which loom's doesn't have.
pub(crate) fn make_mut<T: Clone>(shared: &mut Arc<T>) -> &mut T {
    if Arc::get_mut(shared).is_none() {
        *shared = Arc::new(T::clone(shared));
    }
    Arc::get_mut(shared).unwrap_or_else(|| unreachable!("nobody else has it yet"))
}

/// Values that are pushed to a stand-in queue in one execution at most.
const MOST: usize = 4;

/// Stand-in for `crossbeam_queue::SegQueue`: who pops a value sees what came
/// before its push, and that is all.
#[derive(Debug)]
pub(crate) struct SegQueue<T> {
    values: std::sync::Mutex<[Option<T>; MOST]>,
    is_pushed: [AtomicUsize; MOST],
    pushed: AtomicUsize,
    popped: AtomicUsize,
}

impl<T> SegQueue<T> {
    pub(crate) fn new() -> Self {
        Self {
            values: std::sync::Mutex::new(std::array::from_fn(|_| None)),
            is_pushed: std::array::from_fn(|_| AtomicUsize::new(0)),
            pushed: AtomicUsize::new(0),
            popped: AtomicUsize::new(0),
        }
    }

    pub(crate) fn push(&self, value: T) {
        let place = self.pushed.fetch_add(1, Ordering::Relaxed);
        unseen(&self.values)[place] = Some(value);
        self.is_pushed[place].store(1, Ordering::Release);
    }

    pub(crate) fn pop(&self) -> Option<T> {
        loop {
            let place = self.popped.load(Ordering::Relaxed);
            if place == MOST || self.is_pushed[place].load(Ordering::Acquire) == 0 {
                return None;
            }
            let mine = self.popped.compare_exchange(
                place,
                place + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            if mine.is_ok() {
                return unseen(&self.values)[place].take();
            }
        }
    }
}

/// Stand-in for `arc_swap::ArcSwap`: who loads a value sees what came before
/// it was stored, and may get an older one than the newest.
#[derive(Debug)]
pub(crate) struct ArcSwap<T> {
    values: std::sync::Mutex<Vec<std::sync::Arc<T>>>,
    newest: AtomicUsize,
}

impl<T> ArcSwap<T> {
    pub(crate) fn new(first: std::sync::Arc<T>) -> Self {
        Self {
            values: std::sync::Mutex::new(vec![first]),
            newest: AtomicUsize::new(0),
        }
    }

    pub(crate) fn load_full(&self) -> std::sync::Arc<T> {
        let place = self.newest.load(Ordering::Acquire);
        std::sync::Arc::clone(&unseen(&self.values)[place])
    }

    pub(crate) fn swap(&self, next: std::sync::Arc<T>) -> std::sync::Arc<T> {
        let place = {
            let mut values = unseen(&self.values);
            values.push(next);
            values.len() - 1
        };
        let replaced = self.newest.swap(place, Ordering::AcqRel);
        std::sync::Arc::clone(&unseen(&self.values)[replaced])
    }
}

fn unseen<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
