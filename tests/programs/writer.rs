//! The writer as the test sees it: another process, so that a kill is one. It
//! is told over a socket what to do, a frame for each request and one for each
//! answer.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::call::Call;
use crate::check::{Checked, View, ensure};
use crate::common::child::{self, Helper};
use crate::common::{PATIENCE, wait_until};
use crate::program::{Limits, Pace};

/// The process, which is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Writer {
    process: Helper,
    socket: UnixStream,
}

/// What a recorder says of itself.
pub(crate) const STATS: [&str; 14] = [
    "attempted",
    "accepted",
    "rejected",
    "rejected_full",
    "rejected_closed",
    "in_ring",
    "committed",
    "lost",
    "holes",
    "rings_lost",
    "names_refused",
    "models",
    "tenants",
    "generation",
];

impl Writer {
    /// Starts the process; `place` is where its socket is.
    pub(crate) fn start(place: &Path) -> Self {
        let path = place.join("socket");
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let mut process = child::start("child_does_what_it_is_told", place, "");
        let mut socket = None;
        wait_until("the writer has started", || {
            assert!(!process.has_ended(), "{}", process.complaint());
            socket = listener.accept().ok();
            socket.is_some()
        });
        let (socket, _) = socket.unwrap();
        socket.set_nonblocking(false).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { process, socket }
    }

    /// The answer to a request; what went wrong where there is none.
    pub(crate) fn ask(&mut self, request: &str) -> Result<String, String> {
        // Where the process has ended there is no answer either.
        let _ = write_frame(&mut self.socket, request);
        read_frame(&mut self.socket).map_err(|error| {
            self.process.kill();
            let complaint = self.process.complaint();
            format!("the writer did not answer ({error}): {complaint}")
        })
    }

    pub(crate) fn expect(&mut self, request: &str, expected: &str) -> Checked {
        let answer = self.ask(request)?;
        ensure!(answer == expected, "{request}: {answer}");
        Ok(())
    }

    pub(crate) fn open(
        &mut self,
        place: &Path,
        hourly: bool,
        pace: Pace,
        limits: Limits,
    ) -> Checked {
        let Limits {
            rows,
            buckets,
            models,
            tenants,
            name_len,
        } = limits;
        let request = format!(
            "open {} {} {} {} {} {} {rows} {buckets} {models} {tenants} {name_len} {}",
            u8::from(hourly),
            pace.shards,
            pace.slots,
            pace.flush_millis,
            pace.flush_records,
            u8::from(pace.checkpoints),
            place.display(),
        );
        self.expect(&request, "opened")
    }

    /// Offers calls with one of `record`, `wait` and `batch`; gives how many
    /// were accepted.
    pub(crate) fn offer(&mut self, how: &str, calls: &[Call]) -> Result<usize, String> {
        let answer = self.ask(&offer(how, calls))?;
        answer.parse().map_err(|_| format!("{how}: {answer}"))
    }

    /// Has a batch recorded, and kills the process meanwhile.
    pub(crate) fn kill_in(mut self, calls: &[Call]) -> Checked {
        self.expect(&offer("prepare", calls), "prepared")?;
        let _ = write_frame(&mut self.socket, "go");
        self.process.kill();
        Ok(())
    }

    /// In the order of [`STATS`].
    pub(crate) fn stats(&mut self) -> Result<Vec<u64>, String> {
        let answer = self.ask("stats")?;
        let numbers: Vec<u64> = answer.split(' ').flat_map(str::parse).collect();
        ensure!(numbers.len() == STATS.len(), "stats: {answer}");
        Ok(numbers)
    }

    /// What the recorder shows, or a reader beside it.
    pub(crate) fn look(&mut self, at: &str) -> Result<View, String> {
        let answer = self.ask(at)?;
        let (head, text) = answer.split_once('\n').unwrap_or_default();
        let (generation, requests) = head.split_once(' ').unwrap_or_default();
        match (generation.parse(), requests.parse()) {
            (Ok(generation), Ok(requests)) => Ok(View {
                generation,
                requests,
                text: text.to_owned(),
                counts: None,
            }),
            _ => Err(format!("{at}: {answer}")),
        }
    }
}

fn offer(how: &str, calls: &[Call]) -> String {
    let calls: Vec<_> = calls.iter().map(Call::to_words).collect();
    format!("{how} {}", calls.join(" "))
}

pub(crate) fn write_frame(socket: &mut UnixStream, text: &str) -> std::io::Result<()> {
    let len = u32::try_from(text.len()).unwrap();
    socket.write_all(&[&len.to_le_bytes(), text.as_bytes()].concat())
}

pub(crate) fn read_frame(socket: &mut UnixStream) -> std::io::Result<String> {
    let mut len = [0; 4];
    socket.read_exact(&mut len)?;
    let mut text = vec![0; u32::from_le_bytes(len) as usize];
    socket.read_exact(&mut text)?;
    Ok(String::from_utf8(text).unwrap())
}
