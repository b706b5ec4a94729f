//! Names: interned by any thread, in the store's file before anybody can record
//! under them.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![cfg(loom)]

use loom::thread;
use quipu::model::{Named, NamedStore, Ring, mark, record};
use quipu_loom_tests::{ALL, THREE, explore};

/// The newest commit must have the name of its tenant, whatever was lost with
/// the memory of the writer.
fn assert_named(found: &Named, tenant: &str) {
    assert_eq!((&*found.tenant, found.missing), (tenant, 0));
}

#[test]
fn a_name_that_two_threads_bring_has_one_id() {
    explore(
        "two threads that intern one name get one id, and when it is in a record its name is in the file",
        THREE,
        || {
            let store = NamedStore::new(0).expect("memory");
            let ring = Ring::new(1, 2, 0).expect("memory");
            let mut drainer = ring.drainer(&[0]);
            let interns = || {
                let (store, ring) = (store.clone(), ring.clone());
                thread::spawn(move || {
                    let id = store.tenant("a");
                    ring.push(0, &record(id)).expect("there is room");
                    id
                })
            };
            let threads = [interns(), interns()];
            drainer.drain(1, |record| {
                let id = mark(record).unwrap();
                assert_eq!(store.reader().name_of(id), "a", "if all were killed now");
            });
            let ids = threads.map(|thread| thread.join().unwrap());
            assert_eq!(ids[0], ids[1]);
        },
    );
}

#[test]
fn a_name_is_in_the_file_before_its_commit() {
    explore(
        "a reader finds the name of every id that is committed, whole, while the log goes on to another extent",
        ALL,
        || {
            let store = NamedStore::new(0).expect("memory");
            let mut reader = store.reader();
            let writer = thread::spawn(move || {
                let names = ["a", "b", "c"];
                for (committed, name) in (0..).zip(names) {
                    let id = store.tenant(name);
                    assert!(store.commit(committed, id));
                }
            });
            if let Some(found) = reader.look() {
                assert_named(&found, ["a", "b", "c"][found.generation as usize - 1]);
            }
            writer.join().unwrap();
            let found = reader.look().expect("nobody overtakes");
            assert_named(&found, "c");
        },
    );
}

#[test]
fn no_commit_is_made_while_a_name_waits() {
    explore(
        "a name that could not be written goes into the file before a commit, or there is no commit",
        ALL,
        || {
            let store = NamedStore::new(2).expect("memory");
            let ring = Ring::new(1, 1, 0).expect("memory");
            let mut drainer = ring.drainer(&[0]);
            let producer = thread::spawn({
                let store = store.clone();
                move || {
                    let id = store.tenant("a");
                    ring.push(0, &record(id)).expect("there is room");
                }
            });
            let mut drain = || {
                drainer.drain(1, |record| {
                    store.commit(0, mark(record).unwrap());
                    if let Some(found) = store.reader().look() {
                        assert_named(&found, "a");
                    }
                })
            };
            while drain() == 0 {
                thread::yield_now();
            }
            producer.join().unwrap();
        },
    );
}
