//! What is read before the store is opened: as much as the way of playing
//! needs anyway. A trace that is bad up to there changes nothing.

use super::draft::Chunk;
use super::gauge::Gauge;
use super::progress::{self, Progress};
use super::reading::{Next, Reading};
use super::remarks::Remarks;
use super::stop::Stop;
use crate::error::CliError;
use crate::format::plural;
use crate::screen::note;

/// The beginning of a trace, or all of it.
pub(super) struct Lookahead {
    pub(super) chunks: Vec<Chunk>,
    /// What is still to be read; `None` where that was all.
    pub(super) rest: Option<Reading>,
    pub(super) remarks: Remarks,
}

impl Lookahead {
    /// Reads `calls` calls or somewhat more. `name` is what errors call the
    /// input.
    pub(super) fn read(
        reading: Reading,
        calls: usize,
        remarks: Remarks,
        name: &str,
        gauge: &Gauge,
        stop: &Stop,
    ) -> Result<Self, CliError> {
        let mut ahead = Self {
            chunks: Vec::new(),
            rest: None,
            remarks,
        };
        let mut progress = Progress::new();
        let mut read = 0;
        while read < calls {
            match reading.next(progress::INTERVAL, stop)? {
                Next::Chunk(mut chunk) => {
                    read += chunk.calls.len();
                    gauge.add_read(chunk.calls.len() as u64);
                    ahead.remarks.take(&mut chunk);
                    ahead.chunks.push(chunk);
                }
                Next::Nothing => progress.show(gauge, None),
                Next::Stopped(signal) => {
                    note("stopped while the trace was read: nothing was recorded");
                    return Err(CliError::Interrupted(signal));
                }
                Next::End if read == 0 => return Err(ahead.nothing(name)),
                Next::End => return Ok(ahead),
            }
        }
        ahead.rest = Some(reading);
        Ok(ahead)
    }

    fn nothing(&self, name: &str) -> CliError {
        CliError::Failed(match self.remarks.bad.first() {
            Some(first) => format!(
                "none of the {} of {name} could be read; line {}: {}",
                plural(self.remarks.bad.count(), "line"),
                first.line,
                first.reason
            ),
            None => format!("there are no calls in {name}: nothing to replay"),
        })
    }
}
