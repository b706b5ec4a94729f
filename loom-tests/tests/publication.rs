//! Publication: the consumer commits, publishes a snapshot, and only then
//! releases the slots.
//!
//! - A reader's snapshots never go back, and what is in one belongs together.
//! - A snapshot never covers more than what is claimed: `accepted = committed
//!   + in ring` holds for every reader at any time (I1).
//! - Who gets a slot again finds its former record in the snapshot (I4).
//!
//! In every interleaving with at most 3 preemptions, on one core:
//!
//! | model | executions | seconds |
//! |---|---:|---:|
//! | snapshots never go back and always balance | 7 028 | 1 |
//! | a slot is free again only when its record is visible | 48 | 0 |

#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(loom)]

use std::sync::Arc;

use loom::thread;
use quipu::model::{distance, record};
use quipu_loom_tests::{Shared, View, explore};

/// The newest snapshot, which must add up; with what is in the ring beside it.
fn load(shared: &Shared) -> (Arc<View>, u64) {
    let view = shared.published.load();
    let in_ring = shared.ring.in_use(&view.positions);
    assert_eq!(distance(0, view.positions[0]), view.counted.len() as u64);
    let marks: Vec<_> = (1..=view.counted.len() as u64).collect();
    assert_eq!(view.counted, marks, "counted once, in order");
    (view, in_ring)
}

#[test]
fn snapshots_never_go_back_and_always_balance() {
    explore(3, || {
        let (shared, mut consumer) = Shared::new(2);
        let producer = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.ring.push(0, &record(1)).expect("there is room");
                shared.ring.push(0, &record(2)).expect("there is room");
            }
        });
        let reader = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let mut seen = (0, 0);
                for _ in 0..2 {
                    let (view, in_ring) = load(&shared);
                    let accepted = view.counted.len() as u64 + in_ring;
                    assert!(accepted <= 2, "{in_ring} in the ring of {view:?}");
                    assert!(view.generation >= seen.0 && accepted >= seen.1);
                    seen = (view.generation, accepted);
                }
            }
        });
        for _ in 0..2 {
            consumer.round();
            consumer.commit();
        }
        producer.join().unwrap();
        reader.join().unwrap();
        consumer.round();
        consumer.commit();
        let (view, in_ring) = load(&shared);
        assert_eq!((view.counted.len(), in_ring), (2, 0));
    });
}

#[test]
fn a_slot_is_free_again_only_when_its_record_is_visible() {
    explore(3, || {
        let (shared, mut consumer) = Shared::new(1);
        let producer = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                shared.ring.push(0, &record(1)).expect("there is room");
                if shared.ring.push(0, &record(2)).is_ok() {
                    let (view, _) = load(&shared);
                    assert!(view.counted.contains(&1), "released before the commit");
                }
            }
        });
        for _ in 0..2 {
            consumer.round();
            consumer.commit();
        }
        producer.join().unwrap();
    });
}
