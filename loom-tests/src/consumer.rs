//! The consumer of the models: `src/consumer/run.rs` and `restart.rs` without
//! files and time.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use loom::thread;
use quipu::model::{Drainer, Mailbox, Published, Ring, Ticket, mark};

/// What a commit makes visible.
#[derive(Clone, Debug)]
pub struct View {
    /// The number of the commit.
    pub generation: u64,
    /// Up to where the ring is committed.
    pub positions: Vec<u64>,
    /// The marks of all records that were counted, in the order of the drain.
    pub counted: Vec<u64>,
}

/// What producers, readers and the consumer share.
#[derive(Debug)]
pub struct Shared {
    /// The ring.
    pub ring: Ring,
    /// The consumer's mailbox.
    pub mailbox: Mailbox,
    /// The newest commit.
    pub published: Published<View>,
}

impl Shared {
    /// A ring of `shards` shards with `capacity` slots each, and its consumer.
    #[must_use]
    pub fn new(shards: usize, capacity: usize) -> (Arc<Self>, Consumer) {
        let ring = Ring::new(shards, capacity, 0).expect("memory");
        let newest = View {
            generation: 0,
            positions: vec![0; shards],
            counted: Vec::new(),
        };
        let shared = Arc::new(Self {
            mailbox: Mailbox::default(),
            published: Published::new(newest.clone()),
            ring,
        });
        let consumer = Consumer {
            drainer: shared.ring.drainer(&newest.positions),
            shared: Arc::clone(&shared),
            can_write: true,
            tickets: Vec::new(),
            is_closing: false,
            panics_at: None,
            file: newest.clone(),
            next: newest,
        };
        (shared, consumer)
    }

    /// What a handle's `close` does.
    pub fn close(&self) -> bool {
        let wait = self.mailbox.close(&self.ring);
        wait.expect("this is no forked child").wait()
    }
}

/// Where a consumer panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// After it counted a record, in the midst of a drain.
    Counted,
    /// After a drain, before the commit.
    Drained,
    /// After the commit, before it is published.
    Committed,
    /// After it published a commit, before the slots are released.
    Published,
}

/// Drains, commits, publishes, releases.
#[derive(Debug)]
pub struct Consumer {
    /// Whether commits can be written.
    pub can_write: bool,
    /// Where it panics when it comes there for the first time.
    pub panics_at: Option<Point>,
    shared: Arc<Shared>,
    drainer: Drainer,
    /// What the next commit will say.
    next: View,
    /// What the last commit said.
    file: View,
    tickets: Vec<Ticket>,
    is_closing: bool,
}

impl Consumer {
    /// Works until a close arrives, whatever happens in between.
    pub fn run(mut self) {
        while !self.survive(Self::answer).unwrap_or(false) {}
    }

    /// Does `work`; after a panic in there, goes back to the last commit and
    /// gives `None`.
    pub fn survive<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> Option<R> {
        let done = catch_unwind(AssertUnwindSafe(|| work(self))).ok();
        if done.is_none() {
            self.restore();
        }
        done
    }

    /// Works until a command arrives and is answered; gives whether it was the
    /// last.
    pub fn answer(&mut self) -> bool {
        loop {
            while let Some((ticket, is_close)) = self.shared.mailbox.receive() {
                self.tickets.push(ticket);
                self.is_closing |= is_close;
            }
            if !self.tickets.is_empty() {
                let target = self.drainer.target();
                while !self.drainer.has_reached(&target) {
                    if self.round() == 0 {
                        thread::yield_now();
                    }
                }
                self.commit();
                if self.is_closing {
                    self.shared.mailbox.end(self.can_write);
                }
                for ticket in self.tickets.drain(..) {
                    ticket.complete(self.can_write);
                }
                return self.is_closing;
            }
            // What is drained here waits for the next commit.
            self.round();
            self.shared.mailbox.park();
        }
    }

    /// Drains what is there; gives how many.
    pub fn round(&mut self) -> u64 {
        let Self {
            drainer,
            next,
            panics_at,
            ..
        } = self;
        drainer.drain(u64::MAX, |record| {
            next.counted.push(mark(record).expect("a record is whole"));
            reach(panics_at, Point::Counted);
        })
    }

    /// Publishes what was drained, then hands its slots back (I4).
    pub fn commit(&mut self) {
        if self.next.positions == self.drainer.positions() {
            return;
        }
        reach(&mut self.panics_at, Point::Drained);
        self.next.positions = self.drainer.positions().to_vec();
        self.next.generation += 1;
        assert!(self.next.generation > self.file.generation);
        self.file = self.next.clone();
        reach(&mut self.panics_at, Point::Committed);
        self.shared.published.publish(self.next.clone());
        reach(&mut self.panics_at, Point::Published);
        self.drainer.release();
    }

    /// Goes back to the last commit, and does what may have been left undone
    /// after it.
    fn restore(&mut self) {
        let published = self.shared.published.load();
        self.next = if self.file.generation > published.generation {
            self.file.clone()
        } else {
            View::clone(&published)
        };
        self.drainer.go_back(&self.next.positions);
        self.shared.published.publish(self.next.clone());
        self.drainer.release();
    }
}

/// Panics if this is the point; only once.
fn reach(panics_at: &mut Option<Point>, point: Point) {
    if *panics_at == Some(point) {
        *panics_at = None;
        // Without the message that every execution would print.
        resume_unwind(Box::new("a panic in the consumer"));
    }
}
