//! A panic in the consumer: it begins again at the last commit.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![cfg(loom)]

use std::sync::Arc;

use loom::thread;
use quipu::model::record;
use quipu_loom_tests::{ALL, Consumer, Point, Shared, explore};

/// A producer of three records and a consumer of two slots that panics once, at
/// `point`: what was accepted is counted once, in its order, and what was
/// overwritten had been counted and visible before.
fn counted_once_in_spite_of_a_panic(point: Point) {
    let (shared, mut consumer) = Shared::new(1, 2);
    consumer.panics_at = Some(point);
    let producer = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            let accepted = |mark: &u64| {
                let is_accepted = shared.ring.push(0, &record(*mark)).is_ok();
                if is_accepted && *mark == 3 {
                    let view = shared.published.load();
                    assert_eq!(view.counted.first(), Some(&1), "released too early");
                }
                is_accepted
            };
            [1, 2, 3].into_iter().filter(accepted).collect::<Vec<_>>()
        }
    });
    for _ in 0..2 {
        consumer.survive(|consumer| {
            consumer.round();
            consumer.commit();
        });
    }
    let accepted = producer.join().unwrap();
    // Once more for a panic that had nothing to come from until now.
    for _ in 0..2 {
        consumer.survive(|consumer| {
            consumer.round();
            consumer.commit();
        });
    }
    assert_eq!(shared.published.load().counted, accepted);
    assert_eq!(consumer.panics_at, None);
    let batch = shared.ring.push_batch(0, &[4, 5].map(record));
    assert_eq!(batch, (2, None), "everything is released");
}

#[test]
fn what_was_counted_in_the_midst_of_a_drain_is_counted_once() {
    explore(
        "what was counted in a drain that ended with a panic is counted again from the ring, once",
        ALL,
        || counted_once_in_spite_of_a_panic(Point::Counted),
    );
}

#[test]
fn what_was_drained_before_a_panic_is_counted_once() {
    explore(
        "the same for what a panic found drained and not committed",
        ALL,
        || counted_once_in_spite_of_a_panic(Point::Drained),
    );
}

#[test]
fn a_commit_that_a_panic_left_unpublished_is_kept() {
    explore(
        "what was committed and not published before a panic is published, then its slots are released",
        ALL,
        || counted_once_in_spite_of_a_panic(Point::Committed),
    );
}

#[test]
fn slots_that_a_panic_left_are_released() {
    explore(
        "what was committed and not released before a panic is released, and not counted again",
        ALL,
        || counted_once_in_spite_of_a_panic(Point::Published),
    );
}

#[test]
fn a_flush_beside_a_panic_is_answered_and_means_the_same() {
    explore(
        "a flush whose consumer panics is answered after the restart, and covers what was accepted before it",
        ALL,
        || {
            let (shared, mut consumer) = Shared::new(1, 2);
            consumer.panics_at = Some(Point::Counted);
            let consumer = thread::spawn(
                move || {
                    while consumer.survive(Consumer::answer).is_none() {}
                },
            );
            shared.ring.push(0, &record(1)).expect("there is room");
            assert!(shared.mailbox.flush().wait());
            assert_eq!(shared.published.load().counted, [1]);
            consumer.join().unwrap();
        },
    );
}
