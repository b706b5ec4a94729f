//! The live words of the aggregate file: numbers that change while it is in
//! use, each valid by itself.

use std::ops::Index;

use crate::disk::Placed;
use crate::disk::format::{seal, unseal};
use crate::sync::{AtomicU64, Ordering};

/// The live words; [`layout::live`](super::layout::live) says which is which.
#[derive(Debug)]
pub(crate) struct Live {
    words: Placed<AtomicU64>,
}

impl Live {
    pub(crate) const fn new(words: Placed<AtomicU64>) -> Self {
        Self { words }
    }

    /// Stores a number together with 16 bits that check it, so that a flipped
    /// bit can't pass for another number.
    pub(crate) fn store_sealed(&self, word: usize, value: u64) {
        // Release: what the number counts was written before. For the
        // committed generation this is the commit point (I3).
        self.words[word].store(seal(value), Ordering::Release);
    }

    /// A number that was stored so; `None` where the bits don't agree with it.
    pub(crate) fn load_sealed(&self, word: usize) -> Option<u64> {
        // Acquire: pairs with the Release in `store_sealed`.
        unseal(self.words[word].load(Ordering::Acquire))
    }
}

/// A word as it is.
impl Index<usize> for Live {
    type Output = AtomicU64;

    fn index(&self, word: usize) -> &AtomicU64 {
        &self.words[word]
    }
}
