//! Kills writers of a quipu store at random instants and at named points, and
//! checks that every record was counted exactly once.
//!
//! ```text
//! plan.rs        what happens at kill number n: follows from seed and number alone
//! points.rs      the named points, and the situation that each needs
//! run.rs         kill after kill
//! life.rs        one store, from its first kill to its last check
//! child.rs       a writer process, seen from outside
//! writer.rs      the same from inside: this program again, told to record
//! notes.rs       what producers were told is accepted, outside the store
//! marks.rs       records that can be told from each other in the sums
//! book.rs        acknowledged <= counted <= attempted, nothing twice
//! checkpoint.rs  the checkpoint by itself: the old one or the new one
//! report.rs      progress, and the figures
//! ```

#![forbid(unsafe_code)]

mod args;
mod book;
mod checkpoint;
mod child;
mod counted;
mod damage;
mod life;
mod marks;
mod notes;
mod plan;
mod points;
mod report;
mod rng;
mod run;
mod settings;
mod writer;

use std::process::ExitCode;

use args::{Args, Command};

fn main() -> ExitCode {
    let args = args::parse();
    match &args {
        Args {
            command: Some(Command::Writer(assignment)),
            ..
        } => writer::run(assignment),
        Args {
            list_points: true, ..
        } => points::list(),
        _ => run::run(&args),
    }
}
