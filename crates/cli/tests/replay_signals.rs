//! How signals end `quipu replay`: in order, with their own exit codes, and
//! with nothing left behind.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use quipu::Reader;
use rustix::process::{Pid, Signal, kill_process};
use support::{command, wait_for};

/// The second call is a day after the first.
const TRACE: &str =
    "at,provider,model\n2024-01-01T00:00:00Z,p,first\n2024-01-02T00:00:00Z,p,tomorrow\n";

/// A replay into a temporary store that waits for its second call.
struct Waiting {
    directory: tempfile::TempDir,
    child: Child,
}

impl Waiting {
    fn start(speed: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let trace = directory.path().join("trace.csv");
        std::fs::write(&trace, TRACE).unwrap();
        let mut replay = command(["replay", trace.to_str().unwrap(), "--speed", speed]);
        Self::spawn(&mut replay, directory)
    }

    fn spawn(replay: &mut Command, directory: tempfile::TempDir) -> Self {
        let temporary = directory.path().join("tmp");
        std::fs::create_dir(&temporary).unwrap();
        let child = replay
            .env("TMPDIR", temporary)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { directory, child }
    }

    /// The temporary store, once the first call is in it.
    fn store(&self) -> PathBuf {
        wait_for("the first call", || {
            let made = self.directory.path().join("tmp").read_dir().unwrap();
            let store = made.flatten().next()?.path().join("usage.quipu");
            let snapshot = Reader::open(&store).ok()?.snapshot().ok()?;
            (snapshot.total().requests > 0).then_some(store)
        })
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn code(&mut self) -> Option<i32> {
        wait_for("the end", || self.child.try_wait().unwrap()).code()
    }

    fn leftovers(&self) -> usize {
        self.directory
            .path()
            .join("tmp")
            .read_dir()
            .unwrap()
            .count()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Where a test fails half-way, its process must not stay.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Rings in shared memory that belong to the store.
fn rings(inode: u64) -> usize {
    let Ok(shared) = Path::new("/dev/shm").read_dir() else {
        return 0;
    };
    let belongs = format!("-{inode:x}-");
    let names = shared.flatten().map(|entry| entry.file_name());
    names
        .filter(|name| name.to_string_lossy().contains(&belongs))
        .count()
}

#[test]
fn each_signal_ends_in_order_with_its_own_code() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut replay = Waiting::start("1x");
        replay.store();
        replay.send(signal);
        assert_eq!(replay.code(), Some(code));
        assert_eq!(replay.leftovers(), 0, "{signal:?}");
    }
}

#[test]
fn a_closed_terminal_hangs_up_twice_and_nothing_stays() {
    for _ in 0..5 {
        let mut replay = Waiting::start("1x");
        let inode = replay.store().join("aggregate").metadata().unwrap().ino();
        // The terminal is gone, too.
        drop((replay.child.stdout.take(), replay.child.stderr.take()));
        replay.send(Signal::HUP);
        replay.send(Signal::TERM);
        replay.send(Signal::HUP);
        assert_eq!(
            replay.code().map(|code| code == 129 || code == 143),
            Some(true)
        );
        assert_eq!((replay.leftovers(), rings(inode)), (0, 0));
    }
}

#[test]
fn nohup_is_respected() {
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("trace.csv");
    std::fs::write(&trace, TRACE).unwrap();
    let line = format!(
        "trap '' HUP; exec '{}' replay '{}' --speed 1x",
        env!("CARGO_BIN_EXE_quipu"),
        trace.display()
    );
    let mut replay = Waiting::spawn(Command::new("sh").args(["-c", &line]), directory);
    replay.store();
    replay.send(Signal::HUP);
    replay.send(Signal::TERM);
    assert_eq!(replay.code(), Some(143));
}
