//! How fast a trace is played.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How fast a trace is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Speed {
    /// As fast as the recorder takes it.
    Max,
    /// This many times as fast as it happened.
    Times(f64),
}

impl Speed {
    /// The time on the clock for a span of the trace.
    pub(super) fn scale(factor: f64, nanos: u64) -> Duration {
        // A span of centuries at a crawl is longer than a Duration.
        Duration::try_from_secs_f64(nanos as f64 / 1e9 / factor).unwrap_or(Duration::MAX)
    }
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        text.strip_suffix('x')
            .and_then(|factor| factor.parse::<f64>().ok())
            .filter(|factor| factor.is_finite() && *factor > 0.0)
            .map(Self::Times)
            .ok_or_else(|| "write max, or how many times as fast, such as 1x or 60x".to_owned())
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Times(factor) => write!(f, "{factor}x"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_and_written() {
        for (text, speed) in [
            ("max", Speed::Max),
            ("1x", Speed::Times(1.0)),
            ("60x", Speed::Times(60.0)),
            ("0.5x", Speed::Times(0.5)),
        ] {
            assert_eq!(text.parse(), Ok(speed));
            assert_eq!(speed.to_string(), text);
        }
        for wrong in ["", "x", "60", "0x", "-1x", "nanx", "infx", "MAX", "1 x"] {
            assert!(wrong.parse::<Speed>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn spans_shrink_by_the_factor() {
        assert_eq!(Speed::scale(60.0, 60_000_000_000), Duration::from_secs(1));
        assert_eq!(Speed::scale(f64::MIN_POSITIVE, u64::MAX), Duration::MAX);
    }
}
