//! Single values: numbers, durations, moments, words. Each error names the
//! column and shows what was there.

use std::time::Duration;

use quipu::Outcome;

const NANOS_PER_SECOND: f64 = 1e9;

/// The longest piece of a bad value that an error shows.
const SHOWN: usize = 40;

/// A value as an error shows it: quoted, escaped, not longer than sensible.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// A whole number.
pub(super) fn whole(name: &str, text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("{name}: {} is not a whole number from 0 on", shown(text)))
}

/// Seconds with a fraction, as a duration.
pub(super) fn seconds(name: &str, text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| format!("{name}: {} is not a number of seconds", shown(text)))?;
    duration(name, number)
}

/// Seconds with a fraction, as a duration.
pub(super) fn duration(name: &str, seconds: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| format!("{name}: {seconds} seconds are out of range"))
}

/// Seconds with a fraction, as nanoseconds.
pub(super) fn nanos(name: &str, text: &str) -> Result<u64, String> {
    let since = seconds(name, text)?;
    u64::try_from(since.as_nanos()).map_err(|_| {
        format!(
            "{name}: {} seconds are out of range",
            since.as_nanos() as f64 / NANOS_PER_SECOND
        )
    })
}

/// Whole seconds since the Unix epoch, as nanoseconds.
pub(super) fn unix_seconds(name: &str, text: &str) -> Result<u64, String> {
    whole(name, text)?
        .checked_mul(1_000_000_000)
        .ok_or_else(|| format!("{name}: {} is after the year 2554", shown(text)))
}

/// Yes or no.
pub(super) fn flag(name: &str, text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "True" | "TRUE" => Ok(true),
        "0" | "false" | "False" | "FALSE" => Ok(false),
        _ => Err(format!("{name}: {} is neither true nor false", shown(text))),
    }
}

/// An outcome by its name.
pub(super) fn outcome(name: &str, text: &str) -> Result<Outcome, String> {
    Outcome::ALL
        .into_iter()
        .find(|outcome| outcome.name() == text)
        .ok_or_else(|| {
            let known = Outcome::ALL.map(Outcome::name).join(", ");
            format!("{name}: {} is none of {known}", shown(text))
        })
}

/// A moment: a date, a date with a time (UTC where no offset is given), or
/// nanoseconds since the Unix epoch. In nanoseconds since the Unix epoch.
pub(crate) fn parse_time(text: &str) -> Result<u64, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text
            .parse()
            .map_err(|_| format!("{} ns is after the year 2554", shown(text)));
    }
    let not_a_time = |_| {
        format!(
            "{} is not a time: write 2025-01-31T08:30:00Z or nanoseconds since 1970",
            shown(text)
        )
    };
    // A date alone is 10 characters; an offset can only follow them.
    let has_offset = text
        .bytes()
        .skip(10)
        .any(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'));
    let moment = if has_offset {
        text.parse::<jiff::Timestamp>().map_err(not_a_time)?
    } else {
        text.parse::<jiff::civil::DateTime>()
            .and_then(|civil| jiff::tz::TimeZone::UTC.to_timestamp(civil))
            .map_err(not_a_time)?
    };
    u64::try_from(moment.as_nanosecond())
        .map_err(|_| format!("{} is not between 1970 and 2554", shown(text)))
}
