//! Bodies of any size that take no memory: a beginning, the same block again
//! and again, an end.

use std::io::Write;

use bytes::Bytes;
use crc32fast::Hasher;
use flate2::Compression;
use flate2::write::DeflateEncoder;

const MIB: usize = 1 << 20;

/// Bytes of a block that isn't compressed.
const BLOCK: usize = 64 << 10;

/// A body of a text that is mostly blanks.
#[derive(Debug)]
pub(crate) struct Padding {
    head: Option<Bytes>,
    block: Bytes,
    blocks: u64,
    tail: Option<Bytes>,
}

impl Padding {
    /// So many MiB between `head` and `tail`.
    pub(crate) fn plain(head: Vec<u8>, mib: u64, tail: Vec<u8>) -> Self {
        Self {
            head: Some(head.into()),
            block: vec![b' '; BLOCK].into(),
            blocks: mib.saturating_mul((MIB / BLOCK) as u64),
            tail: Some(tail.into()),
        }
    }

    /// The same with GiB, as one gzip member of about a thousandth of it.
    ///
    /// A block refers to nothing before it and ends on a whole byte, so it can
    /// follow itself.
    pub(crate) fn gzipped(head: &[u8], gib: u64, tail: &[u8]) -> Self {
        let blanks = vec![b' '; MIB];
        let blocks = gib.saturating_mul(1 << 10);
        let mut check = hash(head);
        let of_block = hash(&blanks);
        for _ in 0..blocks {
            check.combine(&of_block);
        }
        check.combine(&hash(tail));
        let outside = (head.len() + tail.len()) as u64;
        let length = blocks.saturating_mul(MIB as u64).wrapping_add(outside);

        let mut first = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        first.extend(deflated(head, false));
        let mut last = deflated(tail, true);
        last.extend(check.finalize().to_le_bytes());
        last.extend(length.to_le_bytes().into_iter().take(4));
        Self {
            head: Some(first.into()),
            block: deflated(&blanks, false).into(),
            blocks,
            tail: Some(last.into()),
        }
    }

    pub(super) fn next(&mut self) -> Option<Bytes> {
        if let Some(head) = self.head.take() {
            return Some(head);
        }
        if self.blocks > 0 {
            self.blocks -= 1;
            return Some(self.block.clone());
        }
        self.tail.take()
    }
}

fn hash(bytes: &[u8]) -> Hasher {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher
}

fn deflated(bytes: &[u8], is_last: bool) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| {
        if is_last {
            encoder.try_finish()
        } else {
            encoder.flush()
        }
    });
    debug_assert!(written.is_ok(), "memory takes everything");
    let out = encoder.get_mut();
    std::mem::take(out)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use flate2::read::GzDecoder;

    #[test]
    fn a_bomb_is_sound_and_small() {
        let mut padding = Padding::gzipped(b"{\"pad\":\"", 1, b"\"}");
        padding.blocks = 3; // not the sum's, which is of a whole GiB
        let bytes: Vec<u8> = std::iter::from_fn(|| padding.next()).flatten().collect();
        assert!(bytes.len() < 4 * MIB / 500, "{}", bytes.len());
        let mut text = Vec::new();
        let end = GzDecoder::new(&bytes[..]).read_to_end(&mut text);
        assert!(end.is_err(), "the check was that of a GiB");
        assert_eq!(text.len(), 3 * MIB + 10);
        assert!(text.ends_with(b" \"}"));
    }

    #[test]
    fn the_check_and_the_length_are_right() {
        let mut padding = Padding::gzipped(b"head", 1, b"tail");
        let mut bytes = Vec::new();
        while let Some(next) = padding.next() {
            bytes.extend_from_slice(&next);
        }
        let mut decoder = GzDecoder::new(&bytes[..]);
        let length = std::io::copy(&mut decoder, &mut std::io::sink()).unwrap();
        assert_eq!(length, (1 << 30) + 8);
    }
}
