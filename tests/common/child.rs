//! Children: this test binary again, as another process that runs one of its
//! ignored tests.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use super::wait_until;

/// The variable that tells a child where to work. Without it the entry points
/// do nothing, so that `cargo test -- --ignored` is harmless.
const PLACE: &str = "QUIPU_TEST_PLACE";
const ARGUMENT: &str = "QUIPU_TEST_ARGUMENT";

/// The file with which a child says that it is ready.
const READY: &str = "ready";

/// A child process, killed when the test is over.
#[derive(Debug)]
pub(crate) struct Helper {
    child: Child,
}

/// Starts the ignored test `entry` of this binary as another process.
pub(crate) fn start(entry: &str, place: &Path, argument: impl AsRef<OsStr>) -> Helper {
    let child = command(entry, place, argument).spawn().unwrap();
    Helper { child }
}

/// The same as the given user, where this process may.
pub(crate) fn start_as(
    user: u32,
    entry: &str,
    place: &Path,
    argument: impl AsRef<OsStr>,
) -> std::io::Result<Helper> {
    let mut command = command(entry, place, argument);
    command.uid(user).gid(user).current_dir("/");
    Ok(Helper {
        child: command.spawn()?,
    })
}

fn command(entry: &str, place: &Path, argument: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([entry, "--exact", "--ignored", "--nocapture"])
        .env(PLACE, place)
        .env(ARGUMENT, argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// In a child: where to work, and the argument. `None` where nobody started
/// this as a child.
pub(crate) fn assignment() -> Option<(PathBuf, String)> {
    let place = std::env::var_os(PLACE)?;
    let argument = std::env::var(ARGUMENT).unwrap_or_default();
    Some((place.into(), argument))
}

/// In a child: ends the wait of [`Helper::wait_until_ready`].
pub(crate) fn say_ready(place: &Path) {
    say(place, READY);
}

/// Says something to whoever looks for a file of this name at `place`.
pub(crate) fn say(place: &Path, what: &str) {
    fs::write(place.join(what), "").unwrap();
}

/// In a child: does nothing until it is killed.
pub(crate) fn wait_for_the_end() -> ! {
    loop {
        std::thread::park();
    }
}

impl Helper {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits until the child has said so, at `place`.
    pub(crate) fn wait_until_ready(&mut self, place: &Path) {
        wait_until("the child is ready", || {
            assert!(!self.has_ended(), "{}", self.complaint());
            place.join(READY).exists()
        });
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the end, which must be a good one.
    pub(crate) fn finish(mut self) {
        let mut status: Option<ExitStatus> = None;
        wait_until("the child has ended", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert!(
            status.unwrap().success(),
            "the child failed: {}",
            self.complaint()
        );
    }

    /// Waits for the end, which must be by SIGKILL: the child's own, for nobody
    /// else sends one.
    pub(crate) fn wait_until_killed(mut self) {
        let mut status: Option<ExitStatus> = None;
        wait_until("the child has killed itself", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert_eq!(
            status.unwrap().signal(),
            Some(rustix::process::Signal::KILL.as_raw()),
            "the child ended otherwise: {}",
            self.complaint()
        );
    }

    /// What an ended child wrote to its standard error.
    pub(crate) fn complaint(&mut self) -> String {
        let mut text = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            let _ = stderr.read_to_string(&mut text);
        }
        text
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file outside of the store in which a child notes numbers. What was
/// written is there also when the child is killed.
#[derive(Debug)]
pub(crate) struct Notes {
    file: File,
}

impl Notes {
    pub(crate) fn append(path: &Path) -> Self {
        let file = File::options().append(true).create(true).open(path);
        Self {
            file: file.unwrap(),
        }
    }

    pub(crate) fn note(&mut self, number: u64) {
        self.file.write_all(&number.to_le_bytes()).unwrap();
    }

    /// The numbers in the file at `path`, in order.
    pub(crate) fn read(path: &Path) -> Vec<u64> {
        let bytes = fs::read(path).unwrap_or_default();
        let (words, _) = bytes.as_chunks::<8>();
        words.iter().map(|word| u64::from_le_bytes(*word)).collect()
    }
}
