//! What stands in JSON without quotes: numbers and literals.

/// Longest number that is kept. A count has at most 20 digits.
const LONGEST: usize = 40;

/// A word without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    Null,
    Bool(bool),
    /// A whole number from 0 to `u64::MAX`, also written as `12.0`.
    Count(u64),
    /// A number that is no count: negative, fractional, with an exponent, too
    /// large, or no number at all (`NaN`).
    NoCount,
}

/// The bytes of such a word, as they arrive.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    bytes: [u8; LONGEST],
    len: u8,
    is_too_long: bool,
}

impl Default for Word {
    fn default() -> Self {
        Self {
            bytes: [0; LONGEST],
            len: 0,
            is_too_long: false,
        }
    }
}

/// Whether a byte may be in such a word.
pub(super) const fn is_bare(byte: u8) -> bool {
    const OF_WORDS: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 128_u8 {
            table[byte as usize] =
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
            byte += 1;
        }
        table
    };
    OF_WORDS[byte as usize]
}

impl Word {
    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.is_too_long = false;
    }

    pub(super) fn push(&mut self, byte: u8) {
        match self.bytes.get_mut(usize::from(self.len)) {
            Some(room) => {
                *room = byte;
                self.len += 1;
            }
            None => self.is_too_long = true,
        }
    }

    /// What the word is; `None` for one that JSON doesn't have.
    pub(super) fn read(&self) -> Option<Bare> {
        let word = self.bytes.get(..usize::from(self.len))?;
        match read(word)? {
            Bare::Count(_) if self.is_too_long => Some(Bare::NoCount),
            bare => Some(bare),
        }
    }
}

/// What a word is that lies in one piece and is short enough to be kept; `None`
/// for all others, and for one that JSON doesn't have.
pub(super) fn read_short(word: &[u8]) -> Option<Bare> {
    if word.len() > LONGEST {
        return None;
    }
    read(word)
}

fn read(word: &[u8]) -> Option<Bare> {
    match word {
        b"null" => Some(Bare::Null),
        b"true" => Some(Bare::Bool(true)),
        b"false" => Some(Bare::Bool(false)),
        // Python writes these.
        b"NaN" | b"Infinity" | b"-Infinity" => Some(Bare::NoCount),
        [b'-' | b'0'..=b'9', ..] if word.iter().all(|byte| is_numeric(*byte)) => {
            Some(count(word).map_or(Bare::NoCount, Bare::Count))
        }
        _ => None,
    }
}

const fn is_numeric(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// A count from its digits, with nothing but zeros behind a point.
pub(crate) fn count(digits: &[u8]) -> Option<u64> {
    let (whole, fraction) = match digits.iter().position(|byte| *byte == b'.') {
        Some(point) => (digits.get(..point)?, digits.get(point + 1..)?),
        None => (digits, &b"0"[..]),
    };
    if whole.is_empty() || fraction.is_empty() || fraction.iter().any(|byte| *byte != b'0') {
        return None;
    }
    whole.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        sum.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(word: &str) -> Option<Bare> {
        let mut bare = Word::default();
        word.bytes().for_each(|byte| bare.push(byte));
        bare.read()
    }

    #[test]
    fn whole_numbers_are_counts() {
        assert_eq!(read("0"), Some(Bare::Count(0)));
        assert_eq!(read("18446744073709551615"), Some(Bare::Count(u64::MAX)));
        assert_eq!(read("12.00"), Some(Bare::Count(12)));
    }

    #[test]
    fn other_numbers_are_not() {
        let long = "1".repeat(10_000);
        let almost_whole = format!("1.{}5", "0".repeat(100));
        for number in [
            "-1",
            "1.5",
            "1e3",
            "18446744073709551616",
            "NaN",
            "-Infinity",
            "1.",
            &long,
            &almost_whole,
        ] {
            assert_eq!(read(number), Some(Bare::NoCount), "{number}");
        }
    }

    #[test]
    fn words_that_json_does_not_have_are_none() {
        for word in ["nul", "True", "undefined", "0x12", "12a"] {
            assert_eq!(read(word), None, "{word}");
        }
    }
}
