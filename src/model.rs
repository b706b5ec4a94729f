//! The internals that the models in `loom-tests` are about, as public types.
//! Exists under loom only.

// The rest of their folders needs files.
#[path = "snapshot/publish.rs"]
mod publish;
#[path = "store/version.rs"]
mod version;

use crate::consumer::{self, Command, Waited};
use crate::record::{RECORD_WORDS, UsageRecord};
use crate::ring::{self, Shard};
use crate::sync;

/// A record all of whose words are `mark`.
pub fn record(mark: u64) -> UsageRecord {
    bytemuck::must_cast([mark; RECORD_WORDS])
}

/// The mark of a record; `None` where its words are not of one record.
pub fn mark(record: &UsageRecord) -> Option<u64> {
    let words: [u64; RECORD_WORDS] = bytemuck::must_cast(*record);
    words
        .iter()
        .all(|word| *word == words[0])
        .then_some(words[0])
}

/// Positions from `from` on to `to`.
pub fn distance(from: u64, to: u64) -> u64 {
    ring::distance(from, to)
}

/// Why a record was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Full,
    Closed,
}

impl From<ring::Refused> for Refused {
    fn from(why: ring::Refused) -> Self {
        match why {
            ring::Refused::Full => Self::Full,
            ring::Refused::Closed => Self::Closed,
        }
    }
}

/// A ring on the heap.
#[derive(Clone, Debug)]
pub struct Ring(sync::Arc<ring::Ring>);

impl Ring {
    /// `shards` shards of `capacity` slots, all of which start at `position`.
    pub fn new(shards: usize, capacity: usize, position: u64) -> std::io::Result<Self> {
        let shards: std::io::Result<Vec<_>> = (0..shards)
            .map(|_| Shard::in_memory(capacity, position))
            .collect();
        Ok(Self(sync::Arc::new(ring::Ring::new(&shards?)?)))
    }

    pub fn push(&self, home: usize, record: &UsageRecord) -> Result<(), Refused> {
        self.0.push(home, record)?;
        Ok(())
    }

    pub fn push_batch(&self, home: usize, records: &[UsageRecord]) -> (usize, Option<Refused>) {
        let (accepted, _, refused) = self.0.push_batch(home, records);
        (accepted, refused.map(Refused::from))
    }

    pub fn close(&self) {
        self.0.close();
    }

    pub fn in_use(&self, committed: &[u64]) -> u64 {
        self.0.in_use(committed)
    }

    /// The one drainer, which goes on at the given positions.
    pub fn drainer(&self, positions: &[u64]) -> Drainer {
        Drainer(ring::Drainer::new(sync::Arc::clone(&self.0), positions))
    }
}

/// The reading side of a [`Ring`].
#[derive(Debug)]
pub struct Drainer(ring::Drainer);

impl Drainer {
    pub fn drain(&mut self, most: u64, take: impl FnMut(&UsageRecord)) -> u64 {
        self.0.drain(most, take)
    }

    pub fn target(&self) -> Box<[u64]> {
        self.0.target()
    }

    pub fn has_reached(&self, target: &[u64]) -> bool {
        self.0.has_reached(target)
    }

    pub fn positions(&self) -> &[u64] {
        self.0.positions()
    }

    pub fn release(&self) {
        self.0.release();
    }
}

/// The consumer's side of a wait.
#[derive(Debug)]
pub struct Ticket(consumer::Ticket);

impl Ticket {
    pub fn complete(self, written: bool) {
        self.0.complete(written);
    }
}

/// A command that was sent, waiting to be done.
#[derive(Debug)]
pub struct Wait(consumer::Wait);

impl Wait {
    /// Waits for the end; gives whether everything was written.
    pub fn wait(self) -> bool {
        self.0.wait(None) == Waited::Done
    }
}

/// A mailbox together with what its consumer parks on.
#[derive(Debug)]
pub struct Mailbox {
    mailbox: consumer::Mailbox,
    parker: sync::Parker,
}

impl Default for Mailbox {
    fn default() -> Self {
        let parker = sync::Parker::new();
        Self {
            mailbox: consumer::Mailbox::new(parker.unparker().clone()),
            parker,
        }
    }
}

impl Mailbox {
    pub fn flush(&self) -> Wait {
        self.send(Command::Flush)
    }

    pub fn close(&self) -> Wait {
        self.send(Command::Close)
    }

    fn send(&self, command: impl FnOnce(consumer::Ticket) -> Command) -> Wait {
        let (ticket, wait) = consumer::ticket();
        self.mailbox.send(command(ticket));
        Wait(wait)
    }

    /// The next command's ticket, and whether it is a close.
    pub fn receive(&self) -> Option<(Ticket, bool)> {
        match self.mailbox.receive()? {
            Command::Flush(ticket) => Some((Ticket(ticket), false)),
            Command::Close(ticket) => Some((Ticket(ticket), true)),
        }
    }

    pub fn end(&self, written: bool) {
        self.mailbox.end(written);
    }

    /// The consumer sleeps until a command is sent.
    pub fn park(&self) {
        self.parker.park();
    }
}

/// The newest of something.
#[derive(Debug)]
pub struct Published<T>(publish::Published<T>);

impl<T> Published<T> {
    pub fn new(first: T) -> Self {
        Self(publish::Published::new(std::sync::Arc::new(first)))
    }

    pub fn load(&self) -> std::sync::Arc<T> {
        self.0.load()
    }

    pub fn publish(&self, next: T) {
        self.0.publish(std::sync::Arc::new(next));
    }
}

/// What [`Pair::copy`] got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    At(u64),
    Overtaken,
    Absent,
    Damaged,
}

impl From<Result<u64, version::Missed>> for Copied {
    fn from(copied: Result<u64, version::Missed>) -> Self {
        match copied {
            Ok(generation) => Self::At(generation),
            Err(version::Missed::Overtaken) => Self::Overtaken,
            Err(version::Missed::Absent) => Self::Absent,
            Err(version::Missed::Damaged(_)) => Self::Damaged,
        }
    }
}

/// Two versions of `N - 2` words.
#[derive(Debug, Default)]
pub struct Pair<const N: usize>(version::Pair<N>);

impl<const N: usize> Pair<N> {
    pub fn write(&self, committed: u64, next: u64, payload: &[u64]) {
        self.0.write(committed, next, payload);
    }

    pub fn copy(&self, committed: u64, payload: &mut [u64]) -> Copied {
        let copied = self.0.copy(committed, payload);
        copied.map(|stamp| stamp.generation).into()
    }

    pub fn generation(&self, committed: u64) -> Copied {
        self.0.generation(committed).into()
    }
}
