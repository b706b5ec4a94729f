//! Loom models of quipu's protocols; see `tests/`, one file for each protocol,
//! and `run`, which also shows that the models can fail. `docs/testing.md` has
//! the table of all models.
//!
//! Empty unless built with `--cfg loom`.
//!
//! # What loom doesn't look at
//!
//! - It never switches threads between a fence and the operation before it.
//! - It tries another order of two accesses to a word only if nobody accessed
//!   the word in between. A writer that loads a word before it stores to it
//!   hides the reader's load from that; the models give their threads other
//!   words to race for.
//! - No store is seen before it was made. That a slot isn't overwritten while
//!   it is read is therefore checked by a cell in the slot that exists under
//!   loom only.
//! - Of what arc-swap and crossbeam do, it sees what the stand-ins in
//!   `src/sync/modelled.rs` do.
//! - A look at a reference count orders more under loom than it does in the
//!   standard library.

#![cfg(loom)]
#![allow(clippy::expect_used)]

mod consumer;

pub use consumer::{Consumer, Point, Shared, View};

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bound of a model that is explored to its end.
pub const ALL: Option<usize> = None;
/// The bound of a model that has too many interleavings for that: those with
/// at most three preemptions.
pub const THREE: Option<usize> = Some(3);

/// Runs `model`, which shows `property`, in every interleaving within `bound`
/// (`LOOM_MAX_PREEMPTIONS` overrides it), and prints its row of the table in
/// `docs/testing.md`.
pub fn explore(property: &str, bound: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let started = busy();
    let executions = Arc::new(AtomicU64::new(0));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(bound);
    let bound = builder.preemption_bound;
    let counter = Arc::clone(&executions);
    builder.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!(
        "| `{}::{}` | {property} | {} | {} | {:.1} |",
        test_file(),
        std::thread::current().name().unwrap_or("model"),
        bound.map_or("none".to_owned(), |most| most.to_string()),
        executions.load(Ordering::Relaxed),
        busy() - started,
    );
}

/// Seconds of a processor that this thread took, which what else the machine
/// does changes little; loom runs all threads of a model in it. 0 where the
/// system doesn't say.
fn busy() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or(0.0, |nanos: u64| nanos as f64 / 1e9)
}

/// The file in `tests/` whose tests these are: what comes before the hash in
/// the name of the program.
fn test_file() -> String {
    let program = std::env::args().next().unwrap_or_default();
    let stem = Path::new(&program).file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy();
    stem.rsplit_once('-')
        .map_or(&*stem, |(file, _)| file)
        .to_owned()
}
