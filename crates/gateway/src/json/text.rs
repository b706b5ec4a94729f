//! A short string in place: what is longer is not kept.

use smallvec::SmallVec;

/// Longest string that is kept, in bytes. The longest model names that
/// providers give (resource names of Bedrock and Vertex) are near 150.
pub(crate) const LONGEST: usize = 256;

/// Longest string that is kept in place.
const SHORT: usize = 32;

/// A string of up to [`LONGEST`] bytes; nearly all are short.
#[derive(Clone, Default)]
pub(crate) struct Text {
    bytes: SmallVec<[u8; SHORT]>,
    is_too_long: bool,
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.get() {
            Some(bytes) => f.write_str(&String::from_utf8_lossy(bytes)),
            None => f.write_str("(too long)"),
        }
    }
}

impl Text {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.is_too_long = false;
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        if self.bytes.len() + piece.len() > LONGEST {
            self.is_too_long = true;
        }
        if !self.is_too_long {
            self.bytes.extend_from_slice(piece);
        }
    }

    pub(crate) fn set(&mut self, bytes: &[u8]) {
        self.clear();
        self.push(bytes);
    }

    /// Becomes the same as `other`.
    pub(crate) fn copy(&mut self, other: &Self) {
        match other.get() {
            Some(bytes) => self.set(bytes),
            None => self.is_too_long = true,
        }
    }

    /// The bytes; `None` where there were more than are kept.
    pub(crate) fn get(&self) -> Option<&[u8]> {
        (!self.is_too_long).then_some(&self.bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.is_too_long
    }
}
