//! Room for connections.

use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long one that was asked to leave has before another is asked.
const AGAIN: Duration = Duration::from_secs(1);

/// Room for so many connections. Those that are idle stand in a queue; who
/// waits for room asks the one that has stood there longest to leave.
#[derive(Clone, Debug)]
pub(super) struct Room {
    free: Arc<Semaphore>,
    /// What idle connections wait for: a permit asks one of them to leave.
    wanted: Arc<Semaphore>,
}

impl Room {
    pub(super) fn new(connections: NonZeroUsize) -> Self {
        let most = connections.get().min(Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(most)),
            wanted: Arc::new(Semaphore::new(0)),
        }
    }

    /// A share of the room, as soon as there is one.
    pub(super) async fn enter(&self) -> OwnedSemaphorePermit {
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            return permit;
        }
        loop {
            self.wanted.add_permits(1);
            let entered = timeout(AGAIN, Arc::clone(&self.free).acquire_owned()).await;
            // What nobody was there to hear.
            self.wanted.forget_permits(Semaphore::MAX_PERMITS);
            match entered {
                Ok(Ok(permit)) => return permit,
                // It is never closed.
                Ok(Err(_)) => pending().await,
                Err(_) => {}
            }
        }
    }

    /// Waits, as one of the idle, until somebody else needs the place.
    pub(super) async fn is_wanted(&self) {
        match self.wanted.acquire().await {
            Ok(permit) => permit.forget(),
            Err(_) => pending().await,
        }
    }
}
