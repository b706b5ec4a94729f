//! How other threads reach the consumer: commands, and a wake-up on pressure.

use super::ticket::Ticket;
use crate::sync::{AtomicBool, Ordering, SegQueue, Unparker, fence};

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

/// The consumer's mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    commands: SegQueue<Command>,
    /// Whether the consumer sleeps and wants to be woken on pressure. It is
    /// cleared by the one that wakes it, so that of all producers that see
    /// pressure one makes the system call.
    armed: AtomicBool,
    /// The consumer has made its last commit and takes no more commands.
    ended: AtomicBool,
    consumer: Unparker,
}

impl Mailbox {
    pub(crate) fn new(consumer: Unparker) -> Self {
        Self {
            commands: SegQueue::new(),
            armed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            consumer,
        }
    }

    /// Puts a command in and wakes the consumer.
    pub(crate) fn send(&self, command: Command) {
        self.commands.push(command);
        // Pairs with the fence in `end`: either the consumer finds the command
        // there, or this thread sees that it has ended.
        fence(Ordering::SeqCst);
        if self.ended.load(Ordering::Relaxed) {
            self.complete_all(true);
        } else {
            self.consumer.unpark();
        }
    }

    /// The consumer takes no more commands. All that can still come is
    /// answered here or by the one that sends it: everything that was accepted
    /// has been committed, so there is nothing left to do.
    pub(crate) fn end(&self, written: bool) {
        self.ended.store(true, Ordering::Relaxed);
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

    /// From now on the consumer wants to be woken on pressure.
    pub(crate) fn arm(&self) {
        self.armed.store(true, Ordering::Relaxed);
    }

    /// The consumer is awake.
    pub(crate) fn disarm(&self) {
        self.armed.store(false, Ordering::Relaxed);
    }
}
