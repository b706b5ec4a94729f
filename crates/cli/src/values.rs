//! Values on the command line that several commands take.

use std::time::Duration;

use clap::ValueEnum;

/// How to write a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for people.
    Table,
    /// One JSON document; integers are exact, what nobody reported is null.
    Json,
    /// RFC 4180 with a header line; what nobody reported is empty.
    Csv,
}

/// A span of time on the command line: seconds, or a number with a unit
/// (`250ms`, `1s`, `2.5s`, `1m`).
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    let number_ends = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(number_ends);
    let unit = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        _ => return Err("write it as 250ms, 1s or 1m".to_owned()),
    };
    let seconds = number
        .parse::<f64>()
        .map_err(|_| "write it as 250ms, 1s or 1m".to_owned())?
        * unit;
    if (0.01..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("it must be from 10ms to a day".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_units() {
        assert_eq!(interval("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(interval("1"), Ok(Duration::from_secs(1)));
        assert_eq!(interval("2.5s"), Ok(Duration::from_millis(2_500)));
        assert_eq!(interval("1m"), Ok(Duration::from_secs(60)));
        for wrong in [
            "", "s", "1h", "-1s", "1e9", "nan", "inf", "0", "9ms", "1.2.3", "90000",
        ] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }
}
