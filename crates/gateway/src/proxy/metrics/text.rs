//! The text formats.

use std::fmt::Write;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Prometheus,
    OpenMetrics,
}

impl Format {
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What a family of metrics is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

/// Names and values of labels.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

/// A page that is being written.
#[derive(Debug)]
pub(super) struct Text {
    format: Format,
    out: String,
    family: &'static str,
    kind: Kind,
}

impl Text {
    pub(super) const fn new(format: Format) -> Self {
        Self {
            format,
            out: String::new(),
            family: "",
            kind: Kind::Gauge,
        }
    }

    /// Begins a family; a counter's `name` comes without `_total`.
    pub(super) fn family(&mut self, kind: Kind, name: &'static str, unit: &str, help: &str) {
        (self.kind, self.family) = (kind, name);
        // Only OpenMetrics names a counter's family without the suffix.
        let suffix = match (self.format, kind) {
            (Format::Prometheus, Kind::Counter) => "_total",
            _ => "",
        };
        let kind = kind.name();
        self.line(format_args!("# HELP {name}{suffix} {help}"));
        self.line(format_args!("# TYPE {name}{suffix} {kind}"));
        if self.format == Format::OpenMetrics && !unit.is_empty() {
            self.line(format_args!("# UNIT {name} {unit}"));
        }
    }

    /// A value of a counter or gauge.
    pub(super) fn value(&mut self, labels: Labels<'_>, value: impl std::fmt::Display) {
        let suffix = if self.kind == Kind::Counter {
            "_total"
        } else {
            ""
        };
        self.sample(suffix, labels, None, value);
    }

    /// Sum and count of a summary.
    pub(super) fn summary(&mut self, labels: Labels<'_>, sum: impl std::fmt::Display, count: u64) {
        self.sample("_sum", labels, None, sum);
        self.sample("_count", labels, None, count);
    }

    /// A histogram: how many values are up to each bound, and how many there
    /// are.
    pub(super) fn histogram(
        &mut self,
        labels: Labels<'_>,
        buckets: &[(&str, u64)],
        sum: impl std::fmt::Display,
        count: u64,
    ) {
        for (bound, up_to) in buckets {
            self.sample("_bucket", labels, Some(bound), up_to);
        }
        self.sample("_bucket", labels, Some("+Inf"), count);
        self.sample("_sum", labels, None, sum);
        self.sample("_count", labels, None, count);
    }

    fn sample(
        &mut self,
        suffix: &str,
        labels: Labels<'_>,
        bound: Option<&str>,
        value: impl std::fmt::Display,
    ) {
        self.out.push_str(self.family);
        self.out.push_str(suffix);
        let bound = bound.map(|bound| ("le", bound));
        let mut separator = '{';
        for (name, value) in labels.iter().copied().chain(bound) {
            self.out.push(separator);
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.escaped(value);
            self.out.push('"');
            separator = ',';
        }
        if separator == ',' {
            self.out.push('}');
        }
        self.line(format_args!(" {value}"));
    }

    fn escaped(&mut self, value: &str) {
        for c in value.chars() {
            match c {
                '\\' => self.out.push_str("\\\\"),
                '"' => self.out.push_str("\\\""),
                '\n' => self.out.push_str("\\n"),
                c => self.out.push(c),
            }
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = writeln!(self.out, "{line}");
    }

    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(format: Format) -> String {
        let mut text = Text::new(format);
        text.family(Kind::Counter, "calls", "", "Calls.");
        text.value(&[("model", "a\"b\\c\nd")], 3);
        text.value(&[], 4);
        text.family(Kind::Histogram, "time_seconds", "seconds", "Time.");
        text.histogram(&[("model", "m")], &[("0.5", 1)], "1.5", 2);
        text.finish()
    }

    #[test]
    fn each_format_has_its_ways() {
        let expected = "# HELP calls_total Calls.\n# TYPE calls_total counter\n\
            calls_total{model=\"a\\\"b\\\\c\\nd\"} 3\ncalls_total 4\n\
            # HELP time_seconds Time.\n# TYPE time_seconds histogram\n\
            time_seconds_bucket{model=\"m\",le=\"0.5\"} 1\n\
            time_seconds_bucket{model=\"m\",le=\"+Inf\"} 2\n\
            time_seconds_sum{model=\"m\"} 1.5\ntime_seconds_count{model=\"m\"} 2\n";
        assert_eq!(page(Format::Prometheus), expected);
        let page = page(Format::OpenMetrics);
        assert!(page.starts_with("# HELP calls Calls.\n# TYPE calls counter\ncalls_total{"));
        assert!(page.contains("# UNIT time_seconds seconds\n"));
        assert!(page.ends_with("# EOF\n"));
    }
}
