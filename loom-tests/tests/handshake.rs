//! Flush and close: mailbox, ticket, ring and consumer.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![cfg(loom)]

use std::sync::Arc;

use loom::thread;
use quipu::model::{Refused, record};
use quipu_loom_tests::{Consumer, Shared, THREE, explore};

fn counted(shared: &Shared) -> Vec<u64> {
    let mut counted = shared.published.load().counted.clone();
    counted.sort_unstable();
    counted
}

/// A thread that pushes one record.
fn pushes(shared: &Arc<Shared>, mark: u64) -> thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || shared.ring.push(0, &record(mark)).expect("there is room"))
}

/// The consumer's thread, which ends with the first answer.
fn answers(mut consumer: Consumer) -> thread::JoinHandle<bool> {
    thread::spawn(move || consumer.answer())
}

#[test]
fn a_flush_covers_what_its_caller_pushed() {
    explore(
        "when a flush returns, what its caller pushed is committed and visible, whoever pushes besides",
        THREE,
        || {
            let (shared, consumer) = Shared::new(1, 2);
            let consumer = answers(consumer);
            let other = pushes(&shared, 1);
            shared.ring.push(0, &record(2)).expect("there is room");
            assert!(shared.mailbox.flush().wait());
            assert!(counted(&shared).contains(&2), "flushed and not visible");
            other.join().unwrap();
            consumer.join().unwrap();
        },
    );
}

#[test]
fn a_flush_covers_what_another_thread_pushed() {
    explore(
        "when a flush returns, what its caller knew to be accepted is committed and visible",
        THREE,
        || {
            let (shared, consumer) = Shared::new(1, 2);
            let consumer = thread::spawn(move || consumer.run());
            pushes(&shared, 1).join().unwrap();
            assert!(shared.mailbox.flush().wait());
            assert_eq!(counted(&shared), [1]);
            assert!(shared.close());
            consumer.join().unwrap();
        },
    );
}

#[test]
fn a_close_covers_what_was_accepted() {
    explore(
        "when a close returns, everything that was accepted is committed, and nothing is accepted any more",
        THREE,
        || {
            let (shared, consumer) = Shared::new(1, 2);
            let consumer = answers(consumer);
            let producer = thread::spawn({
                let shared = Arc::clone(&shared);
                move || {
                    let accepted = |mark: &u64| match shared.ring.push(0, &record(*mark)) {
                        Ok(()) => true,
                        Err(Refused::Closed) => false,
                        Err(Refused::Full) => panic!("two records fit two slots"),
                    };
                    [1, 2].into_iter().filter(accepted).collect::<Vec<_>>()
                }
            });
            assert!(shared.close());
            assert_eq!(shared.ring.push(0, &record(3)), Err(Refused::Closed));
            let committed = counted(&shared);
            assert_eq!(producer.join().unwrap(), committed);
            assert_eq!(counted(&shared), committed);
            consumer.join().unwrap();
        },
    );
}

#[test]
fn a_close_covers_every_shard() {
    explore(
        "the same for two shards that are closed one after the other, and for a batch that wants both",
        THREE,
        || {
            let (shared, consumer) = Shared::new(2, 1);
            let consumer = answers(consumer);
            let producer = thread::spawn({
                let shared = Arc::clone(&shared);
                move || {
                    let (accepted, refused) = shared.ring.push_batch(1, &[1, 2].map(record));
                    assert_eq!(refused, (accepted < 2).then_some(Refused::Closed));
                    (1..=accepted as u64).collect::<Vec<_>>()
                }
            });
            assert!(shared.close());
            let committed = counted(&shared);
            assert_eq!(producer.join().unwrap(), committed);
            consumer.join().unwrap();
        },
    );
}

#[test]
fn a_flush_beside_a_close_is_answered_and_means_the_same() {
    explore(
        "a flush that is sent while the consumer ends is answered, and what was accepted is visible",
        THREE,
        || {
            let (shared, consumer) = Shared::new(1, 1);
            shared.ring.push(0, &record(1)).expect("there is room");
            let consumer = thread::spawn(move || consumer.run());
            let flusher = thread::spawn({
                let shared = Arc::clone(&shared);
                move || {
                    assert!(shared.mailbox.flush().wait());
                    assert_eq!(counted(&shared), [1]);
                }
            });
            assert!(shared.close());
            flusher.join().unwrap();
            consumer.join().unwrap();
        },
    );
}

#[test]
fn a_flush_beside_a_close_that_fails_fails() {
    explore(
        "the same where the last commit could not be written: both hear of it",
        THREE,
        || {
            let (shared, mut consumer) = Shared::new(1, 1);
            consumer.can_write = false;
            let consumer = thread::spawn(move || consumer.run());
            let flusher = thread::spawn({
                let shared = Arc::clone(&shared);
                move || assert!(!shared.mailbox.flush().wait())
            });
            assert!(!shared.close());
            flusher.join().unwrap();
            consumer.join().unwrap();
        },
    );
}

#[test]
fn two_closes_wait_for_the_same_end() {
    explore(
        "of two closes each is answered, and finds everything committed",
        THREE,
        || {
            let (shared, consumer) = Shared::new(1, 1);
            shared.ring.push(0, &record(1)).expect("there is room");
            let consumer = thread::spawn(move || consumer.run());
            let other = thread::spawn({
                let shared = Arc::clone(&shared);
                move || {
                    assert!(shared.close());
                    assert_eq!(counted(&shared), [1]);
                }
            });
            assert!(shared.close());
            assert_eq!(counted(&shared), [1]);
            other.join().unwrap();
            consumer.join().unwrap();
        },
    );
}
