//! Channels to an aggregator thread, bounded, which block while full.

use std::sync::mpsc;

use crate::aggregator::{Aggregated, Queue, Receiver};
use crate::event::{Event, Ids, Names};
use crate::maps::Map;
use crate::peer::{CAPACITY, Row};

pub(crate) const ROWS: &[Row] = &[
    Row::in_memory("std::sync::mpsc, bounded", |setup| {
        Aggregated::<Std, Map<Ids>>::boxed(setup, Map::default())
    }),
    Row::in_memory("std::sync::mpsc, unbounded", |setup| {
        Aggregated::<StdUnbounded, Map<Ids>>::boxed(setup, Map::default())
    }),
    Row::in_memory("crossbeam-channel", |setup| {
        Aggregated::<Crossbeam, Map<Ids>>::boxed(setup, Map::default())
    }),
    Row::in_memory("crossbeam-channel, keyed by names", |setup| {
        Aggregated::<Crossbeam, Map<Names>>::boxed(setup, Map::default())
    }),
    Row::in_memory("kanal", |setup| {
        Aggregated::<Kanal, Map<Ids>>::boxed(setup, Map::default())
    }),
    Row::in_memory("flume", |setup| {
        Aggregated::<Flume, Map<Ids>>::boxed(setup, Map::default())
    }),
    Row::in_memory("tokio::sync::mpsc", |setup| {
        Aggregated::<Tokio, Map<Ids>>::boxed(setup, Map::default())
    }),
];

/// A queue whose senders are clones of the one that is kept here.
macro_rules! channel {
    ($name:ident, $sender:ty, $receiver:ty, $open:expr, $send:expr, $take:expr, $wait:expr) => {
        pub(crate) struct $name($sender);

        impl Queue for $name {
            type Sender = $sender;
            type Receiver = $receiver;

            fn open() -> (Self, Self::Receiver) {
                let (sender, receiver) = $open;
                (Self(sender), receiver)
            }

            fn sender(&self) -> Self::Sender {
                self.0.clone()
            }

            #[inline]
            fn send(sender: &mut Self::Sender, event: &Event) {
                let send: fn(&mut $sender, Event) = $send;
                send(sender, *event);
            }
        }

        impl Receiver for $receiver {
            fn take(&mut self) -> Option<Event> {
                let take: fn(&mut $receiver) -> Option<Event> = $take;
                take(self)
            }

            fn wait(&mut self) -> Option<Event> {
                let wait: fn(&mut $receiver) -> Option<Event> = $wait;
                wait(self)
            }
        }
    };
}

channel!(
    Std,
    mpsc::SyncSender<Event>,
    mpsc::Receiver<Event>,
    mpsc::sync_channel(CAPACITY),
    |sender, event| sender.send(event).unwrap(),
    |receiver| receiver.try_recv().ok(),
    |receiver| receiver.recv().ok()
);
channel!(
    Crossbeam,
    crossbeam_channel::Sender<Event>,
    crossbeam_channel::Receiver<Event>,
    crossbeam_channel::bounded(CAPACITY),
    |sender, event| sender.send(event).unwrap(),
    |receiver| receiver.try_recv().ok(),
    |receiver| receiver.recv().ok()
);
channel!(
    Kanal,
    kanal::Sender<Event>,
    kanal::Receiver<Event>,
    kanal::bounded(CAPACITY),
    |sender, event| sender.send(event).unwrap(),
    |receiver| receiver.try_recv().ok().flatten(),
    |receiver| receiver.recv().ok()
);
channel!(
    Flume,
    flume::Sender<Event>,
    flume::Receiver<Event>,
    flume::bounded(CAPACITY),
    |sender, event| sender.send(event).unwrap(),
    |receiver| receiver.try_recv().ok(),
    |receiver| receiver.recv().ok()
);
// `try_send` is what code that must not wait calls; the other only when full.
channel!(
    Tokio,
    tokio::sync::mpsc::Sender<Event>,
    tokio::sync::mpsc::Receiver<Event>,
    tokio::sync::mpsc::channel(CAPACITY),
    |sender, event| {
        if sender.try_send(event).is_err() {
            sender.blocking_send(event).unwrap();
        }
    },
    |receiver| receiver.try_recv().ok(),
    |receiver| receiver.blocking_recv()
);

/// `std`'s other sender, with the same receiver.
struct StdUnbounded(mpsc::Sender<Event>);

impl Queue for StdUnbounded {
    type Sender = mpsc::Sender<Event>;
    type Receiver = mpsc::Receiver<Event>;

    fn open() -> (Self, Self::Receiver) {
        let (sender, receiver) = mpsc::channel();
        (Self(sender), receiver)
    }

    fn sender(&self) -> Self::Sender {
        self.0.clone()
    }

    fn send(sender: &mut Self::Sender, event: &Event) {
        sender.send(*event).unwrap();
    }
}
