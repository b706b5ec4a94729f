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

/// A whole number between two others on the command line.
pub(crate) fn number<T: TryFrom<u64>>(
    from: u64,
    to: u64,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|n| (from..=to).contains(n));
        let number = number.and_then(|n| T::try_from(n).ok());
        number.ok_or_else(|| match to {
            u64::MAX => format!("write a whole number from {from} on"),
            _ => format!("write a whole number from {from} to {to}"),
        })
    }
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
    fn numbers_have_bounds() {
        let some = number::<u16>(1, 1024);
        assert_eq!((some("1"), some("1024")), (Ok(1), Ok(1024)));
        for wrong in ["0", "1025", "-1", "1.5", "many", "", "99999999999999999999"] {
            assert_eq!(
                some(wrong),
                Err("write a whole number from 1 to 1024".to_owned())
            );
        }
        let any = number::<u64>(1, u64::MAX);
        assert_eq!(any("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(any("0"), Err("write a whole number from 1 on".to_owned()));
    }

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
