//! Base64 as it arrives, four letters at a time.

/// Decodes base64 in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Base64 {
    bits: u32,
    letters: u8,
    is_bad: bool,
}

impl Base64 {
    /// Decodes a piece; `take` gets up to three bytes at a time.
    pub(crate) fn push(&mut self, piece: &[u8], mut take: impl FnMut(&[u8])) {
        for letter in piece {
            let value = match letter {
                b'A'..=b'Z' => letter - b'A',
                b'a'..=b'z' => letter - b'a' + 26,
                b'0'..=b'9' => letter - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                b'=' | b'\r' | b'\n' => continue,
                _ => {
                    self.is_bad = true;
                    continue;
                }
            };
            self.bits = (self.bits << 6) | u32::from(value);
            self.letters += 1;
            if self.letters == 4 {
                let [_, bytes @ ..] = self.bits.to_be_bytes();
                take(&bytes);
                (self.bits, self.letters) = (0, 0);
            }
        }
    }

    /// Decodes what is left; gives whether all of it was base64.
    pub(crate) fn end(&mut self, mut take: impl FnMut(&[u8])) -> bool {
        let missing = 4 - u32::from(self.letters);
        let [_, first, second, _] = (self.bits << (6 * missing)).to_be_bytes();
        match self.letters {
            3 => take(&[first, second]),
            2 => take(&[first]),
            _ => {}
        }
        let is_good = !self.is_bad && self.letters != 1;
        *self = Self::default();
        is_good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &[u8], chunk: usize) -> Option<Vec<u8>> {
        let mut base64 = Base64::default();
        let mut decoded = Vec::new();
        for piece in text.chunks(chunk) {
            base64.push(piece, |bytes| decoded.extend_from_slice(bytes));
        }
        let is_good = base64.end(|bytes| decoded.extend_from_slice(bytes));
        is_good.then_some(decoded)
    }

    #[test]
    fn every_length_and_cut_is_decoded() {
        let texts: [(&[u8], &[u8]); 6] = [
            (b"", b""),
            (b"eyI=", b"{\""),
            (b"ew==", b"{"),
            (b"e30K", b"{}\n"),
            (b"+/-_", &[0xfb, 0xff, 0xbf]),
            (b"eyJ1c2FnZSI6MX0", b"{\"usage\":1}"),
        ];
        for (text, bytes) in texts {
            for chunk in 1..5 {
                assert_eq!(decode(text, chunk).as_deref(), Some(bytes));
            }
        }
    }

    #[test]
    fn other_letters_are_noticed() {
        assert_eq!(decode(b"e*30K", 2), None);
        assert_eq!(decode(b"e30Ke", 2), None);
    }
}
