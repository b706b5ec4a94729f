//! The real command, listening.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take, on a machine that is busy with other work.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` has something.
pub(crate) fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(it) = condition() {
            return it;
        }
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The command, with nothing said to it yet.
pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_quipu-gateway"))
}

/// A process that listens. It is ended when it is dropped, so that it leaves
/// nothing behind.
pub(crate) struct Server {
    child: Child,
    /// Where it is called.
    pub(crate) address: SocketAddr,
    /// Where a gateway's own pages are.
    pub(crate) pages: SocketAddr,
    stderr: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a mock on any port, with these arguments.
    pub(crate) fn mock<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Self {
        let mut mock = command();
        mock.args(["mock", "--listen", "127.0.0.1:0"]).args(args);
        Self::spawn(mock, 1)
    }

    /// Starts a process, and waits until it says where it listens, each
    /// address in a line: where it is called, and where its own pages are if
    /// that is another.
    pub(crate) fn spawn(mut command: Command, lines: usize) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = Arc::<Mutex<String>>::default();
        let said = Arc::clone(&stderr);
        let errors = child.stderr.take().unwrap();
        let reader = thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let mut said = said.lock().unwrap();
                said.push_str(&line);
                said.push('\n');
            }
        });
        let stdout = child.stdout.take().unwrap();
        let (sender, addresses) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout);
            let mut line = String::new();
            while matches!(lines.read_line(&mut line), Ok(1..)) {
                let _ = sender.send(address(&line));
                line.clear();
            }
            let _ = lines.read_to_end(&mut Vec::new());
        });
        let mut server = Self {
            child,
            address: SocketAddr::from(([0; 4], 0)),
            pages: SocketAddr::from(([0; 4], 0)),
            stderr,
            reader: Some(reader),
        };
        for line in 0..lines {
            let address = match addresses.recv_timeout(PATIENCE) {
                Ok(Some(address)) => address,
                other => panic!("no address: {other:?}; {}", server.said()),
            };
            if line == 0 {
                server.address = address;
            }
            server.pages = address;
        }
        server
    }

    /// What it wrote on stderr so far; all of it once it has ended.
    pub(crate) fn said(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let status = wait_for("the end of the process", || self.child.try_wait().unwrap());
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        status
    }

    /// Ends it, as gently as it allows.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Kills it, which it can't do anything about.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.wait();
    }

    /// Bytes of memory that are its own.
    pub(crate) fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.pid().as_raw_nonzero());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:"));
        let kib: u64 = line
            .and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
            .unwrap();
        kib << 10
    }
}

fn address(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once(" on http://")?;
    address.trim_end().parse().ok()
}

impl Drop for Server {
    fn drop(&mut self) {
        // A gateway that is killed leaves its ring in shared memory. The first
        // signal ends what is idle, the second what isn't.
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            let _ = kill_process(self.pid(), Signal::TERM);
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
