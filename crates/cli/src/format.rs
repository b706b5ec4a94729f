//! Numbers for people: thousands separators, units, money, durations, shares.

use std::fmt;
use std::time::{Duration, SystemTime};

/// What stands for a number that nobody reported.
pub(crate) const MISSING: &str = "-";

const NANOS_PER_USD: u64 = 1_000_000_000;

/// A count with thousands separators: `1,234,567`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count(pub(crate) u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 20 digits and 6 commas at most.
        let mut text = [0u8; 26];
        let mut start = text.len();
        let mut left = self.0;
        let mut digits = 0;
        loop {
            if digits != 0 && digits % 3 == 0 {
                start -= 1;
                text[start] = b',';
            }
            start -= 1;
            text[start] = b'0' + (left % 10) as u8;
            left /= 10;
            digits += 1;
            if left == 0 {
                break;
            }
        }
        f.pad(std::str::from_utf8(&text[start..]).map_err(|_| fmt::Error)?)
    }
}

/// US dollars from nano-dollars, with a fixed number of decimals, so that a
/// column of them aligns at the point. What rounds to nothing but is
/// something is shown as less than the smallest amount.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Money {
    /// The amount in nano-dollars.
    pub(crate) nanos: u64,
    /// Digits behind the point, at most 9.
    pub(crate) decimals: u32,
}

impl Money {
    /// An amount with the decimals that suit it.
    pub(crate) const fn new(nanos: u64) -> Self {
        Self {
            nanos,
            decimals: decimals_for(nanos),
        }
    }
}

/// The decimals for amounts of which `largest` is the largest: cents for
/// tens of dollars, more the smaller the amounts are.
pub(crate) const fn decimals_for(largest: u64) -> u32 {
    match largest {
        0 => 2,
        n if n >= 10 * NANOS_PER_USD => 2,
        n if n >= NANOS_PER_USD / 10 => 4,
        n if n >= NANOS_PER_USD / 1_000 => 6,
        _ => 9,
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.decimals.min(9);
        let unit = 10u64.pow(9 - decimals);
        let mut units = self.nanos / unit;
        if self.nanos % unit >= unit.div_ceil(2) && unit > 1 {
            units += 1;
        }
        let scale = 10u64.pow(decimals);
        if units == 0 && self.nanos != 0 {
            f.write_str("<")?;
            units = 1;
        }
        write!(f, "${}", Count(units / scale))?;
        if decimals > 0 {
            write!(f, ".{:0width$}", units % scale, width = decimals as usize)?;
        }
        Ok(())
    }
}

/// A duration with the unit that keeps it to three or four digits: `180 µs`,
/// `730 ms`, `1.23 s`, `12 min 5 s`, `3 h 20 min`, `2 d 4 h`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        let seconds = self.0.as_secs();
        if seconds < MINUTE {
            // Less than 2^36.
            let nanos = seconds * 1_000_000_000 + u64::from(self.0.subsec_nanos());
            // The bounds are where rounding would print a fourth digit.
            return match nanos {
                0..=999 => write!(f, "{nanos} ns"),
                1_000..=999_499 => scaled(f, nanos, 1_000, "µs"),
                999_500..=999_499_999 => scaled(f, nanos, 1_000_000, "ms"),
                _ => scaled(f, nanos, 1_000_000_000, "s"),
            };
        }
        let (large, large_unit, small, small_unit) = match seconds {
            s if s < HOUR => (s / MINUTE, "min", s % MINUTE, "s"),
            s if s < DAY => (s / HOUR, "h", s % HOUR / MINUTE, "min"),
            s => (s / DAY, "d", s % DAY / HOUR, "h"),
        };
        write!(f, "{} {large_unit}", Count(large))?;
        if small != 0 {
            write!(f, " {small} {small_unit}")?;
        }
        Ok(())
    }
}

/// Three significant digits of `nanos` in a unit. In integers, because a
/// table has many thousands of them.
fn scaled(f: &mut fmt::Formatter<'_>, nanos: u64, unit: u64, name: &str) -> fmt::Result {
    let hundredths = nanos.saturating_mul(100).saturating_add(unit / 2) / unit;
    let (whole, part) = (hundredths / 100, hundredths % 100);
    match hundredths {
        0..=999 => write!(f, "{whole}.{part:02} {name}"),
        1_000..=9_994 => {
            let tenths = (nanos * 10 + unit / 2) / unit;
            write!(f, "{}.{} {name}", tenths / 10, tenths % 10)
        }
        _ => write!(f, "{} {name}", (nanos + unit / 2) / unit),
    }
}

/// Something per second: `1,234/s`, `0.25/s`, `0/s`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate(pub(crate) f64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = if self.0.is_finite() {
            self.0.max(0.0)
        } else {
            0.0
        };
        match rate {
            0.0 => f.write_str("0/s"),
            r if r < 9.995 => write!(f, "{r:.2}/s"),
            r => write!(f, "{}/s", Count(r.round() as u64)),
        }
    }
}

/// A part of a whole, from 0 to 1; `None` where there is no whole.
pub(crate) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole != 0).then(|| (part as f64 / whole as f64).min(1.0))
}

/// A share in per cent: `12.3 %`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Percent(pub(crate) f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 1_000.0).round() as u64;
        if tenths == 0 && self.0 > 0.0 {
            f.write_str("<0.1 %")
        } else {
            write!(f, "{}.{} %", Count(tenths / 10), tenths % 10)
        }
    }
}

/// A share as a bar of at most `cells` columns, in eighths of a column. What
/// is more than nothing shows.
pub(crate) fn bar(share: f64, cells: usize) -> String {
    const EIGHTHS: [char; 8] = ['█', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let share = if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let mut eighths = (share * cells as f64 * 8.0).round() as usize;
    if eighths == 0 && share > 0.0 {
        eighths = 1;
    }
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}

/// A moment in UTC by RFC 3339, to the millisecond. Moments that a calendar
/// doesn't have are shown as missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(pub(crate) SystemTime);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::try_from(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => f.write_str(MISSING),
        }
    }
}

/// `1 record`, `2 records`.
pub(crate) fn plural(n: u64, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {one}{s}", Count(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn money(nanos: u64) -> String {
        Money::new(nanos).to_string()
    }

    fn span(nanos: u64) -> String {
        Span(Duration::from_nanos(nanos)).to_string()
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345, "12,345"),
            (100_000, "100,000"),
            (1_234_567, "1,234,567"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(Count(n).to_string(), text);
        }
        assert_eq!(format!("{:>7}", Count(1_000)), "  1,000");
    }

    #[test]
    fn money_has_the_digits_that_matter() {
        assert_eq!(money(0), "$0.00");
        assert_eq!(money(1_234_567_890_000), "$1,234.57");
        assert_eq!(money(9_345_678_900), "$9.3457");
        assert_eq!(money(4_110_000), "$0.004110");
        assert_eq!(money(37), "$0.000000037");
        assert_eq!(money(u64::MAX), "$18,446,744,073.71");
    }

    #[test]
    fn money_never_rounds_something_to_nothing() {
        let cents = |nanos| Money { nanos, decimals: 2 }.to_string();
        assert_eq!(cents(0), "$0.00");
        assert_eq!(cents(1), "<$0.01");
        assert_eq!(cents(4_999_999), "<$0.01");
        assert_eq!(cents(5_000_000), "$0.01");
        assert_eq!(cents(999_995_000_000), "$1,000.00");
        let whole = Money {
            nanos: 1_500_000_000,
            decimals: 0,
        };
        assert_eq!(whole.to_string(), "$2");
        let all = Money {
            nanos: 1,
            decimals: 9,
        };
        assert_eq!(all.to_string(), "$0.000000001");
    }

    #[test]
    fn durations_keep_three_digits() {
        for (nanos, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (180_000, "180 µs"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (9_996_000, "10.0 ms"),
            (730_000_000, "730 ms"),
            (999_600_000, "1.00 s"),
            (1_234_000_000, "1.23 s"),
            (59_900_000_000, "59.9 s"),
            (60_000_000_000, "1 min"),
            (725_000_000_000, "12 min 5 s"),
            (12_000_000_000_000, "3 h 20 min"),
            (187_200_000_000_000, "2 d 4 h"),
        ] {
            assert_eq!(span(nanos), text, "{nanos} ns");
        }
    }

    #[test]
    fn rates_bear_anything() {
        assert_eq!(Rate(0.0).to_string(), "0/s");
        assert_eq!(Rate(0.25).to_string(), "0.25/s");
        assert_eq!(Rate(12_345.6).to_string(), "12,346/s");
        assert_eq!(Rate(f64::NAN).to_string(), "0/s");
        assert_eq!(Rate(-3.0).to_string(), "0/s");
    }

    #[test]
    fn shares_stay_within_the_whole() {
        assert_eq!(share(1, 0), None);
        assert_eq!(share(3, 2), Some(1.0));
        assert_eq!(Percent(1.0).to_string(), "100.0 %");
        assert_eq!(Percent(0.0).to_string(), "0.0 %");
        assert_eq!(Percent(0.000_1).to_string(), "<0.1 %");
    }

    #[test]
    fn bars_grow_by_eighths() {
        assert_eq!(bar(0.0, 4), "");
        assert_eq!(bar(0.000_1, 4), "▏");
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(0.5 + 1.0 / 64.0, 4), "██▌".replace('▌', "▏").as_str());
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(7.0, 4), "████");
        assert_eq!(bar(f64::NAN, 4), "");
    }

    #[test]
    fn moments_are_rfc_3339() {
        let at = UNIX_EPOCH + Duration::from_millis(1_700_092_800_250);
        assert_eq!(Moment(at).to_string(), "2023-11-16T00:00:00.250Z");
        assert_eq!(Moment(UNIX_EPOCH).to_string(), "1970-01-01T00:00:00.000Z");
    }
}
