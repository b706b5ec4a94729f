//! Ctrl-C: the first one ends the replay in order, the second at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::error::CliError;

const INTERRUPTED: i32 = 130;

/// Whether the replay is to end early.
#[derive(Clone)]
pub(super) struct Stop {
    is_set: Arc<AtomicBool>,
    /// Never carries anything: it wakes sleepers by losing its sender.
    woken: Receiver<()>,
}

impl Stop {
    /// One that Ctrl-C (or a polite `kill`) sets.
    pub(super) fn on_signal() -> Result<Self, CliError> {
        let (stop, setter) = Self::new();
        let mut setter = Some(setter);
        ctrlc::set_handler(move || match setter.take() {
            Some(setter) => setter.set(),
            // What was accepted is in the ring and survives this.
            None => std::process::exit(INTERRUPTED),
        })
        .map_err(|error| CliError::Failed(format!("can't listen for Ctrl-C: {error}")))?;
        Ok(stop)
    }

    pub(super) fn new() -> (Self, Setter) {
        let (waker, woken) = bounded(0);
        let is_set = Arc::new(AtomicBool::new(false));
        let stop = Self {
            is_set: Arc::clone(&is_set),
            woken,
        };
        (
            stop,
            Setter {
                is_set,
                _waker: waker,
            },
        )
    }

    pub(super) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }

    /// Sleeps, but not past the stop. False if it came.
    pub(super) fn sleep(&self, duration: Duration) -> bool {
        match self.woken.recv_timeout(duration) {
            Err(RecvTimeoutError::Timeout) => !self.is_set(),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => !self.is_set(),
        }
    }
}

/// Ends the replay, once.
pub(super) struct Setter {
    is_set: Arc<AtomicBool>,
    _waker: Sender<()>,
}

impl Setter {
    pub(super) fn set(self) {
        self.is_set.store(true, Ordering::Relaxed);
    }
}
