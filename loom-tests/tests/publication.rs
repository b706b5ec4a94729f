//! Publication: the consumer commits, publishes a snapshot, and only then
//! releases the slots; and what snapshots shared is used again.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![cfg(loom)]

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;
use quipu::model::{Over, Recycled, distance, record};
use quipu_loom_tests::{ALL, Shared, THREE, View, explore};

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
    explore(
        "a reader's snapshots never go back, and accepted = committed + in ring for every reader at any time (I1)",
        THREE,
        || {
            let (shared, mut consumer) = Shared::new(1, 2);
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
        },
    );
}

#[test]
fn a_slot_is_free_again_only_when_its_record_is_visible() {
    explore(
        "who gets a slot again finds its former record in the snapshot (I4)",
        ALL,
        || {
            let (shared, mut consumer) = Shared::new(1, 1);
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
        },
    );
}

#[test]
fn the_last_checkpoint_has_the_last_commit() {
    explore(
        "who writes checkpoints and hears that it is over finds the last commit published",
        ALL,
        || {
            let (shared, mut consumer) = Shared::new(1, 1);
            shared.ring.push(0, &record(1)).expect("there is room");
            let over = Arc::new(Over::default());
            let checkpointer = thread::spawn({
                let (shared, over) = (Arc::clone(&shared), Arc::clone(&over));
                move || {
                    let is_last = over.is_set();
                    assert!(load(&shared).0.generation == 1 || !is_last);
                }
            });
            consumer.round();
            consumer.commit();
            over.set();
            checkpointer.join().unwrap();
        },
    );
}

/// A value of two words whose readers and writers loom watches. Each change is
/// of one word, so that the other must have come along.
#[derive(Debug)]
struct Watched([UnsafeCell<u64>; 2]);

// SAFETY: for whom it is shared, is what the model is about.
unsafe impl Sync for Watched {}

impl Watched {
    fn new(words: [u64; 2]) -> Self {
        Self(words.map(UnsafeCell::new))
    }

    fn get(&self) -> [u64; 2] {
        // SAFETY: loom fails the model when somebody writes meanwhile.
        [0, 1].map(|word| self.0[word].with(|word| unsafe { *word }))
    }

    fn set(&self, word: usize, to: u64) {
        // SAFETY: as above.
        self.0[word].with_mut(|word| unsafe { *word = to });
    }

    /// Change number `n`.
    fn change(&mut self, n: u64) {
        self.set(n as usize % 2, n);
    }
}

impl Clone for Watched {
    fn clone(&self) -> Self {
        Self::new(self.get())
    }

    fn clone_from(&mut self, other: &Self) {
        for (word, to) in other.get().into_iter().enumerate() {
            self.set(word, to);
        }
    }
}

/// What it is after change number `n`, where 1 is the first.
fn after(n: u64) -> [u64; 2] {
    let before = n.saturating_sub(1);
    if n.is_multiple_of(2) {
        [n, before]
    } else {
        [before, n]
    }
}

/// A thread that reads the newest value, which is that after change `n`.
fn reader(value: &Recycled<Watched>, n: u64) -> thread::JoinHandle<()> {
    let snapshot = value.snapshot();
    thread::spawn(move || assert_eq!(snapshot.get(), after(n)))
}

#[test]
fn a_snapshot_keeps_its_value_as_long_as_somebody_has_it() {
    explore(
        "what snapshots share is not changed, and its memory not used again, before the last reader lets go of it",
        ALL,
        || {
            let mut value = Recycled::new(Watched::new([0, 0]));
            let first = reader(&value, 0);
            value.edit().change(1);
            let second = reader(&value, 1);
            value.edit().change(2);
            let newest = value.snapshot();
            value.edit().change(3);
            assert_eq!(newest.get(), after(2));
            first.join().unwrap();
            second.join().unwrap();
        },
    );
}

#[test]
fn memory_is_used_again_when_its_readers_are_gone() {
    explore(
        "what is used again has the whole of the value; where two snapshots are read at once at most, \
         two values wait for it at most",
        ALL,
        || {
            let mut value = Recycled::new(Watched::new([0, 0]));
            let mut before: Option<thread::JoinHandle<()>> = None;
            for n in 0..3 {
                let reader = reader(&value, n);
                value.edit().change(n + 1);
                if let Some(before) = before.replace(reader) {
                    before.join().unwrap();
                }
            }
            before.unwrap().join().unwrap();
            assert_eq!(value.snapshot().get(), after(3));
            assert!(value.waiting() <= 2, "{} values wait", value.waiting());
        },
    );
}
