//! What all files of quipu have in common: little-endian words of 8 bytes,
//! checksums, sealed words, and which store a file belongs to.

use crc32fast::Hasher;

/// Reads differently with the other byte order.
pub(crate) const BYTE_ORDER: u64 = 0x0102_0304_0506_0708;

/// A reader refuses files with a greater major version.
pub(crate) const VERSION_MAJOR: u32 = 1;
/// A greater minor version only adds what may be ignored.
pub(crate) const VERSION_MINOR: u32 = 0;

/// This major version with a minor one, as the files have them.
pub(crate) const fn version(minor: u32) -> u64 {
    (VERSION_MAJOR as u64) << 32 | minor as u64
}

/// The checksum of words: CRC-32 of `seed` and `words`, as little-endian
/// bytes, in the low half of a word.
pub(crate) fn checksum(seed: u64, words: &[u64]) -> u64 {
    let mut hasher = Hasher::new();
    hasher.update(&seed.to_le_bytes());
    if cfg!(target_endian = "little") {
        hasher.update(bytemuck::cast_slice(words));
    } else {
        for word in words {
            hasher.update(&word.to_le_bytes());
        }
    }
    u64::from(hasher.finalize())
}

/// The greatest number that can be sealed: 48 bits.
const SEALED_MAX: u64 = (1 << 48) - 1;

/// A number together with 16 bits that check it, in one word, so that a
/// flipped bit can't pass for another number.
pub(crate) fn seal(value: u64) -> u64 {
    let value = value & SEALED_MAX;
    value | (checksum(value, &[]) & 0xffff) << 48
}

/// The number in a sealed word; `None` where the check bits are others.
pub(crate) fn unseal(sealed: u64) -> Option<u64> {
    let value = sealed & SEALED_MAX;
    (seal(value) == sealed).then_some(value)
}

/// The bytes of words as they stand in a file.
pub(crate) fn to_bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The words that bytes of a file stand for.
pub(crate) fn to_words<const BYTES: usize, const WORDS: usize>(
    bytes: &[u8; BYTES],
) -> [u64; WORDS] {
    const { assert!(BYTES == WORDS * 8) };
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

/// Tells one store from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoreId(pub(crate) [u64; 2]);

#[cfg(not(loom))]
impl StoreId {
    /// A new one from the system's random numbers.
    pub(crate) fn random() -> std::io::Result<Self> {
        let mut bytes = [0u8; 16];
        let mut filled = 0;
        while filled < bytes.len() {
            let flags = rustix::rand::GetRandomFlags::empty();
            filled += rustix::rand::getrandom(&mut bytes[filled..], flags)?;
        }
        Ok(Self(bytemuck::must_cast(bytes)))
    }
}

impl std::fmt::Display for StoreId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}{:016x}", self.0[0], self.0[1])
    }
}
