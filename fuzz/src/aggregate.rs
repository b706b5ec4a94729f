//! The words of an aggregate file, and its checksums.

use crate::format::{SEALED, checksum, seal as sealed, seal_version, set, word};

const IDENTITY_CHECKSUM: usize = 248;
const LIVE: usize = 256;
const COMMIT: usize = 512;
const COMMIT_WORDS: usize = 136;
const EXTENTS: usize = 4096;
const EXTENT_HEADER: usize = 4096;
const ROW_WORDS: usize = 32;
const ROW: usize = 2 * ROW_WORDS * 8;

/// Live words that are sealed.
const COMMITTED: usize = 8;
const EXTENT_COUNT: usize = 16;
const NAME_COUNT: usize = 17;

/// Words of the commit block's payload.
mod block {
    pub(super) const ROWS: usize = 1;
    pub(super) const NAMES: usize = 2;
    pub(super) const RECORDS: usize = 3;
    pub(super) const HOLES: usize = 4;
    pub(super) const EARLIER_POSITIONS: usize = 20;
    pub(super) const SHARDS: usize = 21;
    pub(super) const DIGEST: usize = 23;
    pub(super) const LOST: usize = 26;
    pub(super) const POSITIONS: usize = 70;
}

/// What is made right after the edits.
pub mod seals {
    pub const IDENTITY: u16 = 1;
    pub const LIVE: u16 = 1 << 1;
    pub const EXTENTS: u16 = 1 << 2;
    pub const NAMES: u16 = 1 << 3;
    pub const ROWS: u16 = 1 << 4;
    pub const DIGEST: u16 = 1 << 5;
    /// `records` is what the rows count.
    pub const RECORDS: u16 = 1 << 6;
    /// Positions are what was counted.
    pub const BALANCE: u16 = 1 << 7;
    pub const COMMIT: u16 = 1 << 8;
    /// Everything.
    pub const ALL: u16 = (1 << 9) - 1;
}

/// Where everything is in a file that is valid.
#[derive(Clone, Debug, Default)]
pub struct Map {
    extents: Vec<usize>,
    rows: Vec<usize>,
    names: Vec<usize>,
    /// Where the names begin.
    pub log: usize,
}

impl Map {
    /// Reads a file that is valid.
    pub fn of(bytes: &[u8]) -> Self {
        let mut map = Self::default();
        let mut at = EXTENTS;
        let mut names = word(bytes, LIVE + 8 * NAME_COUNT) & SEALED;
        for _ in 0..word(bytes, LIVE + 8 * EXTENT_COUNT) & SEALED {
            map.extents.push(at);
            let end = at + word(bytes, at + 16) as usize;
            let data = at + EXTENT_HEADER;
            if bytes[at..].starts_with(b"QPU-ROWS") {
                map.rows.extend((data..end).step_by(ROW));
            } else {
                map.log = if map.log == 0 { data } else { map.log };
                let mut entry = data;
                while names > 0 && entry < end && word(bytes, entry) != 0 {
                    map.names.push(entry);
                    entry += entry_len(bytes, entry);
                    names -= 1;
                }
            }
            at = end;
        }
        map
    }

    /// Where the first row is.
    pub(crate) fn first_row(&self) -> usize {
        self.rows.first().copied().unwrap_or_default()
    }

    /// Where the next name goes, and how many come before it.
    pub(crate) fn end_of_names(&self, bytes: &[u8]) -> (usize, u64) {
        let last = self.names.last();
        let end = last.map_or(self.log, |at| at + entry_len(bytes, *at));
        (end, self.names.len() as u64)
    }

    /// Rows that are in use.
    fn rows(&self, bytes: &[u8]) -> &[usize] {
        let used = commit(bytes).map_or(0, |at| word(bytes, at + 8 + 8 * block::ROWS));
        let most = usize::try_from(used).unwrap_or(usize::MAX);
        &self.rows[..self.rows.len().min(most)]
    }

    /// The byte at which a word is that an edit names.
    pub fn place(&self, bytes: &[u8], area: u8, index: u16) -> usize {
        let index = usize::from(index);
        let of = |places: &[usize], number: usize, offset: usize| {
            let number = number.checked_rem(places.len());
            number.map_or(0, |number| places[number] + offset)
        };
        match area % 9 {
            0 => index % 32 * 8,
            1 => LIVE + index % 32 * 8,
            2 => commit(bytes).unwrap_or(COMMIT) + index % COMMIT_WORDS * 8,
            3 => COMMIT + index % (2 * COMMIT_WORDS) * 8,
            4 => {
                let row = of(&self.rows[..self.rows.len().min(16)], index >> 6, 0);
                let version = in_force(bytes, row, ROW_WORDS).unwrap_or(row);
                version + index % ROW_WORDS * 8
            }
            5 => of(&self.rows, index >> 6, index % 64 * 8),
            6 => of(&self.extents, index >> 3, index % 8 * 8),
            7 => of(&self.names, index >> 3, index % 8 * 8),
            _ => index * 8,
        }
    }

    /// Makes the checksums right that `which` says; see [`seals`].
    pub fn seal(&self, bytes: &mut [u8], which: u16) {
        let has = |bit| which & bit != 0;
        if has(seals::IDENTITY) && bytes.len() >= LIVE {
            let right = checksum(0, &bytes[..IDENTITY_CHECKSUM]);
            set(bytes, IDENTITY_CHECKSUM, right);
        }
        if has(seals::LIVE) {
            for n in [COMMITTED, EXTENT_COUNT, NAME_COUNT] {
                let right = sealed(word(bytes, LIVE + 8 * n));
                set(bytes, LIVE + 8 * n, right);
            }
        }
        if has(seals::EXTENTS) {
            for at in &self.extents {
                if let Some(header) = bytes.get(*at..at + 56) {
                    let right = checksum(*at as u64, header);
                    set(bytes, at + 56, right);
                }
            }
        }
        if has(seals::NAMES) {
            for at in &self.names {
                seal_name(bytes, *at);
            }
        }
        if has(seals::ROWS) {
            for at in self.rows(bytes) {
                for version in [*at, at + ROW / 2] {
                    seal_version(bytes, version, ROW_WORDS);
                }
            }
        }
        if let Some(at) = commit(bytes) {
            self.agree(bytes, at + 8, which);
        }
        if has(seals::COMMIT) {
            for at in [COMMIT, COMMIT + 8 * COMMIT_WORDS] {
                seal_version(bytes, at, COMMIT_WORDS);
            }
        }
    }

    /// Makes the commit block's payload at `at` agree with the rows and with
    /// itself.
    fn agree(&self, bytes: &mut [u8], at: usize, which: u16) {
        let field = |n: usize| at + 8 * n;
        let rows: Vec<(usize, usize)> = self
            .rows(bytes)
            .iter()
            .enumerate()
            .filter_map(|(number, row)| Some((number, in_force(bytes, *row, ROW_WORDS)?)))
            .collect();
        if which & seals::DIGEST != 0 {
            let digest = rows.iter().fold(0u64, |sum, (number, version)| {
                sum.wrapping_add(share(bytes, *number, *version))
            });
            set(bytes, field(block::DIGEST), digest);
        }
        if which & seals::RECORDS != 0 {
            // Kind 1 of a row is usage; requests are its first counter.
            let usage = rows
                .iter()
                .filter(|(_, row)| word(bytes, row + 8) >> 32 & 0xff == 1);
            let records = usage.fold(0u64, |sum, (_, row)| {
                sum.saturating_add(word(bytes, row + 24))
            });
            set(bytes, field(block::RECORDS), records);
        }
        if which & seals::BALANCE != 0 {
            let [records, holes, lost, shards] =
                [block::RECORDS, block::HOLES, block::LOST, block::SHARDS]
                    .map(|n| word(bytes, field(n)));
            let positions = (0..shards.min(64) as usize)
                .map(|n| word(bytes, field(block::POSITIONS + n)))
                .fold(0, u64::wrapping_add);
            let earlier = records
                .wrapping_add(holes)
                .wrapping_add(lost)
                .wrapping_sub(positions);
            set(bytes, field(block::EARLIER_POSITIONS), earlier);
        }
    }
}

/// What a version of a row adds to the digest.
fn share(bytes: &[u8], number: usize, at: usize) -> u64 {
    const MULTIPLIER: u64 = 0xd6e8_feb8_6659_fd93;
    let mix = |word: u64| {
        let word = (word ^ word >> 32).wrapping_mul(MULTIPLIER);
        let word = (word ^ word >> 32).wrapping_mul(MULTIPLIER);
        word ^ word >> 32
    };
    let sum = word(bytes, at + 8 * (ROW_WORDS - 1));
    mix(mix((number as u64) << 32 | sum) ^ word(bytes, at))
}

/// Where the version is that has the value at the committed generation.
fn in_force(bytes: &[u8], at: usize, words: usize) -> Option<usize> {
    let committed = word(bytes, LIVE + 8 * COMMITTED) & SEALED;
    [at, at + 8 * words]
        .into_iter()
        .filter(|at| (1..=committed).contains(&word(bytes, *at)))
        .max_by_key(|at| word(bytes, *at))
}

fn commit(bytes: &[u8]) -> Option<usize> {
    in_force(bytes, COMMIT, COMMIT_WORDS)
}

/// Bytes of the name at `at`.
pub(crate) fn entry_len(bytes: &[u8], at: usize) -> usize {
    16 + ((word(bytes, at) >> 8 & 0xffff) as usize).next_multiple_of(8)
}

/// Makes the checksum of the name at `at` right.
pub(crate) fn seal_name(bytes: &mut [u8], at: usize) {
    let id = word(bytes, at + 8) & 0xffff_ffff;
    let seed = word(bytes, at).rotate_left(32) ^ id;
    if let Some(name) = bytes.get(at + 16..at + entry_len(bytes, at)) {
        let right = id | checksum(seed, name) << 32;
        set(bytes, at + 8, right);
    }
}

/// Says how many names there are.
pub(crate) fn set_name_count(bytes: &mut [u8], count: u64) {
    set(bytes, LIVE + 8 * NAME_COUNT, sealed(count));
}

/// Says how many of them are committed.
pub(crate) fn set_committed_names(bytes: &mut [u8], count: u64) {
    if let Some(at) = commit(bytes) {
        set(bytes, at + 8 + 8 * block::NAMES, count);
        seal_version(bytes, at, COMMIT_WORDS);
    }
}

/// Gives the file the identity `id`, so that all runs begin with the same one.
pub(crate) fn set_identity(bytes: &mut [u8], id: [u64; 2]) {
    set(bytes, 8 * 5, id[0]);
    set(bytes, 8 * 6, id[1]);
    let right = checksum(0, &bytes[..IDENTITY_CHECKSUM]);
    set(bytes, IDENTITY_CHECKSUM, right);
}
