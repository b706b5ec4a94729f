//! The aggregate file: header, live words, commit block and extents.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::commit::{BLOCK_WORDS, CommitBlock};
use super::identity::Identity;
use super::layout::{
    COMMIT_OFFSET, COMMIT_WORDS, EXTENT_HEADER_BYTES, EXTENT_HEADER_WORDS, HEADER_BYTES,
    IDENTITY_WORDS, LIVE_OFFSET, LIVE_WORDS, extent, live, names_in_extent, rows_in_extent,
};
use super::live::Live;
use super::version::{Missed, Pair, Unsound};
use crate::disk::format::{checksum, to_bytes, to_words};
use crate::disk::{Placed, Region, files};
use crate::error::OpenError;
use crate::fault::point;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

/// How often a copy of the commit block is tried before the reader is told
/// that the writer is too fast; each failure means that it committed twice.
const ATTEMPTS: u32 = 1000;

/// Bytes that are copied at a time.
const COPY_BYTES: usize = 1 << 20;

/// Bytes that say which version wrote a file, in every version.
const VERSION_BYTES: usize = 24;

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
    /// The identity's words in the file.
    header: Placed<AtomicU64>,
    live: Live,
    commit: Placed<Pair<COMMIT_WORDS>>,
    /// Guards growth, which both the consumer and threads with new names do.
    end: Mutex<End>,
}

/// A committed state of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) generation: u64,
    pub(crate) block: CommitBlock,
}

impl Aggregate {
    /// Opens an existing file.
    pub(crate) fn open(path: &Path, writable: bool) -> Result<Self, OpenError> {
        let file = files::open_existing(path, writable)?;
        let len = length(&file, path)?;
        let mut bytes = [0u8; IDENTITY_WORDS * 8];
        let there = (bytes.len() as u64).min(len) as usize;
        files::read(&file, path, &mut bytes[..there], 0)
            .map_err(|error| OpenError::io("read", path, error))?;
        let words = to_words(&bytes);
        if len < HEADER_BYTES {
            // A newer version may need less: that is refused, never set aside.
            match Identity::check_version(&words, path) {
                Err(other @ OpenError::Incompatible { .. }) if there >= VERSION_BYTES => {
                    return Err(other);
                }
                _ => {}
            }
            let what = format!("it has {len} bytes, fewer than the {HEADER_BYTES} of a header");
            return Err(OpenError::damaged(path, what));
        }
        let identity = Identity::from_words(&words, path)?;
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
        files::allocate(&file, path, 0, HEADER_BYTES)
            .map_err(|error| OpenError::io("allocate the blocks of", path, error))?;
        files::write(&file, path, &to_bytes(&identity.to_words()), 0)
            .map_err(|error| OpenError::io("write", path, error))?;
        point!("create: header written");
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
            Region::writable(&file, path, 0, HEADER_BYTES as usize)
        } else {
            Region::readable(&file, path, 0, HEADER_BYTES as usize)
        }
        .map_err(map_error)?;
        let placed = || {
            Some((
                Placed::new(&region, 0, IDENTITY_WORDS)?,
                Live::new(Placed::new(&region, LIVE_OFFSET, LIVE_WORDS)?),
                Placed::new(&region, COMMIT_OFFSET, 1)?,
            ))
        };
        let (header, live, commit) =
            placed().ok_or_else(|| map_error(io::Error::other("a mapping is out of place")))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            identity,
            header,
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

    /// The file's name in its file system: device and inode.
    pub(crate) fn inode(&self) -> Result<(u64, u64), OpenError> {
        let stat = files::look_at(&self.file, &self.path)
            .map_err(|error| OpenError::io("look at", &self.path, error))?;
        Ok((stat.st_dev, stat.st_ino))
    }

    /// Whether the file is still where it was and as long as it was. A page
    /// behind the end of a mapped file can't be touched without a signal
    /// (I10), so this comes before every use of one that isn't new.
    pub(crate) fn check_present(&self) -> Result<(), OpenError> {
        let io = |error| OpenError::io("look at", &self.path, error);
        // Before the look: another thread may be at growing it.
        let end = lock(&self.end).offset;
        let mine = files::look_at(&self.file, &self.path).map_err(io)?;
        let gone = |what: &str| OpenError::Gone {
            path: self.path.clone(),
            what: what.into(),
        };
        match rustix::fs::lstat(&self.path) {
            Ok(there) if (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino) => {}
            Ok(_) => {
                return Err(gone(
                    "something else was put in its place while it was in use",
                ));
            }
            Err(rustix::io::Errno::NOENT) => {
                return Err(gone("it was removed while it was in use"));
            }
            Err(errno) => return Err(io(errno.into())),
        }
        if mine.st_size.cast_unsigned() < end {
            return Err(self.damaged("somebody cut it short while it was in use"));
        }
        Ok(())
    }

    /// Whether the file still says what its writer put there last: a backup
    /// that is copied over a live file has the same name and inode.
    pub(crate) fn check_untouched(&self, committed: u64) -> Result<(), OpenError> {
        // Relaxed: only this process has any business here.
        let header = self.header.iter().map(|word| word.load(Ordering::Relaxed));
        if header.eq(self.identity.to_words()) && self.committed().ok() == Some(committed) {
            return Ok(());
        }
        Err(self.damaged("somebody wrote over it while it was in use"))
    }

    /// Copies all of the file's bytes to another.
    pub(crate) fn copy_to(&self, to: &File, to_path: &Path) -> Result<(), OpenError> {
        let len = length(&self.file, &self.path)?;
        files::allocate(to, to_path, 0, len)
            .map_err(|error| OpenError::io("allocate the blocks of", to_path, error))?;
        let mut bytes = vec![0; COPY_BYTES];
        let mut at = 0;
        while at < len {
            let chunk = &mut bytes[..(len - at).min(COPY_BYTES as u64) as usize];
            files::read(&self.file, &self.path, chunk, at)
                .map_err(|error| OpenError::io("read", &self.path, error))?;
            files::write(to, to_path, chunk, at)
                .map_err(|error| OpenError::io("write", to_path, error))?;
            at += chunk.len() as u64;
        }
        Ok(())
    }

    /// Waits until all of the file is on the disk.
    pub(crate) fn sync(&self) -> Result<(), OpenError> {
        files::sync(&self.file, &self.path)
            .map_err(|error| OpenError::io("sync", &self.path, error))
    }

    /// Goes on under another path, to which the file was renamed.
    pub(crate) fn set_path(&mut self, path: &Path) {
        path.clone_into(&mut self.path);
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
        point!("commit: before the store");
        self.store_sealed(live::COMMITTED, next);
        point!("commit: after the store");
    }

    /// The newest committed state; `None` before the first commit.
    pub(crate) fn view(&self) -> Result<Option<View>, OpenError> {
        for _ in 0..ATTEMPTS {
            let committed = self.committed()?;
            let mut words = [0; BLOCK_WORDS];
            let generation = match self.commit[0].copy(committed, &mut words) {
                Ok(stamp) => stamp.generation,
                Err(Missed::Overtaken) => continue,
                Err(Missed::Absent) if committed == 0 => return Ok(None),
                Err(Missed::Absent) => return Err(self.damaged("both commit blocks are empty")),
                Err(Missed::Damaged(unsound)) => return Err(self.block_damaged(unsound)),
            };
            if generation != committed {
                let what = format!(
                    "generation {committed} is committed, but the newest commit block is of \
                     generation {generation}"
                );
                return Err(self.damaged(what));
            }
            let block = CommitBlock::from_words(&words).map_err(|name| {
                let what = format!("the commit block's `{name}` is more than there can be");
                self.damaged(what)
            })?;
            return Ok(Some(View { generation, block }));
        }
        let busy = io::Error::new(
            io::ErrorKind::WouldBlock,
            "the writer commits faster than a commit block can be copied; try again",
        );
        Err(OpenError::io("read", &self.path, busy))
    }

    /// The same of a file that nobody writes to, where nobody is overtaken.
    pub(crate) fn view_at_rest(&self) -> Result<Option<View>, OpenError> {
        match self.view() {
            Err(OpenError::Io { source, .. }) if source.kind() == io::ErrorKind::WouldBlock => {
                Err(self.damaged("both commit blocks are newer than the committed generation"))
            }
            other => other,
        }
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
        let len = length(&self.file, &self.path)?;
        let mut bytes = [0u8; EXTENT_HEADER_WORDS * 8];
        if len < offset + bytes.len() as u64 {
            return Err(damaged("the file ends before it"));
        }
        files::read(&self.file, &self.path, &mut bytes, offset)
            .map_err(|error| OpenError::io("read", &self.path, error))?;
        let words: [u64; EXTENT_HEADER_WORDS] = to_words(&bytes);
        if words[extent::CHECKSUM] != checksum(offset, &words[..extent::CHECKSUM]) {
            return Err(damaged("its header doesn't have its checksum"));
        }
        let kind = match words[extent::KIND] {
            extent::ROWS => ExtentKind::Rows,
            extent::NAMES => ExtentKind::Names,
            _ => return Err(damaged("it is of no known kind")),
        };
        // Before it is mapped: a length may be anything.
        let (bytes, ordinal) = (words[extent::BYTES], words[extent::ORDINAL]);
        let data_len = match kind {
            ExtentKind::Rows => rows_in_extent(ordinal),
            ExtentKind::Names => names_in_extent(ordinal),
        };
        if bytes != (EXTENT_HEADER_BYTES + data_len) as u64 {
            return Err(damaged("it doesn't have the length that belongs to it"));
        }
        if len - offset < bytes {
            return Err(damaged("the file ends in it"));
        }
        let data = offset + EXTENT_HEADER_BYTES as u64;
        let region = if writable {
            Region::writable(&self.file, &self.path, data, data_len)
        } else {
            Region::readable(&self.file, &self.path, data, data_len)
        }
        .map_err(|error| OpenError::io("map", &self.path, error))?;
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
        let len = files::look_at(&self.file, &self.path)?.st_size;
        files::allocate(&self.file, &self.path, offset, bytes)?;
        // What was behind the end, mostly nothing, is no row and no name.
        let there = offset..len.cast_unsigned().min(offset + bytes);
        files::write_zeros(&self.file, &self.path, there)?;
        point!("growth: allocated");
        let mut words = [0; EXTENT_HEADER_WORDS];
        words[extent::KIND] = match kind {
            ExtentKind::Rows => extent::ROWS,
            ExtentKind::Names => extent::NAMES,
        };
        words[extent::ORDINAL] = ordinal;
        words[extent::BYTES] = bytes;
        words[extent::CHECKSUM] = checksum(offset, &words[..extent::CHECKSUM]);
        files::write(&self.file, &self.path, &to_bytes(&words), offset)?;
        let data = offset + EXTENT_HEADER_BYTES as u64;
        let region = Region::writable(&self.file, &self.path, data, data_len)?;
        point!("growth: before it counts");
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

    /// Stores a live word; see [`Live::store_sealed`].
    pub(crate) fn store_sealed(&self, word: usize, value: u64) {
        self.live.store_sealed(word, value);
    }

    pub(crate) fn load_sealed(&self, word: usize, what: &str) -> Result<u64, OpenError> {
        self.live.load_sealed(word).ok_or_else(|| {
            self.damaged(format!(
                "{what} (live word {word}) doesn't have its check bits"
            ))
        })
    }

    pub(crate) fn damaged(&self, what: impl Into<String>) -> OpenError {
        OpenError::damaged(&self.path, what)
    }
}

fn length(file: &File, path: &Path) -> Result<u64, OpenError> {
    let stat = files::look_at(file, path).map_err(|error| OpenError::io("look at", path, error))?;
    Ok(stat.st_size.cast_unsigned())
}
