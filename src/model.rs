//! The internals that the models in `loom-tests` are about, as public types.
//! Exists under loom only.

#![allow(clippy::expect_used)]

mod names;
// The rest of their folders needs files.
#[path = "snapshot/publish.rs"]
mod publish;
#[path = "snapshot/recycle.rs"]
mod recycle;
mod store;

pub use names::{Named, NamedStore, NamesReader};

use store::{Live, live_words, version};

use crate::consumer::{self, Command, Waited};
use crate::disk::Placed;
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

    /// The ring as a forked child has it.
    pub fn forked(&self) -> std::io::Result<Self> {
        Ok(Self(sync::Arc::new(self.0.forked()?)))
    }

    pub fn push(&self, home: usize, record: &UsageRecord) -> Result<(), Refused> {
        self.0.push(home, record)?;
        Ok(())
    }

    /// The same, and wakes the consumer on pressure, as `Recorder::record` does.
    pub fn push_and_press(
        &self,
        home: usize,
        record: &UsageRecord,
        mailbox: &Mailbox,
    ) -> Result<(), Refused> {
        let wake = self.0.push(home, record);
        if wake != Ok(false) && wake != Err(ring::Refused::Closed) {
            mailbox.mailbox.press();
        }
        wake?;
        Ok(())
    }

    pub fn push_batch(&self, home: usize, records: &[UsageRecord]) -> (usize, Option<Refused>) {
        let (accepted, _, refused) = self.0.push_batch(home, records);
        (accepted, refused.map(Refused::from))
    }

    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
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
    pub fn go_back(&mut self, positions: &[u64]) {
        self.0.go_back(positions);
    }

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
        Wait(self.mailbox.flush())
    }

    /// Closes the ring as well; `None` in a forked child.
    pub fn close(&self, ring: &Ring) -> Option<Wait> {
        self.mailbox.close(&ring.0).map(Wait)
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

    /// The consumer sleeps until a command is sent, or somebody presses;
    /// `asleep` is done when it can be woken.
    pub fn sleep(&self, asleep: impl FnOnce()) {
        self.mailbox.sleep(|| {
            asleep();
            self.parker.park();
        });
    }

    /// The consumer's timer comes.
    pub fn time_passes(&self) {
        self.parker.unparker().unpark();
    }

    /// How often the consumer was woken, by its timer or somebody else.
    pub fn wake_ups(&self) -> u64 {
        self.parker.unparker().calls()
    }
}

/// Whether the consumer has made its last commit.
#[derive(Debug, Default)]
pub struct Over(consumer::Over);

impl Over {
    pub fn set(&self) {
        self.0.set();
    }

    pub fn is_set(&self) -> bool {
        self.0.is_set()
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

/// The word that says which generation is committed.
#[derive(Debug)]
pub struct Committed(Live);

impl Committed {
    /// Generation 0.
    pub fn new() -> std::io::Result<Self> {
        let live = Live::new(Placed::anonymous(live_words::COMMITTED + 1)?);
        live.store_sealed(live_words::COMMITTED, 0);
        Ok(Self(live))
    }

    pub fn store(&self, generation: u64) {
        self.0.store_sealed(live_words::COMMITTED, generation);
    }

    pub fn load(&self) -> u64 {
        let generation = self.0.load_sealed(live_words::COMMITTED);
        generation.expect("it has its check bits")
    }
}

/// A value that snapshots share, and those that newer snapshots replaced.
#[derive(Debug)]
pub struct Recycled<T> {
    newest: sync::Arc<T>,
    used: recycle::Used<T>,
}

impl<T: Clone> Recycled<T> {
    pub fn new(first: T) -> Self {
        Self {
            newest: sync::Arc::new(first),
            used: recycle::Used::new(),
        }
    }

    /// What a snapshot has of it.
    pub fn snapshot(&self) -> sync::Arc<T> {
        sync::Arc::clone(&self.newest)
    }

    /// The value to change, for the next snapshot.
    pub fn edit(&mut self) -> &mut T {
        recycle::own(&mut self.newest, &mut self.used)
    }

    /// Replaced values that wait to be used again.
    pub fn waiting(&self) -> usize {
        self.used.len()
    }
}
