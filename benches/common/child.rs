//! The same program as a child process, with one job and one store.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const JOB: &str = "QUIPU_BENCH_JOB";
const STORE: &str = "QUIPU_BENCH_STORE";

/// What a child is to do: words, and a number that goes with it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) what: String,
    pub(crate) number: usize,
    pub(crate) store: PathBuf,
}

/// The job of this process, if it is a child.
pub(crate) fn job() -> Option<Job> {
    let text = std::env::var(JOB).ok()?;
    let (what, number) = text.rsplit_once(' ').unwrap();
    Some(Job {
        what: what.to_owned(),
        number: number.parse().unwrap(),
        store: std::env::var_os(STORE).map(OsString::into).unwrap(),
    })
}

pub(crate) fn command(what: &str, number: usize, store: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(JOB, format!("{what} {number}"));
    command.env(STORE, store);
    command
}

/// What the child prints until it ends.
pub(crate) fn output(what: &str, number: usize, store: &Path) -> String {
    let output = command(what, number, store).output().unwrap();
    assert!(output.status.success(), "a child failed: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
