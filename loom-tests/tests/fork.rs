//! A forked child, which shares the parent's shards and must leave them alone.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![cfg(loom)]

use std::sync::Arc;

use loom::thread;
use quipu::model::{Refused, mark, record};
use quipu_loom_tests::{ALL, Shared, explore};

#[test]
fn a_forked_child_is_refused_and_touches_nothing() {
    explore(
        "all that a forked child tries is refused as closed, while its parent's records are all accepted and drained",
        ALL,
        || {
            let (shared, _) = Shared::new(1, 2);
            let mut drainer = shared.ring.drainer(&[0]);
            let child = shared.ring.forked().expect("memory");
            let in_child = thread::spawn({
                let shared = Arc::clone(&shared);
                move || {
                    assert_eq!(child.push(0, &record(8)), Err(Refused::Closed));
                    let batch = child.push_batch(0, &[9, 9].map(record));
                    assert_eq!(batch, (0, Some(Refused::Closed)));
                    assert!(child.is_closed());
                    assert!(shared.mailbox.close(&child).is_none());
                }
            });
            let mut drained = Vec::new();
            for n in 1..=2 {
                shared.ring.push(0, &record(n)).expect("there is room");
                drainer.drain(u64::MAX, |record| drained.extend(mark(record)));
                drainer.release();
            }
            in_child.join().unwrap();
            assert_eq!(drained, [1, 2]);
            assert!(!shared.ring.is_closed());
        },
    );
}
