//! The ring's file: what is not committed yet, in memory that outlives the
//! process.
//!
//! ```text
//! 0      header     32 words, written once, checksummed
//! 4096   controls   256 bytes a shard: tail, head
//! ...    slots      64 bytes each, shard after shard, from a page on
//! ```

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::shard::Control;
use super::slot::Slot;
use super::{MAX_SHARDS, Ring, Shard};
use crate::disk::format::{
    BYTE_ORDER, StoreId, VERSION_MINOR, checksum, to_bytes, to_words, version,
};
use crate::disk::{Placed, PlacedOne, Region, files};
use crate::error::OpenError;

/// First bytes of every ring file.
const MAGIC: [u8; 8] = *b"\x89QPR\r\n\x1a\n";

/// How the names of ring files end.
const SUFFIX: &str = ".ring";

const PAGE: usize = 4096;
const HEADER_WORDS: usize = 32;

/// Positions of the header's words.
pub(crate) mod word {
    pub(crate) const MAGIC: usize = 0;
    pub(crate) const BYTE_ORDER: usize = 1;
    pub(crate) const VERSION: usize = 2;
    /// Two words.
    pub(crate) const STORE_ID: usize = 3;
    pub(crate) const NUMBER: usize = 5;
    pub(crate) const SHARDS: usize = 6;
    pub(crate) const SHARD_CAPACITY: usize = 7;
    pub(crate) const CHECKSUM: usize = super::HEADER_WORDS - 1;
}

/// The most slots of a shard.
pub(crate) const MAX_SHARD_CAPACITY: usize = 1 << 22;

/// Which ring of which store. The aggregate file's inode is part of it, so
/// that a copy of the store doesn't take the original's ring for its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RingId {
    pub(crate) store: StoreId,
    pub(crate) inode: u64,
    pub(crate) number: u64,
}

impl RingId {
    /// The ring `number` of the store whose aggregate file has this inode.
    pub(crate) const fn new(store: StoreId, inode: u64, number: u64) -> Self {
        Self {
            store,
            inode,
            number,
        }
    }

    fn path(&self, dir: &Path) -> PathBuf {
        dir.join(format!("{}{}{SUFFIX}", self.prefix(), self.number))
    }

    fn prefix(&self) -> String {
        format!("quipu-{}-{:x}-", self.store, self.inode)
    }
}

/// Shards and slots of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// A power of two up to [`MAX_SHARDS`].
    pub(crate) shards: usize,
    /// Slots of a shard: a power of two up to [`MAX_SHARD_CAPACITY`].
    pub(crate) capacity: usize,
}

impl Geometry {
    fn is_valid(self) -> bool {
        let Self { shards, capacity } = self;
        let up_to = |n: usize, max| n.is_power_of_two() && n <= max;
        up_to(shards, MAX_SHARDS) && up_to(capacity, MAX_SHARD_CAPACITY)
    }

    fn slots_offset(self) -> usize {
        PAGE + (self.shards * size_of::<Control>()).next_multiple_of(PAGE)
    }

    fn file_len(self) -> usize {
        self.slots_offset() + self.shards * self.capacity * size_of::<Slot>()
    }
}

/// Where a ring's file is.
#[derive(Debug)]
pub(crate) struct RingFile {
    dir: PathBuf,
    id: RingId,
    /// Inode of the aggregate file that it belongs to now.
    owner: u64,
    /// Device and inode.
    inode: (u64, u64),
}

impl RingFile {
    /// Creates the file of a new ring in `dir` and maps it.
    pub(crate) fn create(
        dir: &Path,
        id: RingId,
        geometry: Geometry,
    ) -> Result<(Self, Ring), OpenError> {
        let path = id.path(dir);
        // An open that was killed before its commit may have left one.
        files::remove(&path)?;
        let file = files::create_new(&path)?;
        Self::fill(&path, &file, id, geometry)
            .and_then(|ring| Ok((Self::new(dir, id, &path, &file)?, ring)))
            .inspect_err(|_| {
                // Best effort: the error that is on its way says more.
                let _ = files::remove(&path);
            })
    }

    fn new(dir: &Path, id: RingId, path: &Path, file: &File) -> Result<Self, OpenError> {
        let stat = look_at(path, file)?;
        Ok(Self {
            dir: dir.to_owned(),
            owner: id.inode,
            id,
            inode: (stat.st_dev, stat.st_ino),
        })
    }

    fn fill(path: &Path, file: &File, id: RingId, geometry: Geometry) -> Result<Ring, OpenError> {
        files::allocate(file, path, 0, geometry.file_len() as u64)
            .map_err(|error| OpenError::io("allocate the blocks of", path, error))?;
        files::write(
            file,
            path,
            &to_bytes(&header(id, geometry, VERSION_MINOR)),
            0,
        )
        .map_err(|error| OpenError::io("write", path, error))?;
        let ring = map(path, file, geometry, true)?;
        for shard in ring.shards() {
            shard.reset(0);
        }
        Ok(ring)
    }

    /// Maps the file that another process left; `None` where it isn't there.
    pub(crate) fn open(dir: &Path, id: RingId) -> Result<Option<(Self, Ring)>, OpenError> {
        let Some((file, ring)) = Self::open_ring(dir, id, true)? else {
            return Ok(None);
        };
        Ok(Some((Self::new(dir, id, &id.path(dir), &file)?, ring)))
    }

    /// Maps the file for reading; `None` where it isn't there.
    pub(crate) fn peek(dir: &Path, id: RingId) -> Result<Option<Ring>, OpenError> {
        Ok(Self::open_ring(dir, id, false)?.map(|(_, ring)| ring))
    }

    fn open_ring(
        dir: &Path,
        id: RingId,
        writable: bool,
    ) -> Result<Option<(File, Ring)>, OpenError> {
        let path = id.path(dir);
        let file = match files::open_existing(&path, writable) {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        let mut bytes = [0u8; HEADER_WORDS * 8];
        let len = look_at(&path, &file)?.st_size.cast_unsigned();
        if len < bytes.len() as u64 {
            return Err(OpenError::damaged(&path, "it ends within its header"));
        }
        files::read(&file, &path, &mut bytes, 0)
            .map_err(|error| OpenError::io("read", &path, error))?;
        let words: [u64; HEADER_WORDS] = to_words(&bytes);
        let geometry = Geometry {
            shards: words[word::SHARDS] as usize,
            capacity: words[word::SHARD_CAPACITY] as usize,
        };
        // A ring of another minor version is laid out the same.
        let minor = words[word::VERSION] as u32;
        if !geometry.is_valid() || words != header(id, geometry, minor) {
            let what = "its header is not that of the ring the store was last used with";
            return Err(OpenError::damaged(&path, what));
        }
        if len != geometry.file_len() as u64 {
            return Err(OpenError::damaged(&path, "it doesn't have its length"));
        }
        let ring = map(&path, &file, geometry, writable)?;
        Ok(Some((file, ring)))
    }

    /// Why the file can't be used.
    pub(crate) fn unfit(dir: &Path, id: RingId, what: &str) -> OpenError {
        OpenError::damaged(&id.path(dir), what)
    }

    /// Whether the file would be found after a kill: it is where it was, and
    /// has the name that belongs to the aggregate file.
    pub(crate) fn is_present(&mut self) -> bool {
        use std::os::unix::fs::MetadataExt;
        self.rename().is_ok()
            && std::fs::symlink_metadata(self.id.path(&self.dir))
                .is_ok_and(|there| (there.dev(), there.ino()) == self.inode)
    }

    /// Goes on as the ring of the aggregate file with this inode; gives that
    /// of the one before.
    pub(crate) fn belong_to(&mut self, inode: u64) -> u64 {
        let before = std::mem::replace(&mut self.owner, inode);
        // Where it fails, `is_present` tries again, and says so.
        let _ = self.rename();
        before
    }

    fn rename(&mut self) -> Result<(), OpenError> {
        let id = RingId {
            inode: self.owner,
            ..self.id
        };
        if id != self.id {
            let (from, to) = (self.id.path(&self.dir), id.path(&self.dir));
            files::rename(&from, &to).map_err(|error| OpenError::io("rename", &from, error))?;
            self.id = id;
        }
        Ok(())
    }

    /// Removes the file: all that is in it was committed.
    pub(crate) fn remove(&self) -> Result<(), OpenError> {
        files::remove(&self.id.path(&self.dir))
    }

    /// Removes files of other rings of the same store: they were committed
    /// before this one came into use, or never came into use.
    pub(crate) fn remove_others(&self) {
        for (path, _) in rings_of(&self.dir, self.id) {
            if path != self.id.path(&self.dir) {
                // Best effort: the next open tries again.
                let _ = files::remove(&path);
            }
        }
    }

    /// Removes from `dir` the files of rings that belong to the same aggregate
    /// file as `id` and were never recorded on.
    pub(crate) fn remove_unused(dir: &Path, id: RingId) {
        for (path, number) in rings_of(dir, id) {
            let is_unused = match Self::peek(dir, RingId { number, ..id }) {
                Ok(ring) => {
                    let mut shards = ring.iter().flat_map(Ring::shards);
                    shards.all(|shard| shard.claimed() == 0)
                }
                Err(_) => is_blank(&path),
            };
            if is_unused {
                // Best effort, as above.
                let _ = files::remove(&path);
            }
        }
    }
}

/// Whether whoever created the file was killed before the header was written.
fn is_blank(path: &Path) -> bool {
    let mut bytes = [0u8; HEADER_WORDS * 8];
    let Ok(file) = files::open_existing(path, false) else {
        return false;
    };
    match look_at(path, &file) {
        Ok(stat) if stat.st_size == 0 => true,
        _ => files::read(&file, path, &mut bytes, 0).is_ok() && bytes.iter().all(|byte| *byte == 0),
    }
}

/// The files of all rings that belong to the same aggregate file as `id`, with
/// their numbers. Not what was set aside: that ends otherwise (I11).
fn rings_of(dir: &Path, id: RingId) -> Vec<(PathBuf, u64)> {
    let prefix = id.prefix();
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let text = name.to_str()?.strip_prefix(&prefix)?.strip_suffix(SUFFIX)?;
            let number: u64 = text.parse().ok()?;
            // Just a number: not what was set aside (I11), nor what somebody
            // else called nearly the same.
            (number.to_string() == text).then(|| (entry.path(), number))
        })
        .collect()
}

fn look_at(path: &Path, file: &File) -> Result<rustix::fs::Stat, OpenError> {
    files::look_at(file, path).map_err(|error| OpenError::io("look at", path, error))
}

/// The inode of the aggregate file is in the file's name only, so that a ring
/// can go on beside a new aggregate file.
fn header(id: RingId, geometry: Geometry, minor: u32) -> [u64; HEADER_WORDS] {
    let mut words = [0; HEADER_WORDS];
    words[word::MAGIC] = u64::from_le_bytes(MAGIC);
    words[word::BYTE_ORDER] = BYTE_ORDER;
    words[word::VERSION] = version(minor);
    words[word::STORE_ID..word::STORE_ID + 2].copy_from_slice(&id.store.0);
    words[word::NUMBER] = id.number;
    words[word::SHARDS] = geometry.shards as u64;
    words[word::SHARD_CAPACITY] = geometry.capacity as u64;
    words[word::CHECKSUM] = checksum(0, &words[..word::CHECKSUM]);
    words
}

fn map(path: &Path, file: &File, geometry: Geometry, writable: bool) -> Result<Ring, OpenError> {
    let map_error = |error| OpenError::io("map", path, error);
    let len = geometry.file_len();
    let region = if writable {
        Region::writable(file, path, 0, len).inspect(|region| {
            region.prefer_huge_pages();
            region.prefault();
        })
    } else {
        Region::readable(file, path, 0, len)
    }
    .map_err(map_error)?;
    let shard = |n: usize| {
        let control = PAGE + n * size_of::<Control>();
        let slots = geometry.slots_offset() + n * geometry.capacity * size_of::<Slot>();
        Some(Shard::new(
            PlacedOne::new(&region, control)?,
            Placed::new(&region, slots, geometry.capacity)?,
        ))
    };
    let shards: Option<Vec<Shard>> = (0..geometry.shards).map(shard).collect();
    let shards = shards.ok_or_else(|| map_error(io::Error::other("a shard is out of place")))?;
    Ring::new(&shards).map_err(map_error)
}
