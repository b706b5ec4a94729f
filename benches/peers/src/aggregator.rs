//! Queues to an aggregator thread, which folds in bulk: it takes what waits,
//! up to a limit, and adds it up under one lock.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::event::{Event, Totals};
use crate::peer::{Handle, Peer, Setup};

/// What the aggregator adds up into. Clones share it.
pub(crate) trait Sink: Clone + Send + Sync + 'static {
    /// Events of one commit, at most.
    const BATCH: usize;

    /// Adds up the events that `next` gives until it gives none; they are
    /// visible afterwards.
    fn commit(&self, next: &mut dyn FnMut() -> Option<Event>);

    fn totals(&self) -> Totals;
}

/// A queue with a receiver for one thread.
pub(crate) trait Queue: Sized + Sync + 'static {
    type Sender: Send;
    type Receiver: Receiver;

    fn open() -> (Self, Self::Receiver);
    fn sender(&self) -> Self::Sender;
    /// Waits while the queue is full.
    fn send(sender: &mut Self::Sender, event: &Event);
}

pub(crate) trait Receiver: Send + 'static {
    fn take(&mut self) -> Option<Event>;

    /// Waits for the next event. `None` when all senders are gone, and now and
    /// then for a queue that can't wait.
    fn wait(&mut self) -> Option<Event> {
        let event = self.take();
        if event.is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        event
    }
}

pub(crate) struct Aggregated<Q: Queue, S> {
    queue: Option<Q>,
    sink: S,
    folded: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    /// Held: whoever settles is the aggregator.
    held: Option<Mutex<Q::Receiver>>,
    worker: Option<JoinHandle<()>>,
}

fn fold<R: Receiver, S: Sink>(receiver: &mut R, sink: &S, mut first: Option<Event>) -> u64 {
    let mut count = 0;
    sink.commit(&mut || {
        if count == S::BATCH {
            return None;
        }
        let event = first.take().or_else(|| receiver.take())?;
        count += 1;
        Some(event)
    });
    count as u64
}

impl<Q: Queue, S: Sink> Aggregated<Q, S> {
    pub(crate) fn boxed(setup: &Setup, sink: S) -> Box<dyn Peer> {
        let (queue, mut receiver) = Q::open();
        let (folded, over) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (mut held, mut worker) = (None, None);
        if setup.held {
            held = Some(Mutex::new(receiver));
        } else {
            let (sink, folded, over) = (sink.clone(), Arc::clone(&folded), Arc::clone(&over));
            worker = Some(thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    if let Some(event) = receiver.wait() {
                        let count = fold(&mut receiver, &sink, Some(event));
                        folded.fetch_add(count, Ordering::Release);
                    }
                }
            }));
        }
        Box::new(Self {
            queue: Some(queue),
            sink,
            folded,
            over,
            held,
            worker,
        })
    }
}

impl<Q: Queue, S: Sink> Peer for Aggregated<Q, S> {
    fn handle(&self) -> Box<dyn Handle + '_> {
        Box::new(Sending::<Q>(self.queue.as_ref().unwrap().sender()))
    }

    fn settle(&self, recorded: u64) {
        while self.folded.load(Ordering::Acquire) < recorded {
            if let Some(receiver) = &self.held {
                let count = fold(&mut *receiver.lock().unwrap(), &self.sink, None);
                self.folded.fetch_add(count, Ordering::Release);
            } else {
                // A poll that spins would take a core from the aggregator.
                thread::sleep(Duration::from_micros(50));
            }
        }
    }

    fn totals(&self) -> Totals {
        self.sink.totals()
    }
}

impl<Q: Queue, S> Drop for Aggregated<Q, S> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // The last sender: a receiver that waits sees the end.
        drop(self.queue.take());
        if let Some(worker) = self.worker.take() {
            worker.join().unwrap();
        }
    }
}

struct Sending<Q: Queue>(Q::Sender);

impl<Q: Queue> Handle for Sending<Q> {
    fn record(&mut self, events: &[Event]) {
        for event in events {
            Q::send(&mut self.0, std::hint::black_box(event));
        }
    }
}
