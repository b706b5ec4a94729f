//! A string of JSON, as it arrives.

use memchr::memchr2;

use super::text::Text;

/// What becomes of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// It is walked over.
    Nothing,
    /// It is a key.
    Key,
    /// It is kept, as far as there is room.
    Kept,
    /// It is handed on in pieces.
    Pieces,
}

/// Inside an escape sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    None,
    Begun,
    /// Hex digits so far, and their value.
    Unicode(u8, u16),
}

/// How far a string was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read<'a> {
    /// All bytes are used, and it goes on.
    On,
    /// It ended; this is behind it.
    Ended(&'a [u8]),
    /// It is not JSON.
    Broken,
}

/// Reads one string after the other.
#[derive(Clone, Debug)]
pub(super) struct StringReader {
    want: Want,
    escape: Escape,
    /// The first half of a surrogate pair.
    high: Option<u16>,
    text: Text,
}

impl Default for StringReader {
    fn default() -> Self {
        Self {
            want: Want::Nothing,
            escape: Escape::None,
            high: None,
            text: Text::default(),
        }
    }
}

impl StringReader {
    /// Begins a string, behind its opening quote.
    pub(super) fn begin(&mut self, want: Want) {
        self.text.clear();
        self.want = want;
        self.escape = Escape::None;
        self.high = None;
    }

    pub(super) const fn want(&self) -> Want {
        self.want
    }

    /// What was kept; `None` where there was no room for it.
    pub(super) fn text(&self) -> Option<&[u8]> {
        self.text.get()
    }

    /// Reads on; `hand_on` gets the pieces of a string that is handed on.
    pub(super) fn read<'a>(
        &mut self,
        mut bytes: &'a [u8],
        mut hand_on: impl FnMut(&[u8]),
    ) -> Read<'a> {
        loop {
            if self.escape != Escape::None {
                let Some((&byte, rest)) = bytes.split_first() else {
                    return Read::On;
                };
                bytes = rest;
                if self.escaped(byte, &mut hand_on).is_none() {
                    return Read::Broken;
                }
                continue;
            }
            let at = memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
            let (run, rest) = bytes.split_at(at);
            self.keep(run, &mut hand_on);
            match rest.split_first() {
                None => return Read::On,
                Some((b'"', rest)) => return Read::Ended(rest),
                Some((_, rest)) => {
                    self.escape = Escape::Begun;
                    bytes = rest;
                }
            }
        }
    }

    fn keep(&mut self, run: &[u8], hand_on: &mut impl FnMut(&[u8])) {
        match self.want {
            Want::Nothing => {}
            Want::Key | Want::Kept => self.text.push(run),
            Want::Pieces => hand_on(run),
        }
    }

    /// Takes a byte of an escape sequence; `None` where it can't be there.
    fn escaped(&mut self, byte: u8, hand_on: &mut impl FnMut(&[u8])) -> Option<()> {
        self.escape = match self.escape {
            Escape::Unicode(digits, value) => {
                let digit = char::from(byte).to_digit(16)?;
                let value = (value << 4) | u16::try_from(digit).ok()?;
                if digits < 3 {
                    Escape::Unicode(digits + 1, value)
                } else {
                    self.utf16(value, hand_on);
                    Escape::None
                }
            }
            _ if byte == b'u' => Escape::Unicode(0, 0),
            _ => {
                let plain = match byte {
                    b'b' => 0x08,
                    b'f' => 0x0c,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    // `\"`, `\\`, `\/`, and what JSON doesn't have.
                    other => other,
                };
                self.keep(&[plain], hand_on);
                Escape::None
            }
        };
        Some(())
    }

    /// One unit of UTF-16, half a character maybe.
    fn utf16(&mut self, unit: u16, hand_on: &mut impl FnMut(&[u8])) {
        let high = self.high.take();
        if (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
            return;
        }
        let mut buffer = [0; 4];
        for c in char::decode_utf16(high.into_iter().chain([unit])) {
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.keep(c.encode_utf8(&mut buffer).as_bytes(), hand_on);
        }
    }
}
