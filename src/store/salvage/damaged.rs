//! Reads what is still sound of a damaged aggregate file: every part that has
//! its checksum, whatever became of those around it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::super::commit::{BLOCK_WORDS, CommitBlock};
use super::super::identity::Identity;
use super::super::layout::{
    BLOCK_ROWS, COMMIT_OFFSET, COMMIT_WORDS, EXTENT_HEADER_BYTES, HEADER_BYTES, IDENTITY_WORDS,
    LIVE_OFFSET, LIVE_WORDS, ROW_VERSION_WORDS, blocks_in_extent, extent, identity as at, live,
    names_in_extent,
};
use super::super::names_log::{Entry, read_entry};
use crate::bucket::Bucket;
use crate::disk::files;
use crate::disk::format::{StoreId, checksum, unseal};
use crate::error::OpenError;
use crate::ledger::{ROW_WORDS, Row, RowKind};
use crate::names::NameKind;

/// Rows of a day's store have bucket numbers far below, those of an hour's far
/// above: this is the year 2243 in days, and 1981 in hours.
const DAYS_BELOW: u32 = 100_000;

/// What is sound of a file.
#[derive(Debug)]
pub(super) struct Damaged {
    /// `None` where the identity is not sound.
    pub(super) store: Option<StoreId>,
    pub(super) bucket: Bucket,
    /// The last commit, where one of its versions is sound.
    pub(super) block: Option<CommitBlock>,
    pub(super) rows: Vec<Row>,
    /// Rows of which only the value before the last is sound.
    pub(super) older_rows: u64,
    /// Rows of which nothing is.
    pub(super) lost_rows: u64,
    /// Names by kind and id.
    pub(super) providers: BTreeMap<u32, String>,
    pub(super) models: BTreeMap<u32, (u16, String)>,
    pub(super) tenants: BTreeMap<u32, String>,
    /// What could not be read, part by part.
    pub(super) notes: Vec<String>,
    /// Tells this store from any other or, where its identity is not sound,
    /// this file's content.
    pub(super) fingerprint: u64,
}

/// A run of bytes between extents, or an extent.
struct Span {
    kind: u64,
    ordinal: u64,
    data: u64,
    len: usize,
}

/// The file, as words.
struct Words {
    file: File,
    path: PathBuf,
    len: u64,
}

impl Words {
    fn read(&self, at: u64, words: usize) -> Result<Vec<u64>, OpenError> {
        let mut bytes = vec![0u8; words * 8];
        files::read(&self.file, &self.path, &mut bytes, at)
            .map_err(|error| OpenError::io("read", &self.path, error))?;
        let words = bytes.as_chunks::<8>().0.iter();
        Ok(words.map(|bytes| u64::from_le_bytes(*bytes)).collect())
    }
}

impl Damaged {
    /// Reads the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, OpenError> {
        let file = files::open_existing(path, false)?;
        let stat =
            files::look_at(&file, path).map_err(|error| OpenError::io("look at", path, error))?;
        let words = Words {
            file,
            path: path.to_owned(),
            len: stat.st_size.cast_unsigned(),
        };
        if words.len < HEADER_BYTES {
            let what = format!("it has {} bytes, fewer than a header", words.len);
            return Err(OpenError::damaged(path, what));
        }
        let header = words.read(0, HEADER_BYTES as usize / 8)?;
        let mut this = Self {
            store: None,
            bucket: Bucket::Day,
            block: None,
            rows: Vec::new(),
            older_rows: 0,
            lost_rows: 0,
            providers: BTreeMap::new(),
            models: BTreeMap::new(),
            tenants: BTreeMap::new(),
            notes: Vec::new(),
            fingerprint: checksum(words.len, &header),
        };
        let bucket = this.read_identity(&header, path)?;
        let committed = this.read_commit(&header);
        for span in this.extents(&words)? {
            let data = words.read(span.data, span.len / 8)?;
            this.fingerprint = this.fingerprint.rotate_left(7) ^ checksum(span.data, &data);
            match span.kind {
                extent::ROWS => this.read_rows(span.ordinal, &data, committed),
                _ => this.read_names(&data),
            }
        }
        this.bucket = bucket.unwrap_or_else(|| this.guess_bucket());
        // Two copies of one store have the same counts, however they are
        // damaged.
        if let Some(store) = this.store {
            this.fingerprint = store.0[0];
        }
        Ok(this)
    }

    /// The width of the buckets, where it can be read.
    fn read_identity(&mut self, header: &[u64], path: &Path) -> Result<Option<Bucket>, OpenError> {
        let mut words = [0; IDENTITY_WORDS];
        words.copy_from_slice(&header[..IDENTITY_WORDS]);
        match Identity::from_words(&words, path) {
            Ok(identity) => {
                self.store = Some(identity.store);
                return Ok(Some(identity.bucket));
            }
            Err(OpenError::Damaged { what, .. }) => self.notes.push(format!("identity: {what}")),
            Err(other) => return Err(other),
        }
        let nanos = words[at::BUCKET_NANOS];
        let widths = [Bucket::Day, Bucket::Hour];
        Ok(widths.into_iter().find(|width| width.nanos() == nanos))
    }

    fn guess_bucket(&mut self) -> Bucket {
        let numbers = self.rows.iter().map(|row| row.key.bucket().0);
        let is_hour = numbers.filter(|n| *n != u32::MAX).any(|n| n >= DAYS_BELOW);
        let width = if is_hour { Bucket::Hour } else { Bucket::Day };
        let what = format!("identity: the width of the buckets is taken for {width:?}");
        self.notes.push(what);
        width
    }

    /// The generation up to which rows count.
    fn read_commit(&mut self, header: &[u64]) -> u64 {
        let mut sound = Vec::new();
        for version in 0..2 {
            let from = COMMIT_OFFSET / 8 + version * COMMIT_WORDS;
            let words = &header[from..from + COMMIT_WORDS];
            let payload = &words[1..COMMIT_WORDS - 1];
            let is_sound = words[COMMIT_WORDS - 1] == checksum(words[0], payload);
            if is_sound && !matches!(words[0], 0 | u64::MAX) {
                let mut block = [0; BLOCK_WORDS];
                block.copy_from_slice(payload);
                sound.push((words[0], CommitBlock::from_words(&block).ok()));
            }
        }
        sound.sort_by_key(|(generation, _)| *generation);
        let live = &header[LIVE_OFFSET / 8..LIVE_OFFSET / 8 + LIVE_WORDS];
        let Some(committed) = unseal(live[live::COMMITTED]) else {
            self.notes.push(
                "commit: the committed generation is not sound; the newest sound value of \
                 each row is taken, also if its commit was never finished"
                    .into(),
            );
            // Of one alone nobody knows whether it is the newest.
            self.block = sound.pop().filter(|_| sound.len() == 1).and_then(|of| of.1);
            return u64::MAX - 1;
        };
        // A newer one is of a commit that never happened. An older one doesn't
        // know the rows that were added since.
        match sound.into_iter().find(|of| of.0 == committed) {
            Some((_, block)) => self.block = block,
            None if committed == 0 => {}
            None => {
                let what = "commit: the block of the last commit is not sound";
                self.notes.push(what.into());
            }
        }
        committed
    }

    /// Where the extents are: each begins on a page with a header that has its
    /// checksum. One whose header is damaged is the gap that it leaves, if that
    /// has the length of the extent that is missing.
    fn extents(&mut self, words: &Words) -> Result<Vec<Span>, OpenError> {
        let mut spans = Vec::new();
        let mut next = BTreeMap::from([(extent::ROWS, 0u64), (extent::NAMES, 0u64)]);
        let mut gap = None;
        let mut at = HEADER_BYTES;
        while at.saturating_add(EXTENT_HEADER_BYTES as u64) <= words.len {
            let header = words.read(at, extent::CHECKSUM + 1)?;
            let bytes = header[extent::BYTES];
            let is_sound = header[extent::CHECKSUM] == checksum(at, &header[..extent::CHECKSUM])
                && bytes > EXTENT_HEADER_BYTES as u64
                && matches!(header[extent::KIND], extent::ROWS | extent::NAMES);
            if !is_sound {
                gap.get_or_insert(at);
                at += HEADER_BYTES;
                continue;
            }
            self.close_gap(&mut spans, &mut next, gap.take(), at);
            let end = at.saturating_add(bytes);
            let len = (end.min(words.len) - at) as usize - EXTENT_HEADER_BYTES;
            if end > words.len {
                self.notes
                    .push(format!("the extent at byte {at}: the file ends in it"));
            }
            next.insert(
                header[extent::KIND],
                header[extent::ORDINAL].wrapping_add(1),
            );
            spans.push(Span {
                kind: header[extent::KIND],
                ordinal: header[extent::ORDINAL],
                data: at + EXTENT_HEADER_BYTES as u64,
                len,
            });
            at = end;
        }
        self.close_gap(&mut spans, &mut next, gap, words.len);
        Ok(spans)
    }

    fn close_gap(
        &mut self,
        spans: &mut Vec<Span>,
        next: &mut BTreeMap<u64, u64>,
        gap: Option<u64>,
        end: u64,
    ) {
        let Some(from) = gap else {
            return;
        };
        let len = (end - from) as usize;
        let missing = [extent::ROWS, extent::NAMES].into_iter().find(|kind| {
            let ordinal = next[kind];
            let data = match *kind {
                extent::ROWS => blocks_in_extent(ordinal) * BLOCK_ROWS * ROW_VERSION_WORDS * 16,
                _ => names_in_extent(ordinal),
            };
            len == data + EXTENT_HEADER_BYTES
        });
        let note = |what: &str| format!("the extent at byte {from}: {what}");
        match missing {
            Some(kind) => {
                self.notes
                    .push(note("its header is damaged, its place tells what it is"));
                let ordinal = next[&kind];
                next.insert(kind, ordinal + 1);
                spans.push(Span {
                    kind,
                    ordinal,
                    data: from + EXTENT_HEADER_BYTES as u64,
                    len: len - EXTENT_HEADER_BYTES,
                });
            }
            None => self
                .notes
                .push(note(&format!("{len} bytes from here on are no extent"))),
        }
    }

    fn read_rows(&mut self, ordinal: u64, data: &[u64], committed: u64) {
        let before: usize = (0..ordinal.min(1 << 20)).map(blocks_in_extent).sum();
        let held = self.block.as_ref().map_or(u64::MAX, |block| block.rows);
        for (n, versions) in data.chunks_exact(2 * ROW_VERSION_WORDS).enumerate() {
            let number = (before * BLOCK_ROWS + n) as u64;
            if number >= held {
                return;
            }
            let (first, second) = versions.split_at(ROW_VERSION_WORDS);
            // The value is the newer one; a generation above the committed one
            // is that of a commit that never happened.
            let mut versions = [first, second];
            versions.sort_by_key(|words| std::cmp::Reverse(words[0]));
            let candidates = versions
                .iter()
                .filter(|words| (1..=committed).contains(&words[0]));
            let sound: Vec<Option<Row>> = candidates.map(|words| sound_row(words)).collect();
            match sound.as_slice() {
                [Some(row), ..] => self.take(*row),
                [None, Some(row)] => {
                    self.older_rows += 1;
                    self.notes.push(format!(
                        "row {number}: its last value is damaged, the one before it is taken"
                    ));
                    self.take(*row);
                }
                [] if versions.iter().all(|words| words[0] == 0) => {}
                _ => {
                    self.lost_rows += 1;
                    self.notes
                        .push(format!("row {number}: neither of its values is sound"));
                }
            }
        }
    }

    fn take(&mut self, row: Row) {
        if row.key.kind() != RowKind::Free {
            self.rows.push(row);
        }
    }

    /// Reads every entry that has its checksum. After one that hasn't, the next
    /// may begin at any word.
    fn read_names(&mut self, data: &[u64]) {
        let mut at = 0;
        let mut damaged = 0;
        while let Some(head) = data.get(at) {
            if *head == 0 {
                at += 1;
                continue;
            }
            match read_entry(|n| data.get(at + n).copied()) {
                Ok(Entry {
                    kind,
                    id,
                    name,
                    words,
                }) => {
                    match kind {
                        NameKind::Provider => drop(self.providers.insert(id, name)),
                        NameKind::Model { provider } => {
                            self.models.insert(id, (provider, name));
                        }
                        NameKind::Tenant => drop(self.tenants.insert(id, name)),
                        NameKind::RingDir => {}
                    }
                    at += words;
                }
                Err(_) => {
                    damaged += 1;
                    at += 1;
                }
            }
        }
        if damaged > 0 {
            self.notes
                .push(format!("names: {} bytes are not sound", damaged * 8));
        }
    }
}

fn sound_row(words: &[u64]) -> Option<Row> {
    let payload: &[u64; ROW_WORDS] = words[1..=ROW_WORDS].try_into().ok()?;
    let is_sound = words[ROW_WORDS + 1] == checksum(words[0], payload);
    is_sound.then(|| Row::from_words(payload))?
}
