//! Parts of a document that lie in one piece, as nearly all do: they are read
//! at once, where the state machine would go byte by byte. Whatever isn't whole
//! or isn't plain is left to that.

use memchr::memchr2;

use super::bare::{Bare, is_bare, read_short};

/// Keys are mostly shorter; beyond, a search that is good at long runs begins.
const SHORT: usize = 32;

/// Digits of which every number fits 64 bits.
const SURE: usize = 19;

/// A word of eight ones.
const LOW: u64 = 0x0101_0101_0101_0101;
const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);

/// What follows a key, and its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub(super) key: &'a [u8],
    /// From the value's first byte on; not empty.
    pub(super) value: &'a [u8],
}

/// The key without escapes that `bytes` begin with, at its quote, and its value.
#[inline]
pub(super) fn member(bytes: &[u8]) -> Option<Member<'_>> {
    let (key, rest) = string(bytes)?;
    let (b':', rest) = after_blanks(rest).split_first()? else {
        return None;
    };
    let value = after_blanks(rest);
    (!value.is_empty()).then_some(Member { key, value })
}

/// The quote of the key that follows a value, where one follows.
pub(super) fn next_key(behind: &[u8]) -> Option<&[u8]> {
    let (b',', rest) = behind.split_first()? else {
        return None;
    };
    let rest = after_blanks(rest);
    (rest.first() == Some(&b'"')).then_some(rest)
}

/// The string without escapes that `bytes` begin with, at its quote, and what
/// is behind it.
pub(super) fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = bytes.get(1..)?;
    let (text, end) = text.split_at(end_of_run(text)?);
    match end.split_first()? {
        (b'"', rest) => Some((text, rest)),
        _ => None,
    }
}

/// What follows a string whose first byte behind its quote `bytes` begin with,
/// from its closing quote on.
pub(super) fn to_end(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let end = bytes.get(end_of_run(bytes)?..)?;
        bytes = match end {
            [b'\\', b'u', rest @ ..] => {
                let (digits, rest) = rest.split_first_chunk::<4>()?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(rest)?
            }
            [b'\\', _, rest @ ..] => rest,
            [b'"', ..] => return Some(end),
            _ => return None,
        }
    }
}

/// Where the first quote or backslash is.
#[inline]
pub(super) fn end_of_run(text: &[u8]) -> Option<usize> {
    // The lowest byte of a word that is zero has its high bit set, and none
    // before it has.
    let zeros = |word: u64| word.wrapping_sub(LOW) & !word & (LOW << 7);
    let mut rest = text;
    let mut at = 0;
    while at < SHORT
        && let Some((word, behind)) = rest.split_first_chunk()
    {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ QUOTES) | zeros(word ^ BACKSLASHES);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
        rest = behind;
    }
    Some(at + memchr2(b'"', b'\\', rest)?)
}

/// The number or literal that `bytes` begin with, and what is behind it.
#[inline]
pub(super) fn bare(bytes: &[u8]) -> Option<(Bare, &[u8])> {
    // Nearly all are counts or null.
    let digits = bytes
        .iter()
        .take(SURE)
        .take_while(|byte| byte.is_ascii_digit());
    let (len, count) = digits.fold((0, 0), |(len, count), digit| {
        (len + 1, 10 * count + u64::from(digit - b'0'))
    });
    let known = match len {
        0 if bytes.starts_with(b"null") => Some((Bare::Null, b"null".len())),
        0 => None,
        _ => Some((Bare::Count(count), len)),
    };
    if let Some((known, len)) = known
        && let Some((_, behind)) = bytes.split_at_checked(len)
        && !is_bare(*behind.first()?)
    {
        return Some((known, behind));
    }
    let len = bytes.iter().position(|byte| !is_bare(*byte))?;
    let (word, behind) = bytes.split_at(len);
    Some((read_short(word)?, behind))
}

fn after_blanks(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let Some((byte, rest)) = bytes.split_first()
        && is_blank(*byte)
    {
        bytes = rest;
    }
    bytes
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_and_plain_is_read_at_once() {
        let found = member(b"\"key\" : \t 12, \"more\"").unwrap();
        assert_eq!(
            (found.key, found.value),
            (&b"key"[..], &b"12, \"more\""[..])
        );
        for len in (0..70).chain([1000]) {
            let long = format!("\"{}\":x\"\\", "k\u{a2}\u{222}!#[]"[..].repeat(len));
            let key = member(long.as_bytes()).unwrap().key;
            assert_eq!(key.len(), 9 * len);
            let all = format!("\"{}\"", "k".repeat(len));
            assert_eq!(string(all.as_bytes()).unwrap().0.len(), len);
        }
        assert_eq!(string(b"\"\"x"), Some((&b""[..], &b"x"[..])));
        for (word, value) in [
            ("0", Bare::Count(0)),
            ("12", Bare::Count(12)),
            ("12.0", Bare::Count(12)),
            (
                "9999999999999999999",
                Bare::Count(9_999_999_999_999_999_999),
            ),
            ("18446744073709551615", Bare::Count(u64::MAX)),
            ("18446744073709551616", Bare::NoCount),
            ("-1.5e3", Bare::NoCount),
            ("null", Bare::Null),
            ("true", Bare::Bool(true)),
        ] {
            let found = bare([word, "}"].concat().as_bytes()).map(|(value, _)| value);
            assert_eq!(found, Some(value), "{word}");
        }
        assert_eq!(next_key(b", \n\t\"k"), Some(&b"\"k"[..]));
        for text in ["", "plain", "\\\"", "\\\\", "\\u00e9x\\n", "é"] {
            let end = to_end([text, "\",1"].concat().as_bytes()).map(<[u8]>::len);
            assert_eq!(end, Some(3), "{text}");
        }
    }

    #[test]
    fn everything_else_is_left() {
        for part in [
            "\"ke",
            "\"key\"",
            "\"key\":",
            "\"key\": ",
            "\"k\\u0065y\":1",
            "\"key\" 1",
        ] {
            assert_eq!(member(part.as_bytes()), None, "{part}");
        }
        let long = format!("\"{}\\n\"", "t".repeat(100));
        assert_eq!(string(long.as_bytes()), None);
        assert_eq!(string(long.get(..90).unwrap().as_bytes()), None);
        for word in ["12", "null", "nullx}", "nul}", "12x}", "\"}"] {
            assert_eq!(bare(word.as_bytes()), None, "{word}");
        }
        for text in ["", "plain", "\\", "\\\"", "\\u00", "\\u00gg\"", "\\u12\""] {
            assert_eq!(to_end(text.as_bytes()), None, "{text}");
        }
        for behind in ["", "]", ",", ", ", ", {", ",]"] {
            assert_eq!(next_key(behind.as_bytes()), None, "{behind}");
        }
    }
}
