//! Loom models of quipu's protocols; see `tests/`, one file for each protocol,
//! and `run`, which also shows that the models can fail.
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

#![cfg(loom)]

mod consumer;

pub use consumer::{Consumer, Shared, View};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Runs `model` in every interleaving with at most `preemptions` preemptions
/// (`LOOM_MAX_PREEMPTIONS` overrides it) and prints how many there were.
pub fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let started = Instant::now();
    let executions = Arc::new(AtomicU64::new(0));
    let mut builder = loom::model::Builder::new();
    let bound = *builder.preemption_bound.get_or_insert(preemptions);
    let counter = Arc::clone(&executions);
    builder.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!(
        "{}: {} executions with at most {bound} preemptions, {:.1} s",
        std::thread::current().name().unwrap_or("model"),
        executions.load(Ordering::Relaxed),
        started.elapsed().as_secs_f64(),
    );
}
