//! Walking over a container that nobody asks for.

use memchr::memchr2;

/// Counts brackets outside of strings until the container ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Skip {
    /// Brackets that are open.
    brackets: u64,
    is_in_string: bool,
    is_escaped: bool,
}

impl Skip {
    /// Behind the opening bracket of a container.
    pub(super) const fn begun() -> Self {
        Self {
            brackets: 1,
            is_in_string: false,
            is_escaped: false,
        }
    }

    pub(super) const fn is_in_string(&self) -> bool {
        self.is_in_string
    }

    /// Walks on; gives what is behind the container once it ended.
    pub(super) fn walk<'a>(&mut self, mut bytes: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            if self.is_in_string {
                bytes = self.string(bytes)?;
            }
            let at = bytes.iter().position(|byte| is_structure(*byte))?;
            let (&byte, rest) = bytes.get(at..)?.split_first()?;
            bytes = rest;
            match byte {
                b'"' => self.is_in_string = true,
                b'{' | b'[' => self.brackets += 1,
                _ => self.brackets -= 1,
            }
            if self.brackets == 0 {
                return Some(bytes);
            }
        }
    }

    /// Walks on in a string; gives what is behind it once it ended.
    fn string<'a>(&mut self, mut bytes: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            if self.is_escaped {
                (_, bytes) = bytes.split_first()?;
                self.is_escaped = false;
            }
            let at = memchr2(b'"', b'\\', bytes)?;
            let (&byte, rest) = bytes.get(at..)?.split_first()?;
            bytes = rest;
            if byte == b'"' {
                self.is_in_string = false;
                return Some(bytes);
            }
            self.is_escaped = true;
        }
    }
}

const fn is_structure(byte: u8) -> bool {
    matches!(byte, b'"' | b'{' | b'}' | b'[' | b']')
}
