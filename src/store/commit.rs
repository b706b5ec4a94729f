//! The commit block: all that a commit says besides rows. Its two versions
//! take turns like those of a row.

use super::layout::COMMIT_WORDS;
use crate::ring::MAX_SHARDS;

/// Payload words of a version.
pub(crate) const BLOCK_WORDS: usize = COMMIT_WORDS - 2;
/// Words before the positions.
const SCALARS: usize = BLOCK_WORDS - MAX_SHARDS;

/// What a commit says besides rows. Numbers count over the life of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommitBlock {
    /// When, in nanoseconds since 1970.
    pub(crate) committed_at: u64,
    /// Row numbers below this are in use or free; above there is nothing.
    pub(crate) rows: u64,
    /// Names in the file at that time.
    pub(crate) names: u64,
    /// Records counted: the sum of all rows' requests.
    pub(crate) records: u64,
    /// Positions whose producer died between claim and publish.
    pub(crate) holes: u64,
    /// Records counted by recovery.
    pub(crate) replayed: u64,
    /// Commits that counted records, without recovery's.
    pub(crate) flushes: u64,
    pub(crate) flushed_records: u64,
    pub(crate) last_flush: u64,
    pub(crate) greatest_flush: u64,
    pub(crate) rejected_full: u64,
    pub(crate) rejected_closed: u64,
    pub(crate) names_refused: u64,
    /// Most slots of the ring in use when the consumer looked.
    pub(crate) high_water: u64,
    /// Nanoseconds that the commit before this one took, and the longest.
    pub(crate) last_commit_nanos: u64,
    pub(crate) longest_commit_nanos: u64,
    /// Number of the ring in use; 0 where there is none (closed properly).
    pub(crate) ring: u64,
    /// Numbers given to rings so far.
    pub(crate) rings: u64,
    /// The name that says in which directory the ring's file is.
    pub(crate) ring_dir: u64,
    pub(crate) shard_capacity: u64,
    /// Positions of all earlier rings together.
    pub(crate) earlier_positions: u64,
    /// Rings whose file was gone when the store was opened again.
    pub(crate) rings_lost: u64,
    /// The next position of each shard of the ring.
    pub(crate) positions: Vec<u64>,
}

impl CommitBlock {
    /// Positions that the commit covers, over the life of the store: records
    /// and holes.
    pub(crate) fn covered(&self) -> u64 {
        self.positions
            .iter()
            .fold(self.earlier_positions, |sum, n| sum.wrapping_add(*n))
    }

    /// How what was counted differs from what was accepted, if it does (I1).
    pub(crate) fn imbalance(&self) -> Option<String> {
        (self.records.wrapping_add(self.holes) != self.covered()).then(|| {
            format!(
                "{} records and {} holes are committed, of {} positions",
                self.records,
                self.holes,
                self.covered()
            )
        })
    }

    pub(crate) fn to_words(&self) -> [u64; BLOCK_WORDS] {
        let mut words = [0; BLOCK_WORDS];
        words[..23].copy_from_slice(&[
            self.committed_at,
            self.rows,
            self.names,
            self.records,
            self.holes,
            self.replayed,
            self.flushes,
            self.flushed_records,
            self.last_flush,
            self.greatest_flush,
            self.rejected_full,
            self.rejected_closed,
            self.names_refused,
            self.high_water,
            self.last_commit_nanos,
            self.longest_commit_nanos,
            self.ring,
            self.rings,
            self.ring_dir,
            self.shard_capacity,
            self.earlier_positions,
            self.positions.len() as u64,
            self.rings_lost,
        ]);
        for (word, position) in words[SCALARS..].iter_mut().zip(&self.positions) {
            *word = *position;
        }
        words
    }

    /// A block from its words; `None` where they say more shards than there
    /// can be.
    pub(crate) fn from_words(words: &[u64; BLOCK_WORDS]) -> Option<Self> {
        let shards = usize::try_from(words[21]).ok()?;
        Some(Self {
            committed_at: words[0],
            rows: words[1],
            names: words[2],
            records: words[3],
            holes: words[4],
            replayed: words[5],
            flushes: words[6],
            flushed_records: words[7],
            last_flush: words[8],
            greatest_flush: words[9],
            rejected_full: words[10],
            rejected_closed: words[11],
            names_refused: words[12],
            high_water: words[13],
            last_commit_nanos: words[14],
            longest_commit_nanos: words[15],
            ring: words[16],
            rings: words[17],
            ring_dir: words[18],
            shard_capacity: words[19],
            earlier_positions: words[20],
            rings_lost: words[22],
            positions: words[SCALARS..].get(..shards)?.to_vec(),
        })
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
            positions: vec![u64::MAX; MAX_SHARDS],
            ..CommitBlock::default()
        };
        assert_eq!(CommitBlock::from_words(&block.to_words()), Some(block));
    }

    #[test]
    fn more_shards_than_there_can_be_are_refused() {
        let mut words = CommitBlock::default().to_words();
        words[21] = MAX_SHARDS as u64 + 1;
        assert_eq!(CommitBlock::from_words(&words), None);
        words[21] = u64::MAX;
        assert_eq!(CommitBlock::from_words(&words), None);
    }
}
