//! The bytes of an aggregate file, to be read and bent word by word. Written
//! from docs/file-format.md alone, without a line of the library: so the page
//! is tested too.

use std::fs;
use std::io::Write;
use std::path::Path;

/// CRC-32 of IEEE 802.3, reflected, bit by bit.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !crc
}

/// The checksum of `bytes` with `seed` put in front as one word.
pub(crate) fn checksum(seed: u64, bytes: &[u8]) -> u64 {
    crc32(&[&seed.to_le_bytes(), bytes].concat()).into()
}

/// A number of 48 bits with the 16 that check it.
pub(crate) fn seal(number: u64) -> u64 {
    number | (checksum(number, &[]) & 0xffff) << 48
}

pub(crate) const IDENTITY_CHECKSUM: usize = 248;
pub(crate) const LIVE: usize = 256;
pub(crate) const COMMIT: usize = 512;
pub(crate) const COMMIT_WORDS: usize = 136;
pub(crate) const EXTENTS: usize = 4096;
pub(crate) const EXTENT_HEADER: usize = 4096;
pub(crate) const ROW_WORDS: usize = 32;
pub(crate) const ROW: usize = 2 * ROW_WORDS * 8;

/// Live words.
pub(crate) const COMMITTED: usize = 8;
pub(crate) const EXTENT_COUNT: usize = 16;
pub(crate) const NAME_COUNT: usize = 17;

/// Words of the commit block's payload.
pub(crate) mod block {
    pub(crate) const ROWS: usize = 1;
    pub(crate) const NAMES: usize = 2;
    pub(crate) const RECORDS: usize = 3;
    pub(crate) const HOLES: usize = 4;
    pub(crate) const RING: usize = 16;
    pub(crate) const RING_DIR: usize = 18;
    pub(crate) const EARLIER_POSITIONS: usize = 20;
    pub(crate) const SHARDS: usize = 21;
    pub(crate) const DIGEST: usize = 23;
    pub(crate) const BOOT_HIGH: usize = 24;
    pub(crate) const BOOT_LOW: usize = 25;
    pub(crate) const LOST: usize = 26;
    pub(crate) const POSITIONS: usize = 70;
}

/// Where an extent lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) at: usize,
    pub(crate) bytes: usize,
    pub(crate) holds_rows: bool,
}

/// The bytes of an aggregate file.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
}

impl Image {
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        Self { bytes }
    }

    /// Puts the bytes into the file at `path`, which stays the same file where
    /// there is one.
    pub(crate) fn write(&self, path: &Path) {
        let mut file = fs::File::create(path).unwrap();
        file.write_all(&self.bytes).unwrap();
    }

    pub(crate) fn word(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes[at..at + 8].try_into().unwrap())
    }

    pub(crate) fn set(&mut self, at: usize, word: u64) {
        self.bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
    }

    /// Changes a word of the identity and makes its checksum right.
    pub(crate) fn set_identity(&mut self, word: usize, value: u64) {
        self.set(8 * word, value);
        let sum = checksum(0, &self.bytes[..IDENTITY_CHECKSUM]);
        self.set(IDENTITY_CHECKSUM, sum);
    }

    /// A live word that is sealed.
    pub(crate) fn sealed(&self, word: usize) -> u64 {
        let found = self.word(LIVE + 8 * word);
        let number = found & 0xffff_ffff_ffff;
        assert_eq!(seal(number), found, "live word {word}");
        number
    }

    pub(crate) fn set_sealed(&mut self, word: usize, number: u64) {
        self.set(LIVE + 8 * word, seal(number));
    }

    /// Where the version lies that holds the value at the committed
    /// generation, of the two of `words` words that begin at `at`.
    pub(crate) fn in_force(&self, at: usize, words: usize) -> Option<usize> {
        let committed = self.sealed(COMMITTED);
        let newest = [at, at + 8 * words]
            .into_iter()
            .filter(|at| (1..=committed).contains(&self.word(*at)))
            .max_by_key(|at| self.word(*at))?;
        assert!(self.is_sound(newest, words), "the version at byte {newest}");
        Some(newest)
    }

    /// Whether the version at `at` has its checksum.
    pub(crate) fn is_sound(&self, at: usize, words: usize) -> bool {
        let sum = at + 8 * (words - 1);
        self.word(sum) == checksum(self.word(at), &self.bytes[at + 8..sum])
    }

    fn reseal(&mut self, at: usize, words: usize) {
        let sum = at + 8 * (words - 1);
        let right = checksum(self.word(at), &self.bytes[at + 8..sum]);
        self.set(sum, right);
    }

    /// Where the commit block in force lies.
    pub(crate) fn commit(&self) -> usize {
        self.in_force(COMMIT, COMMIT_WORDS).unwrap()
    }

    /// A word of the payload of the commit block in force.
    pub(crate) fn block(&self, word: usize) -> u64 {
        self.word(self.commit() + 8 + 8 * word)
    }

    pub(crate) fn set_block(&mut self, word: usize, value: u64) {
        let at = self.commit();
        self.set(at + 8 + 8 * word, value);
        self.reseal(at, COMMIT_WORDS);
    }

    /// The same for the generation that is committed.
    pub(crate) fn set_generation(&mut self, generation: u64) {
        let at = self.commit();
        self.set(at, generation);
        self.reseal(at, COMMIT_WORDS);
        self.set_sealed(COMMITTED, generation);
    }

    /// Positions that the commit covers.
    pub(crate) fn covered(&self) -> u64 {
        let shards = self.block(block::SHARDS) as usize;
        let positions = (0..shards).map(|n| self.block(block::POSITIONS + n));
        positions.fold(self.block(block::EARLIER_POSITIONS), u64::wrapping_add)
    }

    pub(crate) fn extents(&self) -> Vec<Extent> {
        let mut extents = Vec::new();
        let mut at = EXTENTS;
        for _ in 0..self.sealed(EXTENT_COUNT) {
            let header = &self.bytes[at..at + 56];
            let sum = checksum(at as u64, header);
            assert_eq!(self.word(at + 56), sum, "extent at {at}");
            let bytes = self.word(at + 16) as usize;
            let holds_rows = match &header[..8] {
                b"QPU-ROWS" => true,
                b"QPU-NAME" => false,
                other => panic!("extent at {at}: {other:?}"),
            };
            let before = extents
                .iter()
                .filter(|extent: &&Extent| extent.holds_rows == holds_rows);
            assert_eq!(self.word(at + 8), before.count() as u64, "ordinal at {at}");
            extents.push(Extent {
                at,
                bytes,
                holds_rows,
            });
            at += bytes;
        }
        extents
    }

    /// Changes a word of an extent's header and makes its checksum right.
    pub(crate) fn set_extent(&mut self, at: usize, word: usize, value: u64) {
        self.set(at + 8 * word, value);
        let sum = checksum(at as u64, &self.bytes[at..at + 56]);
        self.set(at + 56, sum);
    }

    /// The first extent of rows, or of names.
    pub(crate) fn first_extent(&self, holds_rows: bool) -> Extent {
        let mut extents = self.extents().into_iter();
        extents.find(|it| it.holds_rows == holds_rows).unwrap()
    }

    /// Where row `number` lies, with both of its versions.
    pub(crate) fn row(&self, number: usize) -> usize {
        let mut left = number;
        for extent in self.extents().iter().filter(|it| it.holds_rows) {
            let rows = (extent.bytes - EXTENT_HEADER) / ROW;
            if left < rows {
                return extent.at + EXTENT_HEADER + left * ROW;
            }
            left -= rows;
        }
        panic!("row {number} has no place");
    }

    /// Changes a word of a row's payload, and makes its checksum and the
    /// digest right.
    pub(crate) fn set_row(&mut self, number: usize, word: usize, value: u64) {
        let at = self.in_force(self.row(number), ROW_WORDS).unwrap();
        self.set(at + 8 + 8 * word, value);
        self.reseal(at, ROW_WORDS);
        self.set_block(block::DIGEST, self.digest());
    }

    /// What the rows add up to as a digest.
    pub(crate) fn digest(&self) -> u64 {
        const MULTIPLIER: u64 = 0xd6e8_feb8_6659_fd93;
        let mix = |word: u64| {
            let word = (word ^ word >> 32).wrapping_mul(MULTIPLIER);
            let word = (word ^ word >> 32).wrapping_mul(MULTIPLIER);
            word ^ word >> 32
        };
        (0..self.block(block::ROWS) as usize).fold(0, |sum, number| {
            let at = self.in_force(self.row(number), ROW_WORDS).unwrap();
            let sum_of_row = self.word(at + 8 * (ROW_WORDS - 1));
            let row = mix(((number as u64) << 32) + sum_of_row);
            sum.wrapping_add(mix(row ^ self.word(at)))
        })
    }

    /// Makes the checksum of the name at `at` right.
    pub(crate) fn reseal_name(&mut self, at: usize) {
        let head = self.word(at);
        let id = self.word(at + 8) & 0xffff_ffff;
        let words = (head >> 8 & 0xffff).div_ceil(8) as usize;
        let sum = checksum(
            head.rotate_left(32) ^ id,
            &self.bytes[at + 16..at + 16 + 8 * words],
        );
        self.set(at + 8, id | sum << 32);
    }
}
