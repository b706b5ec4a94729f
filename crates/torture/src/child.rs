//! A writer process, seen by the one who starts and kills it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

/// What a writer says when it has opened the store.
pub(crate) const OPENED: u8 = b'o';
/// What it says when its producers are done.
pub(crate) const DONE: u8 = b'd';

/// A writer that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running writer.
#[derive(Debug)]
pub(crate) struct Writer {
    child: Child,
    stdout: ChildStdout,
    complaints: PathBuf,
}

/// What came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Said(u8),
    Ended,
    TimeIsUp,
}

impl Writer {
    /// Starts the writer of a kill.
    pub(crate) fn start(
        place: &Path,
        seed: u64,
        kill: u64,
        point: Option<&str>,
    ) -> io::Result<Self> {
        let complaints = place.join("complaints");
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("writer")
            .arg(place)
            .args(["--seed", &seed.to_string(), "--kill", &kill.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&complaints)?);
        if let Some(point) = point {
            command.args(["--point", point]);
        }
        let mut child = command.spawn()?;
        let stdout = child.stdout.take();
        Ok(Self {
            child,
            stdout: stdout.ok_or_else(|| io::Error::other("no pipe"))?,
            complaints,
        })
    }

    /// Waits for the next word, or the end, at most so long.
    pub(crate) fn listen(&mut self, patience: Duration) -> io::Result<Event> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec {
                tv_sec: left.as_secs() as i64,
                tv_nsec: i64::from(left.subsec_nanos()),
            };
            let ready = poll(&mut [PollFd::new(&self.stdout, PollFlags::IN)], Some(&left));
            match ready {
                Ok(0) => return Ok(Event::TimeIsUp),
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        let mut word = [0];
        Ok(match self.stdout.read(&mut word)? {
            0 => Event::Ended,
            _ => Event::Said(word[0]),
        })
    }

    /// Waits until the writer says this, or has ended; an error where it does
    /// neither.
    pub(crate) fn wait_for(&mut self, word: u8) -> Result<Event, String> {
        loop {
            match self.listen(PATIENCE).map_err(|error| error.to_string())? {
                Event::Said(said) if said != word => {}
                Event::TimeIsUp => return Err("the writer hangs".into()),
                event => return Ok(event),
            }
        }
    }

    /// Kills it, dead or alive, and waits for its end. An error where it had
    /// ended in another way than by SIGKILL.
    pub(crate) fn kill(mut self) -> Result<(), String> {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        let status: ExitStatus = ended.map_err(|error| format!("the writer: {error}"))?;
        if status.signal() == Some(Signal::KILL.as_raw()) {
            return Ok(());
        }
        let complaints = fs::read_to_string(&self.complaints).unwrap_or_default();
        Err(format!(
            "the writer ended with {status}: {}",
            complaints.trim()
        ))
    }
}
