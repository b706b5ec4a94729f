//! The first signal ends the replay in order; Ctrl-C after that at once.

use std::process;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::target::Cleanup;
use crate::error::CliError;
use crate::signals::{self, Signal};

/// Whether the replay is to end early.
#[derive(Clone)]
pub(super) struct Stop {
    by: Arc<OnceLock<Signal>>,
    /// Never carries anything: it wakes sleepers by losing its sender.
    woken: Receiver<()>,
}

impl Stop {
    /// One that signals set. Who can't wait for the end gets it without, but
    /// not without `cleanup`.
    pub(super) fn on_signal(cleanup: Cleanup) -> Result<Self, CliError> {
        let (stop, setter) = Self::new();
        let mut setter = Some(setter);
        signals::listen(move |signal| match setter.take() {
            Some(setter) => setter.set(signal),
            None if signal == Signal::Interrupt => {
                // What was accepted is in the ring and survives this.
                cleanup.run();
                process::exit(signal.exit_code().into());
            }
            // A terminal that is closed hangs up twice, and nobody who sends
            // these sits and waits.
            None => {}
        })
        .map_err(CliError::deaf)?;
        Ok(stop)
    }

    pub(super) fn new() -> (Self, Setter) {
        let (waker, woken) = bounded(0);
        let by = Arc::new(OnceLock::new());
        let stop = Self {
            by: Arc::clone(&by),
            woken,
        };
        (stop, Setter { by, _waker: waker })
    }

    /// The signal that set it.
    pub(super) fn by(&self) -> Option<Signal> {
        self.by.get().copied()
    }

    pub(super) fn is_set(&self) -> bool {
        self.by().is_some()
    }

    /// Becomes ready, without anything to receive, when the stop comes.
    pub(super) const fn waker(&self) -> &Receiver<()> {
        &self.woken
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
    by: Arc<OnceLock<Signal>>,
    _waker: Sender<()>,
}

impl Setter {
    pub(super) fn set(self, by: Signal) {
        // There is one setter, which is used once.
        let _ = self.by.set(by);
    }
}
