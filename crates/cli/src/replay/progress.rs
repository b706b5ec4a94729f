//! The line on stderr that shows a replay at work; nothing where stderr isn't
//! a terminal.

use std::time::{Duration, Instant, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};
use quipu::Recorder;

use super::gauge::Gauge;
use crate::format::{Count, Moment, Percent, Rate, share};

/// How often the line is drawn.
pub(super) const INTERVAL: Duration = Duration::from_millis(100);

const UNKNOWN: &str = "{spinner} {msg}";
const KNOWN: &str = "{wide_bar} {msg}";

/// The progress of one replay.
pub(super) struct Progress {
    bar: ProgressBar,
    is_known: bool,
    before: (Instant, u64),
}

impl Progress {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_style(style(UNKNOWN));
        Self {
            bar,
            is_known: false,
            before: (Instant::now(), 0),
        }
    }

    /// Draws how far things are. There is no recorder before the first record.
    pub(super) fn show(&mut self, gauge: &Gauge, recorder: Option<&Recorder>) {
        if self.bar.is_hidden() {
            return;
        }
        let recorded = gauge.recorded();
        let Some(recorder) = recorder.filter(|_| recorded > 0) else {
            self.bar
                .set_message(format!("{} calls read", Count(gauge.read())));
            self.bar.tick();
            return;
        };
        if let (false, Some(expected)) = (self.is_known, gauge.expected()) {
            self.is_known = true;
            self.bar.set_style(style(KNOWN));
            self.bar.set_length(expected);
        }
        let (then, before) = std::mem::replace(&mut self.before, (Instant::now(), recorded));
        let rate = (recorded - before) as f64 / then.elapsed().as_secs_f64();
        let stats = recorder.stats();
        let fill = share(stats.in_ring, stats.ring_capacity).unwrap_or(0.0);
        let mut message = format!(
            "{} records  {}  ring {}",
            Count(recorded),
            Rate(rate),
            Percent(fill)
        );
        if let Some(at) = gauge.moment() {
            let at = Moment(UNIX_EPOCH + Duration::from_nanos(at));
            message.push_str(&format!("  trace at {at}"));
        }
        self.bar.set_position(recorded);
        self.bar.set_message(message);
    }
}

impl Drop for Progress {
    /// Clears the line.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants: a wrong one shows in every run.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
