//! A short string in place: what is longer is not kept.

/// Longest string that is kept, in bytes. The longest model names that
/// providers give (resource names of Bedrock and Vertex) are near 150.
pub(crate) const LONGEST: usize = 256;

/// A string of up to [`LONGEST`] bytes, without allocation.
#[derive(Clone)]
pub(crate) struct Text {
    bytes: [u8; LONGEST],
    len: u16,
    is_too_long: bool,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            bytes: [0; LONGEST],
            len: 0,
            is_too_long: false,
        }
    }
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
        self.len = 0;
        self.is_too_long = false;
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        let start = usize::from(self.len);
        match self.bytes.get_mut(start..start + piece.len()) {
            Some(room) if !self.is_too_long => {
                room.copy_from_slice(piece);
                self.len += u16::try_from(piece.len()).unwrap_or(0);
            }
            _ => self.is_too_long = true,
        }
    }

    pub(crate) fn set(&mut self, bytes: &[u8]) {
        self.clear();
        self.push(bytes);
    }

    /// Becomes the same as `other`, without its unused room.
    pub(crate) fn copy(&mut self, other: &Self) {
        match other.get() {
            Some(bytes) => self.set(bytes),
            None => self.is_too_long = true,
        }
    }

    /// The bytes; `None` where there were more than are kept.
    pub(crate) fn get(&self) -> Option<&[u8]> {
        if self.is_too_long {
            None
        } else {
            self.bytes.get(..usize::from(self.len))
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0 && !self.is_too_long
    }
}
