//! The thread that reads. It has no part in the recorder and nobody joins it:
//! who waits for a silent pipe can still record what has come, and stop.

use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, select};

use super::batch::BATCH;
use super::draft::{Chunk, Chunker};
use super::input::Calls;
use super::stop::Stop;
use crate::error::CliError;
use crate::signals::Signal;
use crate::trace::{Step, TraceError};

/// Chunks that are read and not yet asked for.
const AHEAD: usize = 4;

/// One pass over the input.
pub(super) struct Reading(Receiver<Result<Chunk, TraceError>>);

/// What a wait for calls brought.
pub(super) enum Next {
    Chunk(Chunk),
    End,
    /// The time is over.
    Nothing,
    Stopped(Signal),
}

impl Reading {
    pub(super) fn start(calls: Calls) -> Result<Self, CliError> {
        let (sender, receiver) = bounded(AHEAD);
        thread::Builder::new()
            .name("reader".to_owned())
            .spawn(move || read(calls, &sender))
            .map_err(|error| CliError::Failed(format!("can't start a thread: {error}")))?;
        Ok(Self(receiver))
    }

    /// Waits for more calls.
    pub(super) fn next(&self, timeout: Duration, stop: &Stop) -> Result<Next, TraceError> {
        let read = select! {
            recv(self.0) -> read => Some(read),
            recv(stop.waker()) -> _ => None,
            default(timeout) => return Ok(Next::Nothing),
        };
        match (stop.by(), read) {
            (Some(signal), _) => Ok(Next::Stopped(signal)),
            (None, Some(Ok(chunk))) => chunk.map(Next::Chunk),
            (None, Some(Err(_))) => Ok(Next::End),
            (None, None) => Ok(Next::Nothing),
        }
    }
}

/// Reads to the end, or until nobody wants more.
fn read(mut calls: Calls, chunks: &Sender<Result<Chunk, TraceError>>) {
    let mut chunker = Chunker::default();
    loop {
        // What has come must not wait for what may be long in coming.
        let is_due = chunker.len() >= BATCH || chunker.len() > 0 && calls.may_wait();
        if is_due && chunks.send(Ok(chunker.take())).is_err() {
            return;
        }
        let step = calls.next(&mut |event| chunker.push(&event));
        let last = match step {
            Ok(Step::Read) => continue,
            Ok(Step::Bad(line)) => {
                chunker.push_bad(line);
                continue;
            }
            Ok(Step::End) => Ok(()),
            Err(error) => Err(error),
        };
        // Whoever is gone doesn't miss it.
        let _ = chunks.send(Ok(chunker.take()));
        if let Err(error) = last {
            let _ = chunks.send(Err(error));
        }
        return;
    }
}
