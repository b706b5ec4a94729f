//! The end of a recorder: what happens when it is closed or the last handle is
//! gone.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::consumer::{Command, Core, Waited, ticket};
use crate::sync::{Arc, AtomicBool, Mutex, Ordering, Unparker, lock};

/// How long dropping the last handle waits for the last commit.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);

/// The thread that writes checkpoints.
#[derive(Debug)]
pub(super) struct CheckpointThread {
    pub(super) thread: JoinHandle<()>,
    pub(super) unparker: Unparker,
    pub(super) is_over: Arc<AtomicBool>,
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
        if !self.core.ring.is_owned() {
            // A forked child: ring, store and threads are its parent's.
            return Waited::Done;
        }
        // First of all, so that records that come during the close are
        // refused and the drain target is exact.
        self.core.ring.close();
        let (ticket, wait) = ticket();
        self.core.mailbox.send(Command::Close(ticket));
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
                // Release: the last commit was published before.
                checkpointer.is_over.store(true, Ordering::Release);
                checkpointer.unparker.unpark();
                let _ = checkpointer.thread.join();
            }
        }
        if self.core.is_degraded() {
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
