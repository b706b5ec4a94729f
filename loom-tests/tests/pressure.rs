//! Pressure: a consumer that sleeps is woken when a shard is half full, by one
//! of those who see it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![cfg(loom)]

use std::sync::Arc;

use loom::thread;
use quipu::model::{Refused, record};
use quipu_loom_tests::{ALL, Shared, THREE, explore};

/// A thread that pushes one record.
fn presses(shared: &Arc<Shared>, mark: u64) -> thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let pushed = shared
            .ring
            .push_and_press(0, &record(mark), &shared.mailbox);
        pushed.expect("there is room");
    })
}

#[test]
fn of_all_who_see_pressure_one_wakes_the_consumer() {
    explore(
        "a sleeper is woken by the records that fill a shard up to the mark, by one system call",
        ALL,
        || {
            let (shared, _) = Shared::new(1, 2);
            let mut producers = Vec::new();
            shared.mailbox.sleep(|| {
                producers.extend([presses(&shared, 1), presses(&shared, 2)]);
            });
            for producer in producers {
                producer.join().unwrap();
            }
            assert_eq!(shared.mailbox.wake_ups(), 1);
        },
    );
}

#[test]
fn who_goes_elsewhere_wakes_the_consumer() {
    explore(
        "a sleeper is woken by a record for which a full shard's neighbour has room, below its own mark",
        ALL,
        || {
            let (shared, _) = Shared::new(2, 4);
            for n in 1..=4 {
                shared.ring.push(0, &record(n)).expect("there is room");
            }
            let mut producer = None;
            shared.mailbox.sleep(|| {
                producer = Some(presses(&shared, 5));
            });
            producer.unwrap().join().unwrap();
        },
    );
}

#[test]
fn who_is_awake_is_not_woken() {
    explore(
        "a consumer that its timer woke is not woken again before it sleeps again",
        ALL,
        || {
            let (shared, _) = Shared::new(1, 2);
            shared.mailbox.sleep(|| shared.mailbox.time_passes());
            let producers = [presses(&shared, 1), presses(&shared, 2)];
            for producer in producers {
                producer.join().unwrap();
            }
            assert_eq!(shared.mailbox.wake_ups(), 1);
        },
    );
}

#[test]
fn who_is_refused_gets_room_from_a_sleeper() {
    explore(
        "a producer that tries again when the ring is full gets room without the timer, also if wake-ups were missed",
        THREE,
        || {
            let (shared, mut consumer) = Shared::new(1, 1);
            let producer = thread::spawn({
                let shared = Arc::clone(&shared);
                move || {
                    for n in 1..=2 {
                        let push = || shared.ring.push_and_press(0, &record(n), &shared.mailbox);
                        while push() == Err(Refused::Full) {
                            thread::yield_now();
                        }
                    }
                    shared.mailbox.time_passes();
                }
            });
            while shared.published.load().counted.len() < 2 {
                shared.mailbox.sleep(|| {});
                consumer.round();
                consumer.commit();
            }
            producer.join().unwrap();
            assert_eq!(shared.published.load().counted, [1, 2]);
        },
    );
}
