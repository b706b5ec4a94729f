//! What the tests with hooks share: the hooks are one for the whole process,
//! so tests take turns.

// Each test binary uses a part of it.
#![allow(dead_code)]

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quipu::fault::{Call, Verdict, set_call_hook, set_clock, set_point_hook};

static TURN: Mutex<()> = Mutex::new(());

/// The turn of one test. Its hooks end with it.
#[derive(Debug)]
pub(crate) struct Hooks {
    _turn: MutexGuard<'static, ()>,
}

impl Hooks {
    pub(crate) fn take() -> Self {
        Self {
            _turn: TURN.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Calls `hook` at every point that the consumer passes.
    pub(crate) fn at_points(&self, hook: impl Fn(&'static str) + Send + Sync + 'static) {
        set_point_hook(Some(Arc::new(move |point| {
            if is_consumer() {
                hook(point);
            }
        })));
    }

    pub(crate) fn no_points(&self) {
        set_point_hook(None);
    }

    /// Asks `hook` before every call to the system.
    pub(crate) fn at_calls(&self, hook: impl Fn(&Call<'_>) -> Verdict + Send + Sync + 'static) {
        set_call_hook(Some(Arc::new(hook)));
    }

    pub(crate) fn no_calls(&self) {
        set_call_hook(None);
    }

    /// Stops the clock at `seconds` since 1970.
    pub(crate) fn clock(&self, seconds: u64) {
        set_clock(seconds * 1_000_000_000);
    }

    /// The same for any time since 1970.
    pub(crate) fn clock_at(&self, since: Duration) {
        set_clock(u64::try_from(since.as_nanos()).unwrap());
    }

    /// Lets the consumer panic at `point`, each time but the first `skip`, and
    /// `times` in all.
    pub(crate) fn panic_at(&self, point: &'static str, skip: u64, times: u64) -> Panics {
        let panics = Panics::new(times);
        let (left, passed) = (Arc::clone(&panics.left), AtomicU64::new(0));
        self.at_points(move |reached| {
            if reached == point && passed.fetch_add(1, Ordering::SeqCst) >= skip {
                Panics::panic(&left);
            }
        });
        panics
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        set_point_hook(None);
        set_call_hook(None);
        set_clock(0);
    }
}

pub(crate) fn is_consumer() -> bool {
    std::thread::current().name() == Some("quipu-consumer")
}

/// Panics that are still to come.
#[derive(Debug)]
pub(crate) struct Panics {
    times: u64,
    left: Arc<AtomicU64>,
}

impl Panics {
    pub(crate) fn new(times: u64) -> Self {
        Self {
            times,
            left: Arc::new(AtomicU64::new(times)),
        }
    }

    fn panic(left: &AtomicU64) {
        let take = |left: u64| left.checked_sub(1);
        if left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
            .is_ok()
        {
            // Not `panic!`: its message would hide a real one.
            resume_unwind(Box::new("a panic on purpose"));
        }
    }

    /// A hook that panics where `is_time` says so, as long as any are left.
    pub(crate) fn now_and_then(
        &self,
        is_time: impl Fn() -> bool + Send + Sync + 'static,
    ) -> impl Fn(&'static str) + Send + Sync + 'static {
        let left = Arc::clone(&self.left);
        move |_| {
            if is_time() {
                Self::panic(&left);
            }
        }
    }

    /// Panics that have happened.
    pub(crate) fn happened(&self) -> u64 {
        self.times - self.left.load(Ordering::SeqCst)
    }

    pub(crate) fn are_over(&self) -> bool {
        self.happened() == self.times
    }
}

/// Holds whoever passes while it is closed; open at first.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    is_closed: Mutex<bool>,
    changed: Condvar,
    /// Whether somebody was held.
    has_held: AtomicBool,
}

impl Gate {
    pub(crate) fn pass(&self) {
        let mut is_closed = self.lock();
        while *is_closed {
            self.has_held.store(true, Ordering::SeqCst);
            is_closed = self
                .changed
                .wait(is_closed)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn close(&self) {
        self.has_held.store(false, Ordering::SeqCst);
        *self.lock() = true;
    }

    pub(crate) fn open(&self) {
        *self.lock() = false;
        self.changed.notify_all();
    }

    pub(crate) fn has_held(&self) -> bool {
        self.has_held.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_closed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
