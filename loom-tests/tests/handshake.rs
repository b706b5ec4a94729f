//! Flush and close: mailbox, ticket, ring and consumer.
//!
//! - When a flush returns, everything is committed and visible that its caller
//!   could know to be accepted before.
//! - When a close returns, everything that was accepted is committed, and
//!   nothing is accepted any more.
//! - Every command is answered, also one that is sent while the consumer ends,
//!   and the answer means the same.
//!
//! In every interleaving with at most 3 preemptions, on one core:
//!
//! | model | executions | seconds |
//! |---|---:|---:|
//! | a flush covers what its caller pushed | 339 585 | 52 |
//! | a flush covers what another thread pushed | 9 434 | 1 |
//! | a close covers what was accepted | 8 431 | 2 |
//! | a flush beside a close is answered and means the same | 52 661 | 8 |
//! | a flush beside a close that fails fails | 52 661 | 7 |
//! | two closes wait for the same end | 66 834 | 9 |

#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(loom)]

use std::sync::Arc;

use loom::thread;
use quipu::model::{Refused, record};
use quipu_loom_tests::{Shared, explore};

fn counted(shared: &Shared) -> Vec<u64> {
    let mut counted = shared.published.load().counted.clone();
    counted.sort_unstable();
    counted
}

#[test]
fn a_flush_covers_what_its_caller_pushed() {
    explore(3, || {
        let (shared, consumer) = Shared::new(2);
        let consumer = thread::spawn(move || consumer.run(true));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.ring.push(0, &record(1)).expect("there is room")
        });
        shared.ring.push(0, &record(2)).expect("there is room");
        assert!(shared.mailbox.flush().wait());
        assert!(counted(&shared).contains(&2), "flushed and not visible");
        other.join().unwrap();
        assert!(shared.close());
        assert_eq!(counted(&shared), [1, 2]);
        consumer.join().unwrap();
    });
}

#[test]
fn a_flush_covers_what_another_thread_pushed() {
    explore(3, || {
        let (shared, consumer) = Shared::new(2);
        let consumer = thread::spawn(move || consumer.run(true));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.ring.push(0, &record(1)).expect("there is room")
        });
        other.join().unwrap();
        assert!(shared.mailbox.flush().wait());
        assert_eq!(counted(&shared), [1]);
        assert!(shared.close());
        consumer.join().unwrap();
    });
}

#[test]
fn a_close_covers_what_was_accepted() {
    explore(3, || {
        let (shared, consumer) = Shared::new(2);
        let consumer = thread::spawn(move || consumer.run(true));
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
    });
}

#[test]
fn a_flush_beside_a_close_is_answered_and_means_the_same() {
    explore(3, || {
        let (shared, consumer) = Shared::new(1);
        shared.ring.push(0, &record(1)).expect("there is room");
        let consumer = thread::spawn(move || consumer.run(true));
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
    });
}

#[test]
fn a_flush_beside_a_close_that_fails_fails() {
    explore(3, || {
        let (shared, consumer) = Shared::new(1);
        let consumer = thread::spawn(move || consumer.run(false));
        let flusher = thread::spawn({
            let shared = Arc::clone(&shared);
            move || assert!(!shared.mailbox.flush().wait())
        });
        assert!(!shared.close());
        flusher.join().unwrap();
        consumer.join().unwrap();
    });
}

#[test]
fn two_closes_wait_for_the_same_end() {
    explore(3, || {
        let (shared, consumer) = Shared::new(1);
        shared.ring.push(0, &record(1)).expect("there is room");
        let consumer = thread::spawn(move || consumer.run(true));
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
    });
}
