//! Parts of a document that lie in one piece, as nearly all do: they are read
//! at once, where the state machine would go byte by byte. Whatever isn't whole
//! or isn't plain is left to that.

use memchr::memchr2;

use super::bare::is_bare;

/// Keys are mostly shorter; beyond, a search that is good at long runs begins.
const SHORT: usize = 32;

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
pub(super) fn member(bytes: &[u8]) -> Option<Member<'_>> {
    let (key, rest) = string(bytes)?;
    let (b':', rest) = next(rest)? else {
        return None;
    };
    let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
    let value = rest.get(blanks..).filter(|value| !value.is_empty())?;
    Some(Member { key, value })
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

/// Where the first quote or backslash is.
fn end_of_run(text: &[u8]) -> Option<usize> {
    // The lowest byte of a word that is zero has its high bit set, and none
    // before it has.
    let zeros = |word: u64| word.wrapping_sub(LOW) & !word & (LOW << 7);
    let mut at = 0;
    for word in text.as_chunks::<8>().0.iter().take(SHORT / 8) {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ QUOTES) | zeros(word ^ BACKSLASHES);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    Some(at + memchr2(b'"', b'\\', text.get(at..)?)?)
}

/// The number or literal that `bytes` begin with, and what is behind it.
pub(super) fn bare(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = bytes.iter().position(|byte| !is_bare(*byte))?;
    Some(bytes.split_at(len))
}

fn next(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let at = bytes.iter().position(|byte| !is_blank(*byte))?;
    let (byte, rest) = bytes.get(at..)?.split_first()?;
    Some((*byte, rest))
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
        assert_eq!(bare(b"-1.5e3}"), Some((&b"-1.5e3"[..], &b"}"[..])));
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
        assert_eq!(bare(b"12"), None);
    }
}
