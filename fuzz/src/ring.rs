//! The words of a ring's file, and its checksum.

use crate::format::{checksum, set, word};

const HEADER_CHECKSUM: usize = 248;
const CONTROLS: usize = 4096;
const CONTROL: usize = 256;
const SLOTS: usize = 8192;
const SLOT: usize = 64;

/// Words of the header.
const STORE_ID: usize = 3;
const NUMBER: usize = 5;
const SHARDS: usize = 6;

/// The byte at which a word is that an edit names. `pristine` is the file
/// before all edits.
pub fn place(pristine: &[u8], area: u8, index: u16) -> usize {
    let index = usize::from(index);
    let shards = word(pristine, 8 * SHARDS).max(1) as usize;
    let slots = (pristine.len().saturating_sub(SLOTS) / SLOT).max(1);
    match area % 5 {
        0 => index % 32 * 8,
        // Tail and head.
        1 => CONTROLS + (index >> 1) % shards * CONTROL + index % 2 * 128,
        2 => SLOTS + index % slots * SLOT,
        3 => SLOTS + (index >> 3) % slots * SLOT + index % 8 * 8,
        _ => index * 8,
    }
}

/// Makes the header's checksum right.
pub fn seal(bytes: &mut [u8]) {
    if let Some(header) = bytes.get(..HEADER_CHECKSUM) {
        let right = checksum(0, header);
        set(bytes, HEADER_CHECKSUM, right);
    }
}

/// Gives the file to the store `id`.
pub(crate) fn set_store(bytes: &mut [u8], id: [u64; 2]) {
    set(bytes, 8 * STORE_ID, id[0]);
    set(bytes, 8 * STORE_ID + 8, id[1]);
    seal(bytes);
}

/// The number of a ring that is valid.
pub(crate) fn number(bytes: &[u8]) -> u64 {
    word(bytes, 8 * NUMBER)
}
