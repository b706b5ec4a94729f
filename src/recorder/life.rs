//! The end of a recorder: what happens when it is closed or the last handle is
//! gone.

use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::consumer::{Checkpointer, Core, Over, Waited};
use crate::error::OpenError;
use crate::store::Checkpoints;
use crate::sync::{Arc, Mutex, Parker, Unparker, lock};

/// How long dropping the last handle waits for the last commit.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);

/// The thread that writes checkpoints.
#[derive(Debug)]
pub(super) struct CheckpointThread {
    thread: JoinHandle<()>,
    unparker: Unparker,
    over: Arc<Over>,
}

impl CheckpointThread {
    pub(super) fn start(
        core: &Arc<Core>,
        checkpoints: Checkpoints,
        interval: Duration,
    ) -> Result<Self, OpenError> {
        let parker = Parker::new();
        let unparker = parker.unparker().clone();
        let over = Arc::new(Over::default());
        let checkpointer =
            Checkpointer::new(Arc::clone(core), checkpoints, interval, Arc::clone(&over));
        let thread = spawn("quipu-checkpoint", move || checkpointer.run(&parker))?;
        Ok(Self {
            thread,
            unparker,
            over,
        })
    }

    /// Waits for the last checkpoint.
    pub(super) fn end(self) {
        self.over.set();
        self.unparker.unpark();
        // A panic in there was reported when it happened.
        let _ = self.thread.join();
    }
}

/// Starts a thread.
pub(super) fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    let thread = thread::Builder::new().name(name.into()).spawn(work);
    thread.map_err(|error| OpenError::io("start the thread", Path::new(name), error))
}

#[derive(Debug)]
struct Threads {
    consumer: JoinHandle<()>,
    checkpointer: Option<CheckpointThread>,
}

/// Ends the threads when the last handle is gone.
pub(super) struct Life {
    core: Arc<Core>,
    /// `None` after the threads have ended.
    threads: Mutex<Option<Threads>>,
}

impl Life {
    pub(super) fn new(
        core: Arc<Core>,
        consumer: JoinHandle<()>,
        checkpointer: Option<CheckpointThread>,
    ) -> Self {
        Self {
            core,
            threads: Mutex::new(Some(Threads {
                consumer,
                checkpointer,
            })),
        }
    }

    pub(super) fn end(&self, timeout: Duration) -> Waited {
        let Some(wait) = self.core.mailbox.close(&self.core.ring) else {
            return Waited::Done;
        };
        let waited = wait.wait(Instant::now().checked_add(timeout));
        if waited == Waited::TimedOut {
            return waited;
        }
        // What is left is the last checkpoint, and giving up the store's lock,
        // which must have happened when the caller opens the store again.
        // Whoever comes second waits for the one that joins.
        let mut threads = lock(&self.threads);
        if let Some(threads) = threads.take() {
            // A panic in there was reported when it happened.
            let _ = threads.consumer.join();
            if let Some(checkpointer) = threads.checkpointer {
                checkpointer.end();
            }
        }
        if self.core.endangers_counts() {
            Waited::Failed
        } else {
            Waited::Done
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.end(DROP_TIMEOUT);
    }
}
