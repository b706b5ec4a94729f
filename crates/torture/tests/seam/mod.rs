//! Faults on purpose. The hooks are the process's, so tests that set them run
//! one at a time.

// Each test binary uses a part of it.
#![allow(dead_code)]

pub(crate) mod leftovers;
pub(crate) mod plan;
pub(crate) mod tmpfs;

use std::sync::{Mutex, MutexGuard, PoisonError};

use quipu::fault::{Call, Verdict, set_boot, set_call_hook, set_point_hook};

static ALONE: Mutex<()> = Mutex::new(());

/// The right to set hooks; they are gone when it is dropped, also by a panic.
#[derive(Debug)]
pub(crate) struct Seam {
    _alone: MutexGuard<'static, ()>,
}

impl Seam {
    pub(crate) fn take() -> Self {
        // A test that failed with the lock has dropped its hooks.
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        Self { _alone: alone }
    }

    pub(crate) fn on_calls(&self, hook: impl Fn(&Call<'_>) -> Verdict + Send + Sync + 'static) {
        set_call_hook(Some(std::sync::Arc::new(hook)));
    }

    pub(crate) fn on_points(&self, hook: impl Fn(&'static str) + Send + Sync + 'static) {
        set_point_hook(Some(std::sync::Arc::new(hook)));
    }

    /// From now on nothing is hooked.
    pub(crate) fn clear(&self) {
        set_call_hook(None);
        set_point_hook(None);
    }

    /// From now on the machine was booted as `id`.
    pub(crate) fn boot(&self, id: u64) {
        set_boot([id, id]);
    }
}

impl Drop for Seam {
    fn drop(&mut self) {
        self.clear();
        set_boot([0, 0]);
    }
}
