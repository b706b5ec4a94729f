//! Instructions of the hot paths, counted under callgrind, against budgets.
//! Unlike times they don't depend on what else the machine does, so CI can
//! fail on them.
//!
//! `cargo bench --bench instructions` runs each path twice, in processes of
//! their own that differ only in how much of the path's work they do, and
//! divides the difference by that work: whatever else a process does cancels.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod callgrind;
#[path = "../common/mod.rs"]
mod common;
mod consumer;
mod paths;
mod producer;
mod reader;

use std::process::ExitCode;

use paths::{PATHS, Path};

/// First argument of a process whose instructions are counted.
const CHILD: &str = "--do";

const HELP: &str = "\
Counts the instructions of quipu's hot paths under callgrind, and fails when
one exceeds its budget. Takes half a minute.

Usage: cargo bench --bench instructions [-- [PATH]...]

  PATH    only paths whose names contain this
  --help  this text

Needs valgrind (apt-get install valgrind) and an x86-64 processor. Budgets are
in benches/instructions/paths.rs.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [CHILD, name, times] = args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        let path = PATHS.iter().find(|path| path.name == name).unwrap();
        (path.work)(times.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        println!("skipped: the budgets are those of x86-64 Linux");
        return ExitCode::SUCCESS;
    }
    if cfg!(debug_assertions) {
        println!("skipped: the budgets are those of optimised code; use cargo bench");
        return ExitCode::SUCCESS;
    }
    // Cargo's own, such as `--bench`.
    let wanted: Vec<_> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let is_wanted = |path: &&Path| {
        wanted.is_empty() || wanted.iter().any(|part| path.name.contains(part.as_str()))
    };
    let chosen: Vec<_> = PATHS.iter().filter(is_wanted).collect();
    if chosen.is_empty() {
        eprintln!("error: no path has such a name; cargo bench --bench instructions shows all");
        return ExitCode::FAILURE;
    }
    match report(&chosen) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the table; whether all paths keep their budgets.
fn report(paths: &[&Path]) -> Result<bool, String> {
    let width = PATHS.iter().map(|path| path.name.chars().count());
    let width = width.max().unwrap_or(0);
    println!(
        "{:<width$}  {:>12}  {:>8}  {:>9}",
        "path", "instructions", "budget", "of budget"
    );
    let mut complaints = Vec::new();
    for path in paths {
        let Path { name, budget, .. } = path;
        let count = count(path)?;
        let share = count / budget * 100.0;
        println!(
            "{name:<width$}  {count:>12.1}  {budget:>8.1}  {:>9}",
            format!("{share:.0} %")
        );
        if count > *budget {
            complaints.push(format!(
                "{name}: {count:.1} instructions, {:.1} ({:.1} %) over the budget of {budget:.1}",
                count - budget,
                share - 100.0
            ));
        }
    }
    for complaint in &complaints {
        eprintln!("error: {complaint}");
    }
    if !complaints.is_empty() {
        eprintln!(
            "Make the path cheaper; or, if what it does now is worth its instructions, raise\n\
             the budget in benches/instructions/paths.rs and say why in the commit."
        );
    }
    Ok(complaints.is_empty())
}

/// Instructions of one unit of the path's work.
fn count(path: &Path) -> Result<f64, String> {
    let [once, twice] = ["1", "2"].map(|times| {
        let counts = callgrind::count(&[CHILD, path.name, times])?;
        Ok::<_, String>(path.thread.of(&counts))
    });
    Ok((twice? as f64 - once? as f64) / path.units as f64)
}
