//! Words and checksums as docs/file-format.md has them, without a line of the
//! library, for bytes that may be anything.

use crc32fast::Hasher;

/// Greatest number in a sealed word.
pub(crate) const SEALED: u64 = (1 << 48) - 1;

/// The word at byte `at`; 0 behind the end.
pub fn word(bytes: &[u8], at: usize) -> u64 {
    let word = at.checked_add(8).and_then(|end| bytes.get(at..end));
    word.and_then(|word| word.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

/// Puts a word at byte `at`, unless that is behind the end.
pub fn set(bytes: &mut [u8], at: usize, value: u64) {
    let end = at.saturating_add(8);
    if let Some(word) = bytes.get_mut(at..end) {
        word.copy_from_slice(&value.to_le_bytes());
    }
}

/// CRC-32 of `seed` as a word and of `bytes`.
pub(crate) fn checksum(seed: u64, bytes: &[u8]) -> u64 {
    let mut hasher = Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize().into()
}

/// A number together with the 16 bits that check it.
pub(crate) fn seal(number: u64) -> u64 {
    let number = number & SEALED;
    number | (checksum(number, &[]) & 0xffff) << 48
}

/// Makes the checksum right that follows `words - 1` words at `at`, of which
/// the first is the seed. A version of generation 0 has no value and none.
pub(crate) fn seal_version(bytes: &mut [u8], at: usize, words: usize) {
    let sum = at + 8 * (words - 1);
    let generation = word(bytes, at);
    if let Some(payload) = bytes.get(at + 8..sum).filter(|_| generation != 0) {
        let right = checksum(generation, payload);
        set(bytes, sum, right);
    }
}
