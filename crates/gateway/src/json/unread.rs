//! Values that nobody asks for: where they lie, and what may stand in their
//! place without changing anything.

use super::skip::behind_string;
use super::whole;

/// What may stand in a value's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// A string.
    Text,
    /// A string whose escapes nobody looks at.
    Any,
    /// A number or literal.
    Bare,
}

/// Such a value. Places are told by the bytes of its piece that follow them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unread {
    class: Class,
    begins: usize,
    ends: usize,
}

impl Unread {
    /// What is between the quotes of a string.
    pub(super) const fn text(begins: usize, ends: usize) -> Self {
        Self {
            class: Class::Text,
            begins,
            ends,
        }
    }

    /// What is between the quotes of a string in a container that is skipped.
    pub(super) const fn any(begins: usize, ends: usize) -> Self {
        Self {
            class: Class::Any,
            begins,
            ends,
        }
    }

    /// A number or literal.
    pub(super) const fn bare(begins: usize, ends: usize) -> Self {
        Self {
            class: Class::Bare,
            begins,
            ends,
        }
    }

    /// Its first byte in a piece of which so many bytes are left behind what was
    /// pushed, and the byte behind it.
    pub(crate) fn place(self, len: usize, left: usize) -> Option<(usize, usize)> {
        let of = |ends: usize| len.checked_sub(ends + left);
        Some((of(self.begins)?, of(self.ends)?))
    }

    /// What follows a value that `bytes` begin with and that may stand in place
    /// of this one: for a string its closing quote.
    pub(crate) fn behind_another(self, bytes: &[u8]) -> Option<&[u8]> {
        match self.class {
            Class::Text => whole::to_end(bytes),
            Class::Any => {
                let behind = behind_string(bytes)?;
                bytes.get(bytes.len().checked_sub(behind.len() + 1)?..)
            }
            Class::Bare => whole::bare(bytes).map(|(_, behind)| behind),
        }
    }
}
