//! How other threads reach the consumer: commands, and a wake-up on pressure.

use super::ticket::{Ticket, Wait, ticket};
use crate::ring::Ring;
use crate::sync::{AtomicBool, AtomicUsize, Ordering, SegQueue, Unparker, fence};

/// What the consumer is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Commit everything that was accepted before.
    Flush(Ticket),
    /// The same, then end.
    Close(Ticket),
}

impl Command {
    fn complete(self, written: bool) {
        match self {
            Self::Flush(ticket) | Self::Close(ticket) => ticket.complete(written),
        }
    }
}

const WORKING: usize = 0;
const ENDED: usize = 1;
/// Ended, and the last commit could not be written.
const FAILED: usize = 2;

/// The consumer's mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    commands: SegQueue<Command>,
    /// Whether the consumer sleeps and wants to be woken on pressure. It is
    /// cleared by the one that wakes it, so that of all producers that see
    /// pressure one makes the system call.
    armed: AtomicBool,
    /// Whether the consumer has made its last commit and takes no more
    /// commands: [`WORKING`], [`ENDED`] or [`FAILED`].
    state: AtomicUsize,
    consumer: Unparker,
}

impl Mailbox {
    pub(crate) fn new(consumer: Unparker) -> Self {
        Self {
            commands: SegQueue::new(),
            armed: AtomicBool::new(false),
            state: AtomicUsize::new(WORKING),
            consumer,
        }
    }

    /// Asks for a commit of everything that was accepted before.
    pub(crate) fn flush(&self) -> Wait {
        self.ask(Command::Flush)
    }

    /// Closes the ring and asks for the last commit. `None` in a forked child:
    /// ring, store and consumer are its parent's.
    pub(crate) fn close(&self, ring: &Ring) -> Option<Wait> {
        if !ring.is_owned() {
            return None;
        }
        // First of all, so that records that come during the close are
        // refused and the drain target is exact.
        ring.close();
        Some(self.ask(Command::Close))
    }

    fn ask(&self, command: impl FnOnce(Ticket) -> Command) -> Wait {
        let (ticket, wait) = ticket();
        self.send(command(ticket));
        wait
    }

    /// Puts a command in and wakes the consumer.
    fn send(&self, command: Command) {
        self.commands.push(command);
        // Pairs with the fence in `end`: either the consumer finds the command
        // there, or this thread sees that it has ended.
        fence(Ordering::SeqCst);
        // Acquire: pairs with the Release in `end`; who is answered here sees
        // the last commit, though the consumer didn't answer.
        match self.state.load(Ordering::Acquire) {
            WORKING => self.consumer.unpark(),
            state => self.complete_all(state == ENDED),
        }
    }

    /// The consumer takes no more commands. All that can still come is
    /// answered here or by the one that sends it: everything that was accepted
    /// has been committed, so there is nothing left to do.
    pub(crate) fn end(&self, written: bool) {
        let state = if written { ENDED } else { FAILED };
        // Release: the last commit comes before.
        self.state.store(state, Ordering::Release);
        // Pairs with the fence in `send`.
        fence(Ordering::SeqCst);
        self.complete_all(written);
    }

    fn complete_all(&self, written: bool) {
        while let Some(command) = self.commands.pop() {
            command.complete(written);
        }
    }

    pub(crate) fn receive(&self) -> Option<Command> {
        self.commands.pop()
    }

    /// Wakes the consumer if it sleeps. Called by producers that see pressure.
    #[inline]
    pub(crate) fn press(&self) {
        // Relaxed: a hint. If the wake-up is missed, the next record above
        // the mark sees the flag again, and the consumer's timer comes anyway.
        if self.armed.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        // Relaxed: only that one thread gets `true` matters.
        if self.armed.swap(false, Ordering::Relaxed) {
            self.consumer.unpark();
        }
    }

    /// The consumer sleeps, as `park` does it, and wants to be woken on
    /// pressure.
    pub(crate) fn sleep(&self, park: impl FnOnce()) {
        // Relaxed, twice: a hint, as in `press`.
        self.armed.store(true, Ordering::Relaxed);
        park();
        self.armed.store(false, Ordering::Relaxed);
    }
}
