//! What may go wrong, on purpose.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::http::HeaderValue;

/// One way in which an answer goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An error of this status, in the protocol's own shape.
    Status(u16),
    /// The connection is closed before the headers.
    Reset,
    /// The connection is closed after so many events.
    ResetAfter(u64),
    /// The stream says after so many events that something went wrong.
    ErrorAfter(u64),
    /// Nothing more comes after so many events.
    HangAfter(u64),
    /// No answer ever comes.
    Hang,
    /// The answer ends before its usage, as if it were whole.
    Truncate,
    /// The field `usage` isn't there.
    NoUsage,
    /// The field `usage` is null.
    NullUsage,
    /// The counts contradict each other.
    Contradiction,
    /// The text isn't UTF-8.
    InvalidUtf8,
    /// The right body under a wrong content type.
    WrongType(HeaderValue),
    /// The body is compressed, whatever the client accepts.
    Gzip,
    /// A small compressed body that expands to so many GiB, without usage.
    Bomb(u64),
    /// A body of so many MiB, without usage.
    Huge(u64),
    /// One byte at a time, so long after each other.
    Slow(Duration),
}

/// The names, as they are given.
pub(crate) const FAULTS: &str = "status=CODE, reset, reset-after=EVENTS, error-after=EVENTS, \
     hang-after=EVENTS, hang, truncate, no-usage, null-usage, contradiction, invalid-utf8, \
     wrong-type[=TYPE], gzip, bomb[=GIB], huge[=MIB], slow[=MS]";

/// A text that names no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownFault(String);

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no such fault: {:?}; there are {FAULTS}", self.0)
    }
}

impl std::error::Error for UnknownFault {}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let number = |otherwise: Option<u64>, most: u64| match value {
            Some(value) => value.parse().ok().filter(|number| *number <= most),
            None => otherwise,
        };
        let plain = |fault| value.is_none().then_some(fault);
        let fault = match name {
            "status" => number(None, 599)
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| *status >= 300)
                .map(Self::Status),
            "reset" => plain(Self::Reset),
            "reset-after" => number(None, u64::MAX).map(Self::ResetAfter),
            "error-after" => number(None, u64::MAX).map(Self::ErrorAfter),
            "hang-after" => number(None, u64::MAX).map(Self::HangAfter),
            "hang" => plain(Self::Hang),
            "truncate" => plain(Self::Truncate),
            "no-usage" => plain(Self::NoUsage),
            "null-usage" => plain(Self::NullUsage),
            "contradiction" => plain(Self::Contradiction),
            "invalid-utf8" => plain(Self::InvalidUtf8),
            "wrong-type" => HeaderValue::from_str(value.unwrap_or("text/html"))
                .ok()
                .map(Self::WrongType),
            "gzip" => plain(Self::Gzip),
            "bomb" => number(Some(1), 1 << 10).map(Self::Bomb),
            "huge" => number(Some(64), 1 << 20).map(Self::Huge),
            "slow" => number(Some(1000), 3_600_000)
                .map(Duration::from_millis)
                .map(Self::Slow),
            _ => None,
        };
        fault.ok_or_else(|| UnknownFault(text.to_owned()))
    }
}

/// Faults at random, the same for the same seed and order of requests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dice {
    /// The share of requests that go wrong, 0 to 1.
    pub(crate) rate: f64,
    /// Where the sequence begins.
    pub(crate) seed: u64,
}

impl Dice {
    /// What happens to the request of this number: an error 429, a closed
    /// connection, or one that is closed within the answer's pieces.
    pub(super) fn fault(&self, request: u64, chunks: u64) -> Option<Fault> {
        if self.rate <= 0.0 {
            return None;
        }
        let drawn = mixed(self.seed.wrapping_add(request));
        if share(drawn) >= self.rate {
            return None;
        }
        let kind = mixed(drawn);
        Some(match kind % 3 {
            0 => Fault::Status(429),
            1 => Fault::Reset,
            _ => Fault::ResetAfter(mixed(kind) % chunks.max(1)),
        })
    }
}

/// SplitMix64's output for this state: neighbours have nothing in common.
fn mixed(state: u64) -> u64 {
    let mut word = state.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A number from 0 to below 1, of 53 bits.
#[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
fn share(word: u64) -> f64 {
    (word >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_name() {
        let all = "status=429 reset reset-after=2 error-after=0 hang-after=3 hang truncate \
                   no-usage null-usage contradiction invalid-utf8 wrong-type \
                   wrong-type=text/plain gzip bomb bomb=2 huge huge=3 slow slow=5";
        for name in all.split_whitespace() {
            assert!(name.parse::<Fault>().is_ok(), "{name}");
        }
        assert_eq!("slow".parse(), Ok(Fault::Slow(Duration::from_secs(1))));
        for name in [
            "",
            "status",
            "status=200",
            "status=600",
            "reset=1",
            "reset-after",
            "slow=x",
        ] {
            assert!(name.parse::<Fault>().is_err(), "{name}");
        }
    }

    #[test]
    fn dice_follow_their_seed_and_their_rate() {
        let draw = |rate, seed| -> Vec<_> {
            let dice = Dice { rate, seed };
            (0..10_000).map(|n| dice.fault(n, 8)).collect()
        };
        assert_eq!(draw(0.2, 1), draw(0.2, 1));
        assert_ne!(draw(0.2, 1), draw(0.2, 2));
        let faults = draw(0.2, 1).into_iter().flatten().count();
        assert!((1800..2200).contains(&faults), "{faults}");
        assert_eq!(draw(0.0, 1).into_iter().flatten().count(), 0);
        assert_eq!(draw(1.0, 1).into_iter().flatten().count(), 10_000);
    }
}
