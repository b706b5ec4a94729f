//! The commit block: all that a commit says besides rows. Its two versions
//! take turns like those of a row.

use super::layout::COMMIT_WORDS;
use crate::names::{Label, Names};
use crate::ring::{MAX_SHARD_CAPACITY, MAX_SHARDS};

/// Payload words of a version.
pub(crate) const BLOCK_WORDS: usize = COMMIT_WORDS - 2;
/// Words before the positions.
const SCALARS: usize = BLOCK_WORDS - MAX_SHARDS;
/// Where the number of shards stands, between the scalars.
pub(super) const SHARDS: usize = 21;

/// More than can happen one by one, with room for sums.
pub(super) const MOST: u64 = 1 << 62;

/// Positions are counted modulo 2^63.
const MOST_POSITION: u64 = u64::MAX >> 1;

/// The scalars of a block, in the order of their words; the number of shards
/// has a word between them.
macro_rules! block {
    ($($(#[$doc:meta])* $name:ident @ $word:literal),* $(,)?) => {
        /// What a commit says besides rows. Numbers count over the life of the
        /// store.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub(crate) struct CommitBlock {
            $($(#[$doc])* pub(crate) $name: u64,)*
            /// The next position of each shard of the ring.
            pub(crate) positions: Vec<u64>,
        }

        impl CommitBlock {
            fn scalars_to(&self, words: &mut [u64; BLOCK_WORDS]) {
                $(words[$word] = self.$name;)*
            }

            fn from_scalars(words: &[u64; BLOCK_WORDS]) -> Self {
                Self { $($name: words[$word],)* positions: Vec::new() }
            }
        }

        /// Words and names, for the page on the file format.
        #[cfg(test)]
        pub(crate) const SCALAR_NAMES: &[(usize, &str)] = &[$(($word, stringify!($name))),*];
    };
}

block! {
    /// When, in nanoseconds since 1970.
    committed_at @ 0,
    /// Row numbers below this are in use or free; above there is nothing.
    rows @ 1,
    /// Names in the file at that time.
    names @ 2,
    /// Records counted: the sum of all rows' requests.
    records @ 3,
    /// Positions whose producer died between claim and publish.
    holes @ 4,
    /// Records counted by recovery.
    replayed @ 5,
    /// Commits that counted records, without recovery's.
    flushes @ 6,
    flushed_records @ 7,
    last_flush @ 8,
    greatest_flush @ 9,
    rejected_full @ 10,
    rejected_closed @ 11,
    names_refused @ 12,
    /// Most slots of the ring in use when the consumer looked.
    high_water @ 13,
    /// Nanoseconds that the commit before this one took, and the longest.
    last_commit_nanos @ 14,
    longest_commit_nanos @ 15,
    /// Number of the ring in use; 0 where there is none (closed properly).
    ring @ 16,
    /// Numbers given to rings so far.
    rings @ 17,
    /// The name that says in which directory the ring's file is.
    ring_dir @ 18,
    shard_capacity @ 19,
    /// Positions of all earlier rings together.
    earlier_positions @ 20,
    /// Rings that could not be replayed when the store was opened again.
    rings_lost @ 22,
    /// The sum of what each row's value adds to it (wrapping): says that all
    /// rows are those of this commit.
    digest @ 23,
    /// Which boot of the machine the commit was made in.
    boot_high @ 24,
    boot_low @ 25,
    /// Positions that were accepted and are in no total: they were counted in
    /// memory only, or in a file that was set aside.
    lost @ 26,
    /// How often the consumer began again after a panic.
    restarts @ 27,
    /// Records that were taken over from a damaged file.
    salvaged @ 28,
}

impl CommitBlock {
    /// Positions that the commit covers, over the life of the store: records,
    /// holes, and what was lost.
    pub(crate) fn covered(&self) -> u64 {
        self.positions
            .iter()
            .fold(self.earlier_positions, |sum, n| sum.wrapping_add(*n))
    }

    /// Whether it covers less than another commit of the store: a checkpoint
    /// may be newer than a live file that a power cut left.
    pub(crate) fn is_behind(&self, other: &Self) -> bool {
        other.covered().wrapping_sub(self.covered()).wrapping_sub(1) < u64::MAX / 2
    }

    /// How what was counted differs from what was accepted, if it does (I1).
    pub(crate) fn imbalance(&self) -> Option<String> {
        let counted = self
            .records
            .wrapping_add(self.holes)
            .wrapping_add(self.lost);
        (counted != self.covered()).then(|| {
            format!(
                "{} records, {} holes and {} lost are committed, of {} positions",
                self.records,
                self.holes,
                self.lost,
                self.covered()
            )
        })
    }

    /// The boot in which the commit was made.
    pub(crate) const fn boot(&self) -> [u64; 2] {
        [self.boot_high, self.boot_low]
    }

    pub(crate) const fn set_boot(&mut self, [high, low]: [u64; 2]) {
        self.boot_high = high;
        self.boot_low = low;
    }

    pub(crate) fn to_words(&self) -> [u64; BLOCK_WORDS] {
        let mut words = [0; BLOCK_WORDS];
        self.scalars_to(&mut words);
        words[SHARDS] = self.positions.len() as u64;
        for (word, position) in words[SCALARS..].iter_mut().zip(&self.positions) {
            *word = *position;
        }
        words
    }

    /// A block from its words; otherwise the name of a number that is greater
    /// than it can be.
    pub(crate) fn from_words(words: &[u64; BLOCK_WORDS]) -> Result<Self, &'static str> {
        let shards = usize::try_from(words[SHARDS]).map_err(|_| "shards")?;
        let block = Self {
            positions: words[SCALARS..].get(..shards).ok_or("shards")?.to_vec(),
            ..Self::from_scalars(words)
        };
        block.beyond_reach().map_or(Ok(block), Err)
    }

    /// The directory of the ring, where there is one and it has a name.
    pub(crate) fn ring_dir(&self, names: &Names) -> Option<Label> {
        let dir = u32::try_from(self.ring_dir).ok().filter(|_| self.ring != 0);
        names.ring_dir(dir?)
    }

    /// A number that no store can come to have. What counts up one by one is
    /// added to without a second look.
    fn beyond_reach(&self) -> Option<&'static str> {
        let capacity = MAX_SHARD_CAPACITY as u64;
        let position = self.positions.iter().copied().max().unwrap_or(0);
        [
            ("records", self.records, MOST),
            ("holes", self.holes, MOST),
            ("replayed", self.replayed, MOST),
            ("flushes", self.flushes, MOST),
            ("flushed_records", self.flushed_records, MOST),
            ("last_flush", self.last_flush, MOST),
            ("greatest_flush", self.greatest_flush, MOST),
            ("rejected_full", self.rejected_full, MOST),
            ("rejected_closed", self.rejected_closed, MOST),
            ("names_refused", self.names_refused, MOST),
            ("ring", self.ring, MOST),
            ("rings", self.rings, MOST),
            ("rings_lost", self.rings_lost, MOST),
            ("restarts", self.restarts, MOST),
            ("shard_capacity", self.shard_capacity, capacity),
            ("positions", position, MOST_POSITION),
        ]
        .into_iter()
        .find(|(_, number, most)| number > most)
        .map(|(name, ..)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_survives_its_words() {
        let block = CommitBlock {
            committed_at: 1,
            earlier_positions: 9,
            positions: vec![MOST_POSITION; MAX_SHARDS],
            ..CommitBlock::default()
        };
        assert_eq!(CommitBlock::from_words(&block.to_words()), Ok(block));
    }

    #[test]
    fn more_shards_than_there_can_be_are_refused() {
        let mut words = CommitBlock::default().to_words();
        words[SHARDS] = MAX_SHARDS as u64 + 1;
        assert_eq!(CommitBlock::from_words(&words), Err("shards"));
        words[SHARDS] = u64::MAX;
        assert_eq!(CommitBlock::from_words(&words), Err("shards"));
    }

    #[test]
    fn numbers_that_no_store_comes_to_are_refused() {
        let with = |records, position| CommitBlock {
            records,
            positions: vec![0, position],
            ..CommitBlock::default()
        };
        for (block, name) in [
            (with(MOST + 1, 0), "records"),
            (with(0, 1 << 63), "positions"),
        ] {
            assert_eq!(CommitBlock::from_words(&block.to_words()), Err(name));
        }
    }
}
