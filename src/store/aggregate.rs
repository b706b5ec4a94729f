//! The aggregate file: header, live words, commit block and extents.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::commit::{BLOCK_WORDS, CommitBlock};
use super::identity::Identity;
use super::layout::{
    COMMIT_OFFSET, COMMIT_WORDS, EXTENT_HEADER_BYTES, EXTENT_HEADER_WORDS, HEADER_BYTES,
    IDENTITY_WORDS, LIVE_OFFSET, LIVE_WORDS, extent, live,
};
use super::version::{Copied, Pair, Unsound};
use crate::disk::format::{checksum, seal, to_bytes, to_words, unseal};
use crate::disk::{Placed, Region, files};
use crate::error::OpenError;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

/// How often a copy of the commit block is tried before the reader is told
/// that the writer is too fast; each failure means that it committed twice.
const ATTEMPTS: u32 = 1000;

/// What an extent holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExtentKind {
    Rows,
    Names,
}

/// An extent's place in the file, and its data.
#[derive(Debug)]
pub(crate) struct Extent {
    pub(crate) kind: ExtentKind,
    pub(crate) ordinal: u64,
    pub(crate) region: Arc<Region>,
}

/// The end of the last extent.
#[derive(Clone, Copy, Debug)]
struct End {
    extents: u64,
    offset: u64,
}

/// An open aggregate file.
#[derive(Debug)]
pub(crate) struct Aggregate {
    path: PathBuf,
    file: File,
    pub(crate) identity: Identity,
    live: Placed<AtomicU64>,
    commit: Placed<Pair<COMMIT_WORDS>>,
    /// Guards growth, which both the consumer and threads with new names do.
    end: Mutex<End>,
}

/// A committed state of the file.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) generation: u64,
    pub(crate) block: CommitBlock,
}

impl Aggregate {
    /// Opens an existing file.
    pub(crate) fn open(path: &Path, writable: bool) -> Result<Self, OpenError> {
        let file = files::open_existing(path, writable)?;
        let len = file
            .metadata()
            .map_err(|error| OpenError::io("look at", path, error))?
            .len();
        if len < HEADER_BYTES {
            let what = format!("it has {len} bytes, fewer than the {HEADER_BYTES} of a header");
            return Err(OpenError::damaged(path, what));
        }
        let mut bytes = [0u8; IDENTITY_WORDS * 8];
        file.read_exact_at(&mut bytes, 0)
            .map_err(|error| OpenError::io("read", path, error))?;
        let identity = Identity::from_words(&to_words(&bytes), path)?;
        let this = Self::map(path, file, identity, writable)?;
        if this.live[live::READY].load(Ordering::Acquire) != 1 {
            let what = "its creation was never finished (live word `ready`)";
            return Err(OpenError::damaged(path, what));
        }
        Ok(this)
    }

    /// Creates a file at `path`, which must not exist, with one extent of each
    /// kind and generation 0 committed.
    pub(crate) fn create(path: &Path, identity: Identity) -> Result<Self, OpenError> {
        let file = files::create_new(path)?;
        files::allocate(&file, 0, HEADER_BYTES)
            .map_err(|error| OpenError::io("allocate the blocks of", path, error))?;
        file.write_all_at(&to_bytes(&identity.to_words()), 0)
            .map_err(|error| OpenError::io("write", path, error))?;
        let this = Self::map(path, file, identity, true)?;
        this.store_sealed(live::EXTENTS, 0);
        this.store_sealed(live::NAMES, 0);
        this.store_sealed(live::COMMITTED, 0);
        this.live[live::READY].store(1, Ordering::Release);
        Ok(this)
    }

    fn map(path: &Path, file: File, identity: Identity, writable: bool) -> Result<Self, OpenError> {
        let map_error = |error| OpenError::io("map", path, error);
        let region = if writable {
            Region::writable(&file, 0, HEADER_BYTES as usize)
        } else {
            Region::readable(&file, 0, HEADER_BYTES as usize)
        }
        .map_err(map_error)?;
        let placed = || {
            Some((
                Placed::new(&region, LIVE_OFFSET, LIVE_WORDS)?,
                Placed::new(&region, COMMIT_OFFSET, 1)?,
            ))
        };
        let (live, commit) =
            placed().ok_or_else(|| map_error(io::Error::other("a mapping is out of place")))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            identity,
            live,
            commit,
            end: Mutex::new(End {
                extents: 0,
                offset: HEADER_BYTES,
            }),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file itself, to compare with what is at its path now.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// A live word that is a number by itself.
    pub(crate) fn live(&self, word: usize) -> &AtomicU64 {
        &self.live[word]
    }

    /// The committed generation.
    pub(crate) fn committed(&self) -> Result<u64, OpenError> {
        self.load_sealed(live::COMMITTED, "the committed generation")
    }

    /// Writes the commit block of generation `next`, then makes `next` the
    /// committed generation: the commit point (I3). All rows of the commit
    /// must have been written.
    pub(crate) fn commit(&self, committed: u64, next: u64, block: &CommitBlock) {
        self.commit[0].write(committed, next, &block.to_words());
        self.store_sealed(live::COMMITTED, next);
    }

    /// The newest committed state; `None` before the first commit.
    pub(crate) fn view(&self) -> Result<Option<View>, OpenError> {
        for _ in 0..ATTEMPTS {
            let committed = self.committed()?;
            let mut words = [0; BLOCK_WORDS];
            let generation = match self.commit[0].copy(committed, &mut words) {
                Copied::At(generation) => generation,
                Copied::Overtaken => continue,
                Copied::Absent if committed == 0 => return Ok(None),
                Copied::Absent => return Err(self.damaged("both commit blocks are empty")),
                Copied::Damaged(unsound) => return Err(self.block_damaged(unsound)),
            };
            if generation != committed {
                let what = format!(
                    "generation {committed} is committed, but the newest commit block is of \
                     generation {generation}"
                );
                return Err(self.damaged(what));
            }
            let block = CommitBlock::from_words(&words)
                .ok_or_else(|| self.damaged("the commit block names too many shards"))?;
            return Ok(Some(View { generation, block }));
        }
        let busy = io::Error::new(
            io::ErrorKind::WouldBlock,
            "the writer commits faster than a commit block can be copied; try again",
        );
        Err(OpenError::io("read", &self.path, busy))
    }

    /// The checksum of each commit block that is in force.
    pub(crate) fn check_blocks(&self, committed: u64) -> Result<(), OpenError> {
        self.commit[0]
            .check(committed)
            .map_err(|unsound| self.block_damaged(unsound))
    }

    fn block_damaged(&self, unsound: Unsound) -> OpenError {
        self.damaged(format!(
            "commit block {} of generation {} doesn't have its checksum",
            unsound.version, unsound.generation
        ))
    }

    /// Undoes what a commit that never happened left in the commit block.
    pub(crate) fn scrub(&self, committed: u64) {
        self.commit[0].scrub(committed);
    }

    /// Maps the extents that came since the last call.
    pub(crate) fn new_extents(&self, writable: bool) -> Result<Vec<Extent>, OpenError> {
        let count = self.load_sealed(live::EXTENTS, "the number of extents")?;
        let mut end = lock(&self.end);
        let mut extents = Vec::new();
        while end.extents < count {
            let (extent, bytes) = self.map_extent(end.offset, writable)?;
            extents.push(extent);
            end.extents += 1;
            end.offset += bytes;
        }
        Ok(extents)
    }

    fn map_extent(&self, offset: u64, writable: bool) -> Result<(Extent, u64), OpenError> {
        let damaged = |what: &str| self.damaged(format!("the extent at byte {offset}: {what}"));
        let io = |error| OpenError::io("read", &self.path, error);
        let len = self.file.metadata().map_err(io)?.len();
        let mut bytes = [0u8; EXTENT_HEADER_WORDS * 8];
        if len < offset + bytes.len() as u64 {
            return Err(damaged("the file ends before it"));
        }
        self.file.read_exact_at(&mut bytes, offset).map_err(io)?;
        let words: [u64; EXTENT_HEADER_WORDS] = to_words(&bytes);
        if words[extent::CHECKSUM] != checksum(offset, &words[..extent::CHECKSUM]) {
            return Err(damaged("its header doesn't have its checksum"));
        }
        let kind = match words[extent::KIND] {
            extent::ROWS => ExtentKind::Rows,
            extent::NAMES => ExtentKind::Names,
            _ => return Err(damaged("it is of no known kind")),
        };
        let bytes = words[extent::BYTES];
        let fits = bytes
            .checked_add(offset)
            .is_some_and(|end| end <= len && bytes > EXTENT_HEADER_BYTES as u64);
        if !fits {
            return Err(damaged("the file ends in it"));
        }
        let data = offset + EXTENT_HEADER_BYTES as u64;
        let data_len = bytes as usize - EXTENT_HEADER_BYTES;
        let region = if writable {
            Region::writable(&self.file, data, data_len)
        } else {
            Region::readable(&self.file, data, data_len)
        }
        .map_err(|error| OpenError::io("map", &self.path, error))?;
        let ordinal = words[extent::ORDINAL];
        Ok((
            Extent {
                kind,
                ordinal,
                region,
            },
            bytes,
        ))
    }

    /// Adds an extent at the end. Its blocks are allocated before it is
    /// mapped, and it counts only when it is whole: whoever is killed in here
    /// leaves bytes behind the end, which the next extent takes over.
    pub(crate) fn add_extent(
        &self,
        kind: ExtentKind,
        ordinal: u64,
        data_len: usize,
    ) -> io::Result<Extent> {
        let mut end = lock(&self.end);
        let offset = end.offset;
        let bytes = (EXTENT_HEADER_BYTES + data_len) as u64;
        files::allocate(&self.file, offset, bytes)?;
        let mut words = [0; EXTENT_HEADER_WORDS];
        words[extent::KIND] = match kind {
            ExtentKind::Rows => extent::ROWS,
            ExtentKind::Names => extent::NAMES,
        };
        words[extent::ORDINAL] = ordinal;
        words[extent::BYTES] = bytes;
        words[extent::CHECKSUM] = checksum(offset, &words[..extent::CHECKSUM]);
        self.file.write_all_at(&to_bytes(&words), offset)?;
        let region = Region::writable(&self.file, offset + EXTENT_HEADER_BYTES as u64, data_len)?;
        *end = End {
            extents: end.extents + 1,
            offset: offset + bytes,
        };
        self.store_sealed(live::EXTENTS, end.extents);
        Ok(Extent {
            kind,
            ordinal,
            region,
        })
    }

    /// Stores a live word together with 16 bits that check it, so that a
    /// flipped bit can't pass for another number.
    pub(crate) fn store_sealed(&self, word: usize, value: u64) {
        // Release: what the number counts was written before.
        self.live[word].store(seal(value), Ordering::Release);
    }

    pub(crate) fn load_sealed(&self, word: usize, what: &str) -> Result<u64, OpenError> {
        // Acquire: pairs with the Release in `store_sealed`.
        unseal(self.live[word].load(Ordering::Acquire)).ok_or_else(|| {
            self.damaged(format!(
                "{what} (live word {word}) doesn't have its check bits"
            ))
        })
    }

    pub(crate) fn damaged(&self, what: impl Into<String>) -> OpenError {
        OpenError::damaged(&self.path, what)
    }
}
