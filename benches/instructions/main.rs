//! Instructions of the hot paths, counted under callgrind, against budgets.
//! Unlike times they don't depend on what else the machine does, so CI can
//! fail on them.
//!
//! `cargo bench --bench instructions` runs each path twice, in processes of
//! their own that differ only in how much of the path's work they do, and
//! divides the difference by that work: whatever else a process does cancels.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod args;
mod callgrind;
#[path = "../common/mod.rs"]
mod common;
mod consumer;
mod ground;
mod paths;
mod producer;
mod reader;

use std::process::ExitCode;

use args::Args;
use paths::{PATHS, Path};

/// First argument of a process whose instructions are counted.
const CHILD: &str = "--do";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [CHILD, name, times] = args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        let path = PATHS.iter().find(|path| path.name == name).unwrap();
        (path.work)(times.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    let args = match Args::parse(&args) {
        Ok(args) => args,
        Err(code) => return code,
    };
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        println!("skipped: the budgets are those of x86-64 Linux");
        return ExitCode::SUCCESS;
    }
    if cfg!(debug_assertions) {
        println!("skipped: the budgets are those of optimised code; use cargo bench");
        return ExitCode::SUCCESS;
    }
    if args.quick {
        return end(run_once(&args.paths));
    }
    end(report(&args.paths))
}

/// What the process ends with, by whether all is well.
fn end(result: Result<bool, String>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what one run of each path takes, whatever else its process does
/// included.
fn run_once(paths: &[&Path]) -> Result<bool, String> {
    println!("instructions of whole processes, each path once");
    for path in paths {
        let counts = callgrind::count(&[CHILD, path.name, "1"])?;
        println!("{:>12}  {}", path.thread.of(&counts), path.name);
    }
    Ok(true)
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
