//! What quipu takes when it does nothing, what it leaves on disk, and what it
//! brings along.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
mod idle;
mod library;
mod store;

use common::{Effort, child};

const ABOUT: &str = "\
Idle CPU, wake-ups, memory, size of the store, and of the library's build. About a minute.

  cargo bench --bench footprint -- [--quick]

  --quick  a few seconds: idles for one, and doesn't time the build";

fn main() {
    if let Some(job) = child::job() {
        return idle::run(&job.store, job.number);
    }
    let effort = Effort::from_args(1, ABOUT, &[]);
    idle::measure(effort);
    store::measure(effort);
    library::measure(effort);
}
