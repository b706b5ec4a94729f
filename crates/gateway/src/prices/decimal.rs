//! Prices as exact numbers: from decimal text, never through a binary float.

use std::fmt;

/// Decimal places that a rate keeps: atto-dollars.
const PLACES: i64 = 18;

/// A price for one token, in whole atto-dollars (10⁻¹⁸ USD). Up to 18 USD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

/// Why a text is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateError {
    /// It is no decimal number.
    NotDecimal,
    /// It is negative.
    Negative,
    /// It is above 18 USD for one token.
    TooLarge,
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotDecimal => "a price is a decimal number such as 2.50 or 1.5e-07",
            Self::Negative => "a price can't be negative",
            Self::TooLarge => "a price is at most 18 USD for one token",
        })
    }
}

impl std::error::Error for RateError {}

impl Rate {
    /// A rate in atto-dollars for one token.
    #[must_use]
    pub const fn from_atto(atto: u64) -> Self {
        Self(atto)
    }

    /// Atto-dollars for one token.
    #[must_use]
    pub const fn atto(self) -> u64 {
        self.0
    }

    /// Reads US dollars for one token, as decimal text with or without an
    /// exponent. Digits beyond 10⁻¹⁸ USD are rounded, half to even.
    ///
    /// # Errors
    /// [`RateError`] where that is no number from 0 to 18 USD.
    ///
    /// ```
    /// use quipu_gateway::prices::Rate;
    ///
    /// assert_eq!(Rate::per_token("1.5e-07")?.atto(), 150_000_000_000);
    /// assert_eq!(Rate::per_million("0.15")?, Rate::per_token("1.5e-07")?);
    /// # Ok::<(), quipu_gateway::prices::RateError>(())
    /// ```
    pub fn per_token(text: &str) -> Result<Self, RateError> {
        parse(text, PLACES).map(Self)
    }

    /// Reads US dollars for a million tokens.
    ///
    /// # Errors
    /// [`RateError`] where that is no number from 0 to 18 million USD.
    pub fn per_million(text: &str) -> Result<Self, RateError> {
        parse(text, PLACES - 6).map(Self)
    }
}

/// `text` × 10^`places`, rounded half to even.
fn parse(text: &str, places: i64) -> Result<u64, RateError> {
    let (is_negative, text) = match text.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.trim().strip_prefix('+').unwrap_or(text.trim())),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let exponent: i64 = exponent.parse().map_err(|_| RateError::NotDecimal)?;
            (mantissa, exponent)
        }
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    let mut digits = whole.bytes().chain(fraction.bytes());
    if !has_digits || !digits.all(|byte| byte.is_ascii_digit()) {
        return Err(RateError::NotDecimal);
    }
    let fraction_len = i64::try_from(fraction.len()).map_err(|_| RateError::NotDecimal)?;
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let leading = digits.iter().take_while(|byte| **byte == b'0').count();
    let digits = digits.get(leading..).unwrap_or_default();
    if digits.is_empty() {
        return Ok(0);
    }
    if is_negative {
        return Err(RateError::Negative);
    }
    // The number is `digits` × 10^`scale`.
    let scale = exponent.saturating_sub(fraction_len).saturating_add(places);
    scaled(digits, scale)
}

fn scaled(digits: &[u8], scale: i64) -> Result<u64, RateError> {
    let len = i64::try_from(digits.len()).map_err(|_| RateError::TooLarge)?;
    let kept = len.saturating_add(scale.min(0));
    if kept.saturating_add(scale.max(0)) > 20 {
        return Err(RateError::TooLarge);
    }
    let kept = usize::try_from(kept.max(0)).map_err(|_| RateError::TooLarge)?;
    let (whole, dropped) = digits.split_at(kept.min(digits.len()));
    let mut value: u128 = 0;
    for byte in whole {
        value = value * 10 + u128::from(byte - b'0');
    }
    for _ in 0..scale.max(0) {
        value *= 10;
    }
    // Where fewer places are left than digits are missing, what was dropped is
    // below a tenth of the last place.
    let is_far_below = len.saturating_add(scale) < 0;
    if !is_far_below && rounds_up(dropped, value % 2 == 1) {
        value += 1;
    }
    u64::try_from(value).map_err(|_| RateError::TooLarge)
}

/// Whether digits that are dropped round the last that is kept up.
fn rounds_up(dropped: &[u8], is_odd: bool) -> bool {
    match dropped.split_first() {
        None => false,
        Some((b'5', rest)) => is_odd || rest.iter().any(|byte| *byte != b'0'),
        Some((first, _)) => *first > b'5',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atto(text: &str) -> Result<u64, RateError> {
        Rate::per_token(text).map(Rate::atto)
    }

    #[test]
    fn decimal_text_is_read_exactly() {
        for (text, expected) in [
            ("0", 0),
            ("0.0", 0),
            ("-0.0", 0),
            ("1", 1_000_000_000_000_000_000),
            ("1.5e-07", 150_000_000_000),
            ("15E-8", 150_000_000_000),
            ("0.00000015", 150_000_000_000),
            (".5e-6", 500_000_000_000),
            ("1e-18", 1),
            ("18", 18_000_000_000_000_000_000),
            // What a float made of 8e-07.
            ("8.000000000000001e-07", 800_000_000_000),
            ("7.999999999999999e-07", 800_000_000_000),
            ("2.9999900000000002e-06", 2_999_990_000_000),
        ] {
            assert_eq!(atto(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn digits_beyond_are_rounded_half_to_even() {
        for (text, expected) in [
            ("0.5e-18", 0),
            ("1.5e-18", 2),
            ("2.5e-18", 2),
            ("2.50000000000000000000000000001e-18", 3),
            ("2.4999999999999999999999999999e-18", 2),
            ("0.6e-18", 1),
            ("0.06e-18", 0),
            ("9e-400", 0),
        ] {
            assert_eq!(atto(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            ".",
            "e5",
            "1e",
            "1.2.3",
            "0x1",
            "1,5",
            "NaN",
            "1e99999999999999999999",
        ] {
            assert_eq!(atto(text), Err(RateError::NotDecimal), "{text}");
        }
        assert_eq!(atto("-1e-7"), Err(RateError::Negative));
        for text in ["19", "1e400", "99999999999999999999999999999999999999999"] {
            assert_eq!(atto(text), Err(RateError::TooLarge), "{text}");
        }
    }
}
