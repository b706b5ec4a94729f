//! The pair of versions: how a writer replaces rows and commits them, and how
//! readers copy them, without a lock.
//!
//! - A copy is of one generation in all its words, and that generation is the
//!   newest not above the one that was asked for; also for a reader that knows
//!   of that generation by other means than the committed word.
//! - Rows copied at one committed generation belong together, also when some
//!   of them did not change in it, and when the reader skips those whose
//!   generation it has already.
//! - A row that has a value is never taken for one without, or for damaged.
//! - Who is overtaken sees a newer committed generation when it looks again.
//!
//! In every interleaving with at most 3 preemptions, on one core:
//!
//! | model | executions | seconds |
//! |---|---:|---:|
//! | rows of one generation belong together | 20 323 | 1 |
//! | a row that the reader has is skipped only if it is the same | 981 | 0 |
//! | a copy is whole without the committed word | 2 233 | 0 |

#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(loom)]

use std::sync::Arc;

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread::{self, JoinHandle};
use quipu::model::{Copied, Pair};
use quipu_loom_tests::explore;

/// Generation and checksum beside two words.
type Row = Pair<4>;

/// A file of two rows: the first changes in each commit, the other only in
/// those of even generations. The words of a row are the generation.
#[derive(Default)]
struct Store {
    rows: [Row; 2],
    committed: AtomicU64,
}

impl Store {
    fn commit(&self, next: u64) {
        self.rows[0].write(next - 1, next, &[next, next]);
        if next.is_multiple_of(2) {
            self.rows[1].write(next - 1, next, &[next, next]);
        }
        // Release: the rows come before (I3).
        self.committed.store(next, Ordering::Release);
    }

    fn committed(&self) -> u64 {
        // Acquire: pairs with the Release in `commit`.
        self.committed.load(Ordering::Acquire)
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

/// A store at generation 2, and a writer that commits up to `last`.
fn store_and_writer(last: u64) -> (Arc<Store>, JoinHandle<()>) {
    let store = Arc::new(Store::default());
    store.commit(1);
    store.commit(2);
    let writer = thread::spawn({
        let store = Arc::clone(&store);
        move || (3..=last).for_each(|next| store.commit(next))
    });
    (store, writer)
}

#[test]
fn rows_of_one_generation_belong_together() {
    explore(3, || {
        let (store, writer) = store_and_writer(4);
        let mut overtaken = 0;
        for _ in 0..2 {
            let committed = store.committed();
            assert!(committed > overtaken, "overtaken by nobody");
            let rows = [0, 1].map(|row| store.read(row, committed));
            if let [Some(first), Some(second)] = rows {
                assert_eq!((first, second), (committed, committed & !1));
                break;
            }
            overtaken = committed;
        }
        writer.join().unwrap();
        assert_eq!([0, 1].map(|row| store.read(row, 4)), [Some(4), Some(4)]);
    });
}

#[test]
fn a_row_that_the_reader_has_is_skipped_only_if_it_is_the_same() {
    explore(3, || {
        let (store, writer) = store_and_writer(5);
        // As copied when generation 1 was committed.
        let had = 1;
        let committed = store.committed();
        match store.rows[0].generation(committed) {
            Copied::At(generation) => {
                assert_ne!(generation, had, "an old row is taken for the newest");
                assert_eq!(generation, committed);
            }
            Copied::Overtaken => {
                assert!(store.committed() > committed, "overtaken by nobody");
            }
            Copied::Absent | Copied::Damaged => panic!("the row has a value"),
        }
        writer.join().unwrap();
    });
}

#[test]
fn a_copy_is_whole_without_the_committed_word() {
    explore(3, || {
        let (store, writer) = store_and_writer(4);
        // Relaxed: tells the number and nothing about the rows.
        let committed = store.committed.load(Ordering::Relaxed);
        if let Some(generation) = store.read(0, committed) {
            assert!((1..=committed).contains(&generation));
        }
        writer.join().unwrap();
    });
}
