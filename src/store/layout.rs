//! The aggregate file's layout. docs/file-format.md has the same tables for
//! people; a test compares the two.
//!
//! ```text
//! 0      identity    32 words, written once, checksummed
//! 256    live words  32 words: ready, committed, extents, names, heartbeat
//! 512    commit      two versions of 136 words
//! 4096   extents     rows and names, each 4096 bytes of header and its data
//! ```
//!
//! Everything is a little-endian word of 8 bytes.

/// First bytes of every aggregate file. The high bit, the two line ends and
/// the end-of-file byte show a transfer that treated the file as text.
pub(crate) const MAGIC: [u8; 8] = *b"\x89QPU\r\n\x1a\n";

/// Bits that a reader may ignore.
pub(crate) const COMPATIBLE_FEATURES: u64 = 0;
/// Bits that a reader must know.
pub(crate) const INCOMPATIBLE_FEATURES: u64 = 0;

/// Bytes before the first extent.
pub(crate) const HEADER_BYTES: u64 = 4096;

/// Words of the identity.
pub(crate) const IDENTITY_WORDS: usize = 32;

/// Positions of the identity's words.
pub(crate) mod identity {
    pub(crate) const MAGIC: usize = 0;
    pub(crate) const BYTE_ORDER: usize = 1;
    /// Major version in the high half, minor in the low half.
    pub(crate) const VERSION: usize = 2;
    pub(crate) const COMPATIBLE: usize = 3;
    pub(crate) const INCOMPATIBLE: usize = 4;
    /// Two words.
    pub(crate) const STORE_ID: usize = 5;
    /// Nanoseconds since 1970.
    pub(crate) const CREATED: usize = 7;
    /// Nanoseconds in a bucket: a day or an hour.
    pub(crate) const BUCKET_NANOS: usize = 8;
    pub(crate) const CHECKSUM: usize = super::IDENTITY_WORDS - 1;
}

/// Byte offset of the live words.
pub(crate) const LIVE_OFFSET: usize = 256;
/// Words there.
pub(crate) const LIVE_WORDS: usize = 32;

/// Positions of the live words. Each of them is a single value that is valid
/// by itself; words that change at different times have lines of their own.
pub(crate) mod live {
    /// 1 when creation was finished.
    pub(crate) const READY: usize = 0;
    /// The committed generation: its store is the commit point (I3).
    pub(crate) const COMMITTED: usize = 8;
    /// Extents that are in the file.
    pub(crate) const EXTENTS: usize = 16;
    /// Names that are in the file.
    pub(crate) const NAMES: usize = 17;
    /// When the writer's consumer was last awake, nanoseconds since 1970.
    pub(crate) const HEARTBEAT: usize = 24;
    /// The writer's process.
    pub(crate) const WRITER_PID: usize = 25;
    /// Non-zero while something is wrong: see `Trouble::word`.
    pub(crate) const DEGRADED: usize = 26;
    /// Nanoseconds that the last commit took.
    pub(crate) const COMMIT_NANOS: usize = 27;
}

/// Byte offset of the commit block's two versions.
pub(crate) const COMMIT_OFFSET: usize = 512;
/// Words of one version of the commit block.
pub(crate) const COMMIT_WORDS: usize = 136;

const _: () = assert!(COMMIT_OFFSET + 2 * COMMIT_WORDS * 8 <= HEADER_BYTES as usize);

/// Words of one version of a row.
pub(crate) const ROW_VERSION_WORDS: usize = 32;
/// Bytes of a row.
pub(crate) const ROW_BYTES: usize = 2 * ROW_VERSION_WORDS * 8;

/// Bytes before an extent's data.
pub(crate) const EXTENT_HEADER_BYTES: usize = 4096;
/// Words of an extent's header.
pub(crate) const EXTENT_HEADER_WORDS: usize = 8;

/// Positions of the words of an extent's header.
pub(crate) mod extent {
    /// `ROWS` or `NAMES`.
    pub(crate) const KIND: usize = 0;
    /// How many extents of the same kind came before.
    pub(crate) const ORDINAL: usize = 1;
    /// Bytes of the extent with its header.
    pub(crate) const BYTES: usize = 2;
    pub(crate) const CHECKSUM: usize = 7;

    /// Kinds, readable in a hex dump.
    pub(crate) const ROWS: u64 = u64::from_le_bytes(*b"QPU-ROWS");
    pub(crate) const NAMES: u64 = u64::from_le_bytes(*b"QPU-NAME");
}

/// Rows in a block; an extent of rows has a whole number of blocks.
pub(crate) const BLOCK_ROWS: usize = 256;
/// The most blocks in one extent: 4 MiB.
const MOST_BLOCKS: usize = 32;

/// Blocks of the `ordinal`-th extent of rows: as many as there are before it,
/// up to a limit.
pub(crate) const fn blocks_in_extent(ordinal: u64) -> usize {
    match ordinal {
        0 | 1 => 1,
        2..=5 => 1 << (ordinal - 1),
        _ => MOST_BLOCKS,
    }
}

/// Data bytes of the `ordinal`-th extent of rows.
pub(crate) const fn rows_in_extent(ordinal: u64) -> usize {
    blocks_in_extent(ordinal) * BLOCK_ROWS * ROW_BYTES
}

/// Data bytes of the `ordinal`-th extent of names.
pub(crate) const fn names_in_extent(ordinal: u64) -> usize {
    match ordinal {
        0 => 60 * 1024,
        _ => 1020 * 1024,
    }
}

#[cfg(test)]
mod tests {
    use super::super::names_log::head;
    use super::*;
    use crate::bucket::BucketIndex;
    use crate::ledger::{Row, RowKey, RowKind, counter};
    use crate::names::NameKind;
    use crate::ring::word;

    const PAGE: &str = include_str!("../../docs/file-format.md");

    /// The words that a table of the page lists after `heading`.
    fn table(heading: &str) -> Vec<(usize, String)> {
        let section = PAGE.split(heading).nth(1).unwrap_or_default();
        let section = section.split("\n##").next().unwrap_or_default();
        section
            .lines()
            .filter_map(|line| {
                let cells: Vec<_> = line.split('|').map(str::trim).collect();
                let word = cells.get(1)?.parse().ok()?;
                let name = cells.iter().find(|cell| cell.starts_with('`'))?;
                Some((word, name.trim_matches('`').to_owned()))
            })
            .collect()
    }

    /// Word, first bit and number of bits of each field that a table lists
    /// after `heading`, by name.
    fn fields(heading: &str) -> Vec<(String, usize, u32, u32)> {
        let section = PAGE.split(heading).nth(1).unwrap_or_default();
        let section = section.split("\n##").next().unwrap_or_default();
        section
            .lines()
            .filter_map(|line| {
                let cells: Vec<_> = line.split('|').map(str::trim).collect();
                let word = cells.get(1)?.parse().ok()?;
                let (from, to) = cells.get(2)?.split_once(" – ")?;
                let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
                let name = cells.get(3)?.trim_matches('`').to_owned();
                Some((name, word, from, to + 1 - from))
            })
            .collect()
    }

    /// Each field, filled with ones or with the value given, must be where
    /// the page says.
    fn expect_fields(heading: &str, filled: &[(&str, &[u64], Option<u64>)]) {
        let fields = fields(heading);
        assert_eq!(fields.len(), filled.len(), "the fields under {heading:?}");
        for ((name, word, from, bits), (expected, words, value)) in fields.iter().zip(filled) {
            assert_eq!(name, expected, "under {heading:?}");
            let value = value.unwrap_or(u64::MAX >> (64 - bits));
            let mut by_the_page = vec![0; words.len()];
            by_the_page[*word] = value << from;
            assert_eq!(*words, by_the_page, "{name} under {heading:?}");
        }
    }

    fn expect(heading: &str, words: &[(usize, &str)]) {
        let words: Vec<_> = words.iter().map(|(n, s)| (*n, (*s).to_owned())).collect();
        assert_eq!(table(heading), words, "the table under {heading:?}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads a page of text, byte by byte")]
    fn the_page_on_the_file_format_says_what_the_code_does() {
        expect(
            "### Identity",
            &[
                (identity::MAGIC, "magic"),
                (identity::BYTE_ORDER, "byte_order"),
                (identity::VERSION, "version"),
                (identity::COMPATIBLE, "compatible"),
                (identity::INCOMPATIBLE, "incompatible"),
                (identity::STORE_ID, "store_id"),
                (identity::CREATED, "created"),
                (identity::BUCKET_NANOS, "bucket_nanos"),
                (identity::CHECKSUM, "checksum"),
            ],
        );
        expect(
            "### Live words",
            &[
                (live::READY, "ready"),
                (live::COMMITTED, "committed"),
                (live::EXTENTS, "extents"),
                (live::NAMES, "names"),
                (live::HEARTBEAT, "heartbeat"),
                (live::WRITER_PID, "writer_pid"),
                (live::DEGRADED, "degraded"),
                (live::COMMIT_NANOS, "commit_nanos"),
            ],
        );
        expect(
            "### Extents",
            &[
                (extent::KIND, "kind"),
                (extent::ORDINAL, "ordinal"),
                (extent::BYTES, "bytes"),
                (extent::CHECKSUM, "checksum"),
            ],
        );
        let mut block = super::super::commit::SCALAR_NAMES.to_vec();
        block.push((super::super::commit::SHARDS, "shards"));
        block.sort_unstable();
        expect("### Commit block", &block);
        expect(
            "### Ring header",
            &[
                (word::MAGIC, "magic"),
                (word::BYTE_ORDER, "byte_order"),
                (word::VERSION, "version"),
                (word::STORE_ID, "store_id"),
                (word::NUMBER, "number"),
                (word::SHARDS, "shards"),
                (word::SHARD_CAPACITY, "shard_capacity"),
                (word::CHECKSUM, "checksum"),
            ],
        );
        expect(
            "### Counters of a usage row",
            &[
                (counter::REQUESTS, "requests"),
                (counter::FAILED, "failed"),
                (counter::TOKENS, "tokens"),
                (counter::REPORTED, "reported"),
                (counter::COST, "cost"),
                (counter::PRICED, "priced"),
                (counter::LATENCY_SUM, "latency_sum"),
                (counter::LATENCY_COUNT, "latency_count"),
                (counter::TTFT_SUM, "ttft_sum"),
                (counter::TTFT_COUNT, "ttft_count"),
                (counter::STREAMED, "streamed"),
                (counter::ESTIMATED, "estimated"),
            ],
        );
        for (offset, what) in [
            (LIVE_OFFSET, "live words"),
            (COMMIT_OFFSET, "commit block"),
            (HEADER_BYTES as usize, "extents"),
        ] {
            assert!(
                PAGE.contains(&format!("| {offset} –")),
                "{what} at {offset}"
            );
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads a page of text, byte by byte")]
    fn the_page_says_where_the_fields_of_rows_and_names_are() {
        let (none, all) = (BucketIndex(0), BucketIndex(u32::MAX));
        let words = |key| Row::new(key).to_words()[..2].to_vec();
        let histogram = |kind, bucket, segment| words(RowKey::histogram(kind, bucket, 0, segment));
        let mut saturated = Row::new(RowKey::FREE);
        saturated.saturated = true;
        let kind = RowKind::Usage as u64;
        let usage = |model, tenant| {
            let mut words = words(RowKey::usage(none, model, tenant));
            words[0] ^= kind << 32;
            words
        };
        expect_fields(
            "### Rows",
            &[
                ("bucket", &histogram(RowKind::Free, all, 0), None),
                ("kind", &histogram(RowKind::Ttft, none, 0), Some(3)),
                ("segment", &histogram(RowKind::Free, none, 255), None),
                ("saturated", &saturated.to_words()[..2], None),
                ("tenant", &usage(0, u32::MAX), None),
                ("model", &usage(u16::MAX, 0), None),
            ],
        );
        let provider = u16::MAX;
        let model =
            head(NameKind::Model { provider }, 0) ^ head(NameKind::Model { provider: 0 }, 0);
        let length = head(NameKind::Tenant, 0xffff) ^ head(NameKind::Tenant, 0);
        expect_fields(
            "### Names",
            &[
                ("kind", &[head(NameKind::RingDir, 0), 0], Some(4)),
                ("length", &[length, 0], None),
                ("provider", &[model, 0], None),
                ("id", &[0, u64::from(u32::MAX)], None),
                ("checksum", &[0, u64::from(u32::MAX) << 32], None),
            ],
        );
    }
}
