//! The consumer of the models: `src/consumer/run.rs` without files and time.

use std::sync::Arc;

use loom::thread;
use quipu::model::{Drainer, Mailbox, Published, Ring, mark};

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
    /// A ring of one shard with `capacity` slots, and its consumer.
    #[must_use]
    pub fn new(capacity: usize) -> (Arc<Self>, Consumer) {
        let ring = Ring::new(1, capacity, 0).expect("memory");
        let newest = View {
            generation: 0,
            positions: vec![0],
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
            next: newest,
        };
        (shared, consumer)
    }

    /// What a handle's `close` does.
    pub fn close(&self) -> bool {
        self.ring.close();
        self.mailbox.close().wait()
    }
}

/// Drains, commits, publishes, releases.
#[derive(Debug)]
pub struct Consumer {
    shared: Arc<Shared>,
    drainer: Drainer,
    next: View,
}

impl Consumer {
    /// Works until a close arrives; `written` says whether its commits can be
    /// written.
    pub fn run(mut self, written: bool) {
        loop {
            let mut tickets = Vec::new();
            let mut closing = false;
            while let Some((ticket, is_close)) = self.shared.mailbox.receive() {
                tickets.push(ticket);
                closing |= is_close;
            }
            if !tickets.is_empty() {
                let target = self.drainer.target();
                while !self.drainer.has_reached(&target) {
                    if self.round() == 0 {
                        thread::yield_now();
                    }
                    self.commit();
                }
                self.commit();
                if closing {
                    self.shared.mailbox.end(written);
                }
                for ticket in tickets {
                    ticket.complete(written);
                }
                if closing {
                    return;
                }
            }
            // What is drained here waits for the next commit.
            self.round();
            self.shared.mailbox.park();
        }
    }

    /// Drains what is there; gives how many.
    pub fn round(&mut self) -> u64 {
        let counted = &mut self.next.counted;
        self.drainer.drain(u64::MAX, |record| {
            counted.push(mark(record).expect("a record is whole"));
        })
    }

    /// Publishes what was drained, then hands its slots back (I4).
    pub fn commit(&mut self) {
        if self.next.positions == self.drainer.positions() {
            return;
        }
        self.next.positions = self.drainer.positions().to_vec();
        self.next.generation += 1;
        self.shared.published.publish(self.next.clone());
        self.drainer.release();
    }
}
