//! Random programs against a plain sequential model: records, batches, flushes,
//! readers, closes, kills, clocks and limits in any order. A program that fails
//! is shortened as far as it still fails, and printed.
//!
//! `QUIPU_PROGRAMS` says how many are run, `QUIPU_PROGRAMS_SEED` which.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;

mod call;
mod check;
mod model;
mod program;
mod run;
mod served;
mod writer;

use std::cell::Cell;
use std::panic;
use std::time::Instant;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use program::Program;

/// Programs that are run unless it is said otherwise: about half a minute.
const PROGRAMS: u32 = 400;

/// Steps of the longest.
const STEPS: usize = 40;

/// How often a shorter program is run before it passes for one that doesn't
/// fail.
const TRIES: u32 = 4;

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().expect("a number"))
}

#[test]
fn every_program_counts_what_the_model_counts() {
    let programs = setting("QUIPU_PROGRAMS").unwrap_or(PROGRAMS.into());
    let seed = setting("QUIPU_PROGRAMS_SEED").unwrap_or(1);
    let started = Instant::now();
    let mut runner = TestRunner::new(Config {
        cases: u32::try_from(programs).unwrap(),
        max_shrink_iters: 3000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    });
    // Whatever panics while a program is shortened is told at the end.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let has_failed = Cell::new(false);
    let result = runner.run(&Program::any(STEPS), |program| {
        // What depends on when the consumer comes by may need a few tries to
        // fail again.
        let tries = if has_failed.get() { TRIES } else { 1 };
        let outcome = (0..tries).try_for_each(|_| run::run(&program));
        has_failed.set(has_failed.get() || outcome.is_err());
        outcome.map_err(TestCaseError::fail)
    });
    panic::set_hook(hook);
    match result {
        Ok(()) => println!(
            "{programs} programs of seed {seed} in {:?}",
            started.elapsed()
        ),
        Err(TestError::Fail(why, program)) => {
            panic!("seed {seed}: the program\n\n{program}\nfails {why}")
        }
        Err(TestError::Abort(why)) => panic!("seed {seed}: {why}"),
    }
}

#[test]
#[ignore = "a child of another test"]
fn child_does_what_it_is_told() {
    served::serve();
}
