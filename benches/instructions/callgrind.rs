//! Runs this program under callgrind.

use std::fs;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

/// Instructions that each thread of a process executed, the main thread first.
pub(crate) fn count(args: &[&str]) -> Result<Vec<u64>, String> {
    let dir = tempfile::tempdir().map_err(|error| format!("a temporary directory: {error}"))?;
    let out = dir.path().join("out");
    let program = std::env::current_exe().map_err(|error| format!("this program: {error}"))?;
    let output = Command::new("valgrind")
        // Threads take turns, so that none is left waiting.
        .args(["--tool=callgrind", "--quiet", "--fair-sched=try"])
        .args(["--separate-threads=yes", "--dump-line=no"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => "valgrind is not installed: apt-get install valgrind".to_owned(),
            _ => format!("valgrind: {error}"),
        })?;
    let said = || {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("{}; what it said:\n{}", args.join(" "), said.trim_end())
    };
    if !output.status.success() {
        return Err(format!("under valgrind, {}: {}", output.status, said()));
    }
    let counts: Result<Vec<_>, String> = (1..)
        .map(|thread| dir.path().join(format!("out-{thread:02}")))
        .take_while(|file| file.exists())
        .map(|file| {
            let text = fs::read_to_string(&file).map_err(|error| format!("{file:?}: {error}"))?;
            total(&text).ok_or_else(|| format!("{file:?} of callgrind has no total"))
        })
        .collect();
    match counts? {
        counts if counts.is_empty() => Err(format!("callgrind wrote no counts: {}", said())),
        counts => Ok(counts),
    }
}

/// The total in a file of callgrind's.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("totals:"))?;
    line.split_whitespace().next()?.parse().ok()
}
