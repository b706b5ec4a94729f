//! Buckets: the UTC days or hours of event time that counts are kept by.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil::Date;

const NANOS_PER_HOUR: u64 = 3_600_000_000_000;
const HOURS_PER_DAY: u64 = 24;
const EPOCH: Date = Date::constant(1970, 1, 1);

/// Nanoseconds since 1970 by the system's clock.
pub(crate) fn now_nanos() -> u64 {
    #[cfg(all(feature = "__fault-points", not(loom)))]
    if let Some(now) = crate::fault::clock() {
        return now;
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(1, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}

/// The width of a bucket of event time, always aligned to UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// One bucket per UTC day.
    #[default]
    Day,
    /// One bucket per UTC hour.
    Hour,
}

impl Bucket {
    /// Nanoseconds in one bucket.
    pub(crate) const fn nanos(self) -> u64 {
        match self {
            Self::Day => NANOS_PER_HOUR * HOURS_PER_DAY,
            Self::Hour => NANOS_PER_HOUR,
        }
    }

    /// The day and hour of bucket number `index`.
    pub(crate) fn locate(self, index: BucketIndex) -> (Day, Option<u8>) {
        match (index, self) {
            (BucketIndex::OLDER, _) => (Day::OLDER, None),
            (BucketIndex(index), Self::Day) => (Day::from_epoch_days(u64::from(index)), None),
            (BucketIndex(index), Self::Hour) => {
                let hours = u64::from(index);
                let hour = (hours % HOURS_PER_DAY) as u8;
                (Day::from_epoch_days(hours / HOURS_PER_DAY), Some(hour))
            }
        }
    }
}

/// A bucket's number, counted from 1970-01-01T00:00Z in units of [`Bucket`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BucketIndex(pub(crate) u32);

impl BucketIndex {
    /// Where buckets beyond the limit are folded into. No nanosecond
    /// timestamp of 64 bits has this number.
    pub(crate) const OLDER: Self = Self(u32::MAX);

    /// The bucket that holds the moment `at_nanos`.
    pub(crate) const fn of(at_nanos: u64, width: Bucket) -> Self {
        // 2^64 ns are 5 124 095 hours: the quotient fits.
        Self((at_nanos / width.nanos()) as u32)
    }
}

/// A UTC calendar day, or [`Day::OLDER`] for everything before the buckets
/// that a store still keeps apart.
///
/// ```
/// use quipu::Day;
/// let day: Day = "2024-02-29".parse()?;
/// assert_eq!(day.to_string(), "2024-02-29");
/// assert!(Day::OLDER < day);
/// assert!("2023-02-29".parse::<Day>().is_err());
/// # Ok::<(), quipu::ParseDayError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// Everything older than the buckets that are kept apart; it sorts first
    /// and prints as `older`.
    pub const OLDER: Self = Self(i32::MIN);

    /// The day in UTC that holds `at`; moments before 1970 count as 1970.
    #[must_use]
    pub fn of(at: SystemTime) -> Self {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self::from_epoch_days(since.as_secs() / (HOURS_PER_DAY * 3600))
    }

    /// The first moment of the day, `None` for [`Day::OLDER`].
    #[must_use]
    pub fn start(self) -> Option<SystemTime> {
        let days = u64::try_from(self.0).ok()?;
        UNIX_EPOCH.checked_add(Duration::from_secs(days * HOURS_PER_DAY * 3600))
    }

    fn from_epoch_days(days: u64) -> Self {
        Self(i32::try_from(days).unwrap_or(i32::MAX))
    }

    fn date(self) -> Option<Date> {
        EPOCH
            .checked_add(jiff::Span::new().try_days(self.0).ok()?)
            .ok()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date() {
            Some(date) if *self != Self::OLDER => f.pad(&date.to_string()),
            _ => f.pad("older"),
        }
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Day({self})")
    }
}

impl FromStr for Day {
    type Err = ParseDayError;

    /// Reads `YYYY-MM-DD`, from 1970-01-01 on.
    fn from_str(text: &str) -> Result<Self, ParseDayError> {
        let error = || ParseDayError {
            text: text.to_owned(),
        };
        // jiff also takes other forms, such as a date with a time; a day is
        // just the ten characters.
        if text.len() != 10 {
            return Err(error());
        }
        let date: Date = text.parse().map_err(|_| error())?;
        let days = EPOCH.until(date).map_err(|_| error())?.get_days();
        if days < 0 {
            return Err(error());
        }
        Ok(Self(days))
    }
}

/// A text that is not a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseDayError {
    text: String,
}

impl fmt::Display for ParseDayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a day: write it as YYYY-MM-DD, from 1970-01-01 on",
            self.text
        )
    }
}

impl std::error::Error for ParseDayError {}
