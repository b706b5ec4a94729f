//! Damage to a live file that no writer can overlook.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use crate::rng::Rng;

/// Parts of the file, see docs/file-format.md.
const IDENTITY: Range<usize> = 0..256;
const LIVE_WORDS: Range<usize> = 256..512;
const COMMIT_BLOCKS: Range<usize> = 512..2688;
const EXTENTS: usize = 4096;
/// The end of the first extent: who cuts before it cuts something off.
const FIRST_EXTENT_END: u64 = 65_536;

/// What is done to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    Identity,
    LiveWords,
    CommitBlocks,
    Extents,
    /// So many bytes are left of it.
    Cut(u64),
}

impl Damage {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        match rng.below(6) {
            0 => Self::Identity,
            1 => Self::LiveWords,
            2 => Self::CommitBlocks,
            3 => Self::Extents,
            _ => Self::Cut(rng.below(FIRST_EXTENT_END)),
        }
    }

    /// Damages the file; gives the bytes that it then has.
    pub(crate) fn apply(self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = fs::read(path)?;
        match self {
            Self::Identity => bytes[IDENTITY].fill(0xaa),
            Self::LiveWords => bytes[LIVE_WORDS].fill(0xaa),
            Self::CommitBlocks => bytes[COMMIT_BLOCKS].fill(0xaa),
            Self::Extents => bytes[EXTENTS..].fill(0xaa),
            Self::Cut(len) => bytes.truncate(len as usize),
        }
        fs::write(path, &bytes)?;
        Ok(bytes)
    }
}
