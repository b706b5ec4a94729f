//! What a replay did, how fast, and whether the recorder agrees.

use std::io::{self, Write};
use std::time::Duration;

use quipu::{OTHER, Stats};

use super::Play;
use super::batch::IN_MEMORY;
use super::feed::Fed;
use super::producers::Produced;
use crate::error::CliError;
use crate::format::{Count, Rate, Span, plural};
use crate::screen;
use crate::signals::Signal;
use crate::text::visible;

/// The numbers of one replay.
pub(super) struct Summary<'a> {
    pub(super) input: &'a str,
    pub(super) play: &'a Play,
    pub(super) fed: &'a Fed,
    pub(super) produced: &'a Produced,
    /// From the first record to the last.
    pub(super) recording: Duration,
    /// From the first record to the last commit.
    pub(super) committing: Duration,
    pub(super) before: &'a Stats,
    pub(super) after: &'a Stats,
    pub(super) is_temporary: bool,
    pub(super) stopped_by: Option<Signal>,
}

impl Summary<'_> {
    /// Prints the rates to stdout and what went wrong to stderr.
    pub(super) fn print(&self) -> Result<(), CliError> {
        let mut out = screen::stdout();
        writeln!(out)?;
        for (what, text) in self.lines() {
            writeln!(out, "{what:<10} {text}")?;
        }
        out.flush()?;
        let mut err = io::stderr().lock();
        for line in self.fed.remarks.bad.lines() {
            // With stderr closed there is nobody left to tell.
            let _ = writeln!(err, "{line}");
        }
        Ok(())
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let Produced {
            records,
            waits,
            waited,
            ..
        } = *self.produced;
        let mut lines = vec![("replayed", self.what())];
        let streamed = if self.fed.is_streamed {
            format!(
                "; read while recording, being longer than {} records",
                Count(IN_MEMORY as u64)
            )
        } else {
            String::new()
        };
        lines.push((
            "recorded",
            format!("{}{streamed}", rate(records, self.recording)),
        ));
        if let Some(nanos) = self.produced.per_record() {
            lines.push(("record()", format!("{nanos:.1} ns of processor time each")));
        }
        if waits > 0 {
            let waits = plural(waits, "time");
            lines.push((
                "full ring",
                format!("{waits}, waited {} in all, nothing dropped", Span(waited)),
            ));
        }
        let commits = self.after.flushes.saturating_sub(self.before.flushes);
        lines.push((
            "committed",
            format!(
                "{} with {}",
                rate(self.committed(), self.committing),
                plural(commits, "commit"),
            ),
        ));
        lines.extend(self.fed.remarks.doubts().map(|doubt| ("estimated", doubt)));
        if self.fed.others > 0 {
            let calls = plural(self.fed.others, "call");
            let what = "with a name that is too long, or one too many, counted under";
            lines.push(("names", format!("{calls} {what} {OTHER}")));
        }
        if self.stopped_by.is_some() {
            lines.push((
                "stopped",
                "before the end; what was recorded is counted".to_owned(),
            ));
        } else if self.is_temporary {
            lines.push((
                "store",
                "temporary and removed; keep one with --store DIR".to_owned(),
            ));
        }
        lines
    }

    fn what(&self) -> String {
        let mut what = visible(self.input).into_owned();
        if self.play.repeat > 1 {
            what.push_str(&format!(", {}", plural(self.play.repeat, "time")));
        }
        what.push_str(&format!(
            ", speed {}, {}",
            self.play.speed,
            plural(self.play.producers as u64, "producer")
        ));
        what
    }

    fn committed(&self) -> u64 {
        self.after.committed.saturating_sub(self.before.committed)
    }

    /// Whether all is well: nothing that was recorded may be missing.
    pub(super) fn verdict(&self) -> Result<(), CliError> {
        let accepted = self.after.accepted.saturating_sub(self.before.accepted);
        let Produced {
            records,
            is_refused,
            ..
        } = *self.produced;
        if accepted != records {
            return Err(CliError::Failed(format!(
                "the producers recorded {}, the recorder accepted {}: the counts can't be trusted",
                plural(records, "record"),
                Count(accepted)
            )));
        }
        if let Some(signal) = self.stopped_by {
            return Err(CliError::Interrupted(signal));
        }
        if is_refused {
            return Err(CliError::Failed(
                "the recorder was closed before the end of the replay".to_owned(),
            ));
        }
        Ok(())
    }
}

fn rate(records: u64, took: Duration) -> String {
    let rate = records as f64 / took.as_secs_f64();
    format!(
        "{} in {}, {}",
        plural(records, "record"),
        Span(took),
        Rate(rate)
    )
}
