//! Programs of edits: what an input of the fuzzer is.
//!
//! ```text
//! byte 0       which valid file is begun with
//! bytes 1, 2   which checksums are made right afterwards
//! byte 3       choices of the target
//! then edits of 8 bytes: operation, area, index (2 bytes), value (4 bytes)
//! ```
//!
//! Area and index name a word of the file's structure, so an edit goes on
//! meaning the same when the fuzzer changes another one.

use crate::format::{set, word};

/// Edits that are made at most.
const MOST: usize = 64;

/// Longest file that edits make.
const LONGEST: usize = 8 << 20;

/// Bytes of the head, also of one edit.
pub(crate) const HEAD: usize = 4;
const EDIT: usize = 8;

/// Numbers at which something often ends.
const VALUES: [u64; 24] = [
    0,
    1,
    2,
    3,
    7,
    63,
    64,
    65,
    255,
    256,
    0xffff,
    1 << 16,
    (1 << 22) + 1,
    1 << 26,
    u32::MAX as u64,
    1 << 32,
    (1 << 47) - 1,
    1 << 47,
    (1 << 48) - 1,
    1 << 62,
    (1 << 63) - 1,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

/// An input, taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Which valid file is begun with.
    pub base: u8,
    /// Checksums that are made right.
    pub seals: u16,
    /// Choices of the target.
    pub choices: u8,
    /// The edits, still as bytes.
    pub rest: &'a [u8],
}

impl<'a> Program<'a> {
    /// `None` for an input that is too short.
    pub fn parse(input: &'a [u8]) -> Option<Self> {
        let (head, rest) = input.split_first_chunk::<HEAD>()?;
        let [base, low, high, choices] = *head;
        let seals = u16::from_le_bytes([low, high]);
        Some(Self {
            base,
            seals,
            choices,
            rest,
        })
    }

    /// Makes the edits. `place` gives the byte at which a word of an area is.
    pub fn apply(&self, bytes: &mut Vec<u8>, place: impl Fn(&[u8], u8, u16) -> usize) {
        for edit in self.rest.as_chunks::<EDIT>().0.iter().take(MOST) {
            let [op, area, low, high, value @ ..] = *edit;
            let at = place(bytes, area, u16::from_le_bytes([low, high]));
            let value = u32::from_le_bytes(value);
            let other = |bytes: &[u8]| {
                let [area, _, low, high] = value.to_le_bytes();
                place(bytes, area, u16::from_le_bytes([low, high]))
            };
            let now = word(bytes, at);
            let wide = u64::from(value);
            match op % 12 {
                0 => set(bytes, at, VALUES[value as usize % VALUES.len()]),
                1 => set(bytes, at, wide),
                2 => set(
                    bytes,
                    at,
                    now.wrapping_add_signed(value.cast_signed().into()),
                ),
                3 => set(bytes, at, now ^ 1 << (value % 64)),
                4 => set(bytes, at, now & 0xffff_ffff | wide << 32),
                5 => {
                    let from = word(bytes, other(bytes));
                    set(bytes, at, from);
                }
                6 => {
                    let from = other(bytes);
                    let len = 512.min(bytes.len().saturating_sub(at.max(from)));
                    if len > 0 {
                        bytes.copy_within(from..from + len, at);
                    }
                }
                7 => bytes.truncate(at + value as usize % 8),
                8 => {
                    let len = bytes.len() + value as usize % (1 << 20);
                    bytes.resize(len.min(LONGEST), 0);
                }
                9 => {
                    let [byte, _, low, high] = value.to_le_bytes();
                    let end = at + usize::from(u16::from_le_bytes([low, high]) % 4096);
                    let end = end.min(bytes.len());
                    if let Some(range) = bytes.get_mut(at..end) {
                        range.fill(byte);
                    }
                }
                10 => {
                    let from = other(bytes);
                    let there = word(bytes, from);
                    set(bytes, at, there);
                    set(bytes, from, now);
                }
                _ => set(bytes, at, now & !0xffff | wide & 0xffff),
            }
        }
    }
}
