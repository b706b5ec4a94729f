//! What a program that uses the library builds with it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::common::Effort;
use crate::common::text::figure;

pub(crate) fn measure(effort: Effort) {
    println!("\n$ cargo tree -e normal -p quipu");
    let mut tree = cargo(&["tree", "-e", "normal", "-p", "quipu", "--prefix", "none"]);
    let output = tree.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    // A crate that was listed before has a mark after its name and version.
    let crates: BTreeSet<String> = text
        .lines()
        .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .filter(|name| !name.trim().is_empty() && !name.starts_with("quipu "))
        .collect();
    let mut direct = cargo(&[
        "tree", "-e", "normal", "-p", "quipu", "--prefix", "none", "--depth", "1",
    ]);
    let direct = direct.output().unwrap().stdout;
    let direct = direct.iter().filter(|byte| **byte == b'\n').count() - 1;
    figure(
        "crates that the library depends on",
        crates.len() as f64,
        "",
    );
    figure("  of which directly", direct as f64, "");
    println!("  {}", crates.into_iter().collect::<Vec<_>>().join(", "));
    if effort.quick {
        return;
    }
    println!("\n$ cargo build --release -p quipu --lib    (into an empty folder)");
    let target = tempfile::tempdir().unwrap();
    // Without the download, which isn't a build.
    assert!(cargo(&["fetch"]).status().unwrap().success());
    let start = Instant::now();
    build(target.path());
    figure("clean build", start.elapsed().as_secs_f64(), "s");
}

fn build(target: &Path) {
    let mut build = cargo(&[
        "build",
        "--release",
        "-p",
        "quipu",
        "--lib",
        "--offline",
        "-q",
    ]);
    let status = build.env("CARGO_TARGET_DIR", target).status().unwrap();
    assert!(status.success());
}

fn cargo(args: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args);
    command
}
