//! What the kernel says of this process.

use std::fs;
use std::path::PathBuf;

/// CPU time of all threads, in nanoseconds.
pub(crate) fn cpu_nanos() -> u64 {
    threads()
        .map(|dir| fs::read_to_string(dir.join("schedstat")).unwrap())
        .map(|text| text.split(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}

/// Voluntary context switches of all threads.
pub(crate) fn switches() -> u64 {
    threads()
        .map(|dir| fs::read_to_string(dir.join("status")).unwrap())
        .filter_map(|text| field(&text, "voluntary_ctxt_switches:"))
        .sum()
}

/// Resident memory in bytes: of the process itself, and of files it maps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resident {
    pub(crate) own: u64,
    pub(crate) mapped: u64,
}

impl Resident {
    pub(crate) fn total(self) -> u64 {
        self.own + self.mapped
    }
}

pub(crate) fn resident() -> Resident {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let bytes = |name| field(&status, name).unwrap() * 1024;
    Resident {
        own: bytes("RssAnon:"),
        mapped: bytes("RssFile:") + bytes("RssShmem:"),
    }
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn threads() -> impl Iterator<Item = PathBuf> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    tasks.map(|entry| entry.unwrap().path())
}
