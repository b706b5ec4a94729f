//! The pair of versions: how a writer replaces rows and commits them, and how
//! readers copy them, without a lock.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![cfg(loom)]

use std::sync::Arc;

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread::{self, JoinHandle};
use quipu::model::{Committed, Copied, Pair};
use quipu_loom_tests::{ALL, THREE, explore};

/// Generation and checksum beside two words.
type Row = Pair<4>;

/// A file of two rows: the first changes in each commit, the other only in
/// those of even generations. The words of a row are the generation.
struct Store {
    rows: [Row; 2],
    committed: Committed,
}

impl Store {
    fn commit(&self, next: u64) {
        self.rows[0].write(next - 1, next, &[next, next]);
        if next.is_multiple_of(2) {
            self.rows[1].write(next - 1, next, &[next, next]);
        }
        self.committed.store(next);
    }

    /// The generation of the row as of `committed`; `None` when the writer
    /// overtook.
    fn read(&self, row: usize, committed: u64) -> Option<u64> {
        let mut words = [0; 2];
        match self.rows[row].copy(committed, &mut words) {
            Copied::At(generation) => {
                assert_eq!(words, [generation; 2], "words of two generations");
                Some(generation)
            }
            Copied::Overtaken => None,
            Copied::Absent => panic!("taken for a row without a value"),
            Copied::Damaged => panic!("taken for damaged"),
        }
    }
}

/// A store at generation 2, and a writer that commits up to `last` and does
/// `then` after each commit.
fn store_and_writer(
    last: u64,
    then: impl Fn(u64) + Send + 'static,
) -> (Arc<Store>, JoinHandle<()>) {
    let store = Arc::new(Store {
        rows: Default::default(),
        committed: Committed::new().expect("memory"),
    });
    store.commit(1);
    store.commit(2);
    let writer = thread::spawn({
        let store = Arc::clone(&store);
        move || {
            for next in 3..=last {
                store.commit(next);
                then(next);
            }
        }
    });
    (store, writer)
}

#[test]
fn rows_of_one_generation_belong_together() {
    explore(
        "rows copied at one committed generation are whole and of that commit, also one that did not change in it; \
         beside two commits the third try succeeds at the latest",
        THREE,
        || {
            let (store, writer) = store_and_writer(4, |_| ());
            let mut overtaken = 0;
            let whole = (0..3).any(|_| {
                let committed = store.committed.load();
                assert!(committed > overtaken, "overtaken by nobody");
                overtaken = committed;
                let rows = [0, 1].map(|row| store.read(row, committed));
                let [Some(first), Some(second)] = rows else {
                    return false;
                };
                assert_eq!((first, second), (committed, committed & !1));
                true
            });
            assert!(whole, "overtaken more often than there were commits");
            writer.join().unwrap();
            assert_eq!([0, 1].map(|row| store.read(row, 4)), [Some(4), Some(4)]);
        },
    );
}

#[test]
fn a_row_that_the_reader_has_is_skipped_only_if_it_is_the_same() {
    explore(
        "a row whose generation the reader has already is the newest; who is overtaken sees a newer commit",
        ALL,
        || {
            let (store, writer) = store_and_writer(5, |_| ());
            // As copied when generation 1 was committed.
            let had = 1;
            let committed = store.committed.load();
            match store.rows[0].generation(committed) {
                Copied::At(generation) => {
                    assert_ne!(generation, had, "an old row is taken for the newest");
                    assert_eq!(generation, committed);
                }
                Copied::Overtaken => {
                    assert!(store.committed.load() > committed, "overtaken by nobody");
                }
                Copied::Absent | Copied::Damaged => panic!("the row has a value"),
            }
            writer.join().unwrap();
        },
    );
}

#[test]
fn a_copy_is_whole_without_the_committed_word() {
    explore(
        "a copy is whole also for who knows of a generation by other means than the committed word",
        ALL,
        || {
            let hearsay = Arc::new(AtomicU64::new(2));
            let (store, writer) = store_and_writer(4, {
                let hearsay = Arc::clone(&hearsay);
                // Relaxed: tells the number and nothing about the rows.
                move |next| hearsay.store(next, Ordering::Relaxed)
            });
            let heard = hearsay.load(Ordering::Relaxed);
            if let Some(generation) = store.read(0, heard) {
                assert!((1..=heard).contains(&generation));
            }
            writer.join().unwrap();
        },
    );
}
