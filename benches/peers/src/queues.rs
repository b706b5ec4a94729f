//! Bare queues, which know no waiting: the aggregator looks once a
//! millisecond when there is nothing.

use std::sync::{Arc, Mutex};
use std::thread;

use crossbeam_queue::ArrayQueue;
use disruptor::{BusySpin, EventPoller, MultiProducer, MultiProducerBarrier, Producer as _};
use disruptor::{SingleConsumerBarrier, build_multi_producer};
use thingbuf::ThingBuf;

use crate::aggregator::{Aggregated, Queue, Receiver};
use crate::event::{Event, Ids};
use crate::maps::Map;
use crate::peer::{CAPACITY, Row};

pub(crate) const ROWS: &[Row] = &[
    Row::in_memory("crossbeam ArrayQueue", |setup| {
        Aggregated::<Array, Map<Ids>>::boxed(setup, Map::default())
    }),
    Row::in_memory("thingbuf", |setup| {
        Aggregated::<Thing, Map<Ids>>::boxed(setup, Map::default())
    }),
    Row::in_memory("disruptor, many producers", |setup| {
        Aggregated::<Disruptor, Map<Ids>>::boxed(setup, Map::default())
    }),
    Row::in_memory("rtrb, one ring per thread", |setup| {
        Aggregated::<Rtrb, Map<Ids>>::boxed(setup, Map::default())
    }),
];

struct Array(Arc<ArrayQueue<Event>>);

impl Queue for Array {
    type Sender = Arc<ArrayQueue<Event>>;
    type Receiver = Arc<ArrayQueue<Event>>;

    fn open() -> (Self, Self::Receiver) {
        let queue = Arc::new(ArrayQueue::new(CAPACITY));
        (Self(Arc::clone(&queue)), queue)
    }

    fn sender(&self) -> Self::Sender {
        Arc::clone(&self.0)
    }

    fn send(sender: &mut Self::Sender, event: &Event) {
        while sender.push(*event).is_err() {
            thread::yield_now();
        }
    }
}

impl Receiver for Arc<ArrayQueue<Event>> {
    fn take(&mut self) -> Option<Event> {
        self.pop()
    }
}

type Slots = ThingBuf<Option<Event>>;

struct Thing(Arc<Slots>);

impl Queue for Thing {
    type Sender = Arc<Slots>;
    type Receiver = Arc<Slots>;

    fn open() -> (Self, Self::Receiver) {
        let queue = Arc::new(ThingBuf::new(CAPACITY));
        (Self(Arc::clone(&queue)), queue)
    }

    fn sender(&self) -> Self::Sender {
        Arc::clone(&self.0)
    }

    fn send(sender: &mut Self::Sender, event: &Event) {
        // Written in place, which is what the crate is for.
        while sender.push_with(|slot| *slot = Some(*event)).is_err() {
            thread::yield_now();
        }
    }
}

impl Receiver for Arc<Slots> {
    fn take(&mut self) -> Option<Event> {
        self.pop_ref().and_then(|mut slot| slot.take())
    }
}

type Sending = MultiProducer<Option<Event>, SingleConsumerBarrier>;

struct Disruptor(Mutex<Sending>);

impl Queue for Disruptor {
    type Sender = Sending;
    type Receiver = Polling;

    fn open() -> (Self, Self::Receiver) {
        let (poller, builder) =
            build_multi_producer(CAPACITY, || None, BusySpin).new_event_poller();
        let taken = Vec::new().into_iter();
        (Self(Mutex::new(builder.build())), Polling { poller, taken })
    }

    fn sender(&self) -> Self::Sender {
        self.0.lock().unwrap().clone()
    }

    fn send(sender: &mut Self::Sender, event: &Event) {
        while sender.try_publish(|slot| *slot = Some(*event)).is_err() {
            thread::yield_now();
        }
    }
}

/// Events come by the batch; here they wait to be asked for one by one.
struct Polling {
    poller: EventPoller<Option<Event>, MultiProducerBarrier>,
    taken: std::vec::IntoIter<Event>,
}

impl Receiver for Polling {
    fn take(&mut self) -> Option<Event> {
        if let Some(event) = self.taken.next() {
            return Some(event);
        }
        let mut batch = self.poller.take(1024).ok()?;
        let events: Vec<_> = batch.filter_map(|event| *event).collect();
        self.taken = events.into_iter();
        self.taken.next()
    }
}

type Rings = Arc<Mutex<Vec<rtrb::Consumer<Event>>>>;

struct Rtrb(Rings);

impl Queue for Rtrb {
    type Sender = rtrb::Producer<Event>;
    type Receiver = Draining;

    fn open() -> (Self, Self::Receiver) {
        let rings = Rings::default();
        let taken = Vec::new().into_iter();
        (Self(Arc::clone(&rings)), Draining { rings, taken })
    }

    fn sender(&self) -> Self::Sender {
        let (producer, consumer) = rtrb::RingBuffer::new(CAPACITY);
        self.0.lock().unwrap().push(consumer);
        producer
    }

    fn send(sender: &mut Self::Sender, event: &Event) {
        while sender.push(*event).is_err() {
            thread::yield_now();
        }
    }
}

/// Takes from all rings, by the chunk.
struct Draining {
    rings: Rings,
    taken: std::vec::IntoIter<Event>,
}

impl Receiver for Draining {
    fn take(&mut self) -> Option<Event> {
        if let Some(event) = self.taken.next() {
            return Some(event);
        }
        let mut events = Vec::new();
        let mut rings = self.rings.lock().unwrap();
        for ring in rings.iter_mut() {
            let some = ring.slots().min(1024);
            events.extend(ring.read_chunk(some).unwrap());
        }
        // The ring of a thread that ended.
        rings.retain(|ring| !ring.is_abandoned() || !ring.is_empty());
        self.taken = events.into_iter();
        self.taken.next()
    }
}
