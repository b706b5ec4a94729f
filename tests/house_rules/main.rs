//! Rules of this code base that the compiler can't check: where atomics and
//! `unsafe` may be, that the table of orderings has every operation on an
//! atomic, that every model is in its table, and that every fault has a test.

#![allow(clippy::unwrap_used, missing_docs)]

mod faults;
mod models;
mod orderings;
mod source;
mod unsafe_code;

use source::sources;

#[test]
fn atomics_come_from_one_place() {
    // Also not by a longer or shorter path, or of another crate.
    for needle in ["atomic", "loom::"] {
        let elsewhere: Vec<_> = sources()
            .iter()
            .filter(|source| source.name != "sync.rs" && source.name != "sync/modelled.rs")
            .flat_map(|source| source.places(needle))
            .collect();
        assert!(elsewhere.is_empty(), "{needle} in {elsewhere:?}");
    }
}
