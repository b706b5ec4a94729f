//! A ticket: somebody waits until the consumer has done something once.

use std::time::Instant;

use crate::sync::{Arc, AtomicUsize, Ordering, Parker, Unparker};

const PENDING: usize = 0;
const DONE: usize = 1;
const FAILED: usize = 2;

/// The consumer's half.
#[derive(Debug)]
pub(crate) struct Ticket {
    state: Arc<AtomicUsize>,
    waiter: Unparker,
}

/// The waiting half.
#[derive(Debug)]
pub(crate) struct Wait {
    state: Arc<AtomicUsize>,
    parker: Parker,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    Done,
    /// The consumer could not write the store.
    Failed,
    TimedOut,
}

/// Both halves of a new ticket.
pub(crate) fn ticket() -> (Ticket, Wait) {
    let state = Arc::new(AtomicUsize::new(PENDING));
    let parker = Parker::new();
    let waiter = parker.unparker().clone();
    (
        Ticket {
            state: Arc::clone(&state),
            waiter,
        },
        Wait { state, parker },
    )
}

impl Ticket {
    /// Tells the one who waits.
    pub(crate) fn complete(self, written: bool) {
        let state = if written { DONE } else { FAILED };
        // Release: what was done comes before; pairs with `Wait::state`.
        self.state.store(state, Ordering::Release);
        self.waiter.unpark();
    }
}

impl Wait {
    /// How it stands now; `None` while the consumer is not done.
    pub(crate) fn poll(&self) -> Option<Waited> {
        // Acquire: pairs with the Release in `complete`.
        match self.state.load(Ordering::Acquire) {
            DONE => Some(Waited::Done),
            FAILED => Some(Waited::Failed),
            _ => None,
        }
    }

    /// Waits until `deadline` at most; for ever where there is none.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Waited {
        loop {
            if let Some(waited) = self.poll() {
                return waited;
            }
            match deadline {
                None => self.parker.park(),
                Some(deadline) if Instant::now() >= deadline => return Waited::TimedOut,
                Some(deadline) => self.parker.park_deadline(deadline),
            }
        }
    }
}
