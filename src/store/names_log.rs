//! The names in the file: a log that only grows.
//!
//! ```text
//! word 0:  kind u8 | length u16 << 8 | provider u16 << 24
//! word 1:  id u32 | CRC-32 << 32, of word 0, the id and the bytes
//! then the name's UTF-8 bytes, padded with zeros to whole words
//! ```
//!
//! A name lies in one extent; where it doesn't fit, a zero word ends the
//! extent. The live word `names` says how many there are: it is stored after
//! the name, and before the id is given to anybody, so that a record never
//! has an id whose name could be lost (I2).

use super::aggregate::{Aggregate, Extent, ExtentKind};
use super::layout::{live, names_in_extent};
use crate::disk::Placed;
use crate::disk::format::checksum;
use crate::error::OpenError;
use crate::fault::point;
use crate::names::{NameKind, Names};
use crate::sync::{AtomicU64, Ordering};

/// Bytes of the longest name that fits in any extent.
pub(crate) const MAX_NAME: usize = 32 * 1024;

const KIND_PROVIDER: u64 = 1;
const KIND_MODEL: u64 = 2;
const KIND_TENANT: u64 = 3;
const KIND_RING_DIR: u64 = 4;

/// The log of names, mapped.
#[derive(Debug, Default)]
pub(crate) struct NamesLog {
    extents: Vec<Placed<AtomicU64>>,
    /// The extent and word at which the next name begins.
    extent: usize,
    word: usize,
    names: u64,
}

impl NamesLog {
    /// Names that were read or written.
    pub(crate) const fn len(&self) -> u64 {
        self.names
    }

    /// Takes in the next extent of names.
    pub(crate) fn attach(
        &mut self,
        aggregate: &Aggregate,
        extent: &Extent,
    ) -> Result<(), OpenError> {
        let ordinal = extent.ordinal;
        let len = names_in_extent(ordinal);
        let placed = Placed::new(&extent.region, 0, len / 8)
            .filter(|_| ordinal == self.extents.len() as u64 && extent.region.len() == len);
        let words = placed.ok_or_else(|| {
            aggregate.damaged(format!(
                "the extent of names number {ordinal} is out of place"
            ))
        })?;
        self.extents.push(words);
        Ok(())
    }

    /// Names that are in the file. To be asked before its extents are mapped: a
    /// writer at work puts the next name into one that is not mapped then.
    pub(crate) fn in_file(aggregate: &Aggregate) -> Result<u64, OpenError> {
        aggregate.load_sealed(live::NAMES, "the number of names")
    }

    /// Adds the first `count` names of the file to `names`, as far as they
    /// aren't there yet.
    pub(crate) fn read_new(
        &mut self,
        aggregate: &Aggregate,
        names: &Names,
        count: u64,
    ) -> Result<(), OpenError> {
        while self.names < count {
            let (kind, id, name) = self
                .read_next()
                .map_err(|what| aggregate.damaged(format!("name number {}: {what}", self.names)))?;
            if names.next_id(kind) != id || !has_place(names, kind, id) {
                let what = format!("name number {} has the id {id}, out of order", self.names);
                return Err(aggregate.damaged(what));
            }
            names.add(kind, &name);
        }
        Ok(())
    }

    fn read_next(&mut self) -> Result<(NameKind, u32, String), &'static str> {
        let ended = |extent: &Placed<AtomicU64>, word: usize| {
            extent
                .get(word)
                .is_none_or(|word| word.load(Ordering::Relaxed) == 0)
        };
        while self
            .extents
            .get(self.extent)
            .is_some_and(|extent| ended(extent, self.word))
        {
            self.extent += 1;
            self.word = 0;
        }
        let words = self.extents.get(self.extent).ok_or("it is missing")?;
        // Relaxed: the acquire of the live word `names` came before.
        let load = |n: usize| {
            let word = words.get(self.word + n)?;
            Some(word.load(Ordering::Relaxed))
        };
        let entry = read_entry(load)?;
        self.word += entry.words;
        self.names += 1;
        Ok((entry.kind, entry.id, entry.name))
    }

    /// Puts a name into the file. When this returns, whoever opens the store
    /// finds it there, also if this process is killed.
    pub(crate) fn append(
        &mut self,
        aggregate: &Aggregate,
        kind: NameKind,
        id: u32,
        name: &str,
    ) -> Result<(), OpenError> {
        debug_assert!(name.len() <= MAX_NAME);
        let body: Vec<u64> = name
            .as_bytes()
            .chunks(8)
            .map(|chunk| {
                let mut bytes = [0; 8];
                bytes[..chunk.len()].copy_from_slice(chunk);
                u64::from_le_bytes(bytes)
            })
            .collect();
        let head = head(kind, name.len());
        self.make_room(aggregate, 2 + body.len())?;
        let words = &self.extents[self.extent];
        let check = u64::from(id) | entry_checksum(head, id, &body) << 32;
        let entry = [head, check].into_iter().chain(body);
        // Relaxed: the release of the live word `names` comes after.
        let mut end = self.word;
        for (to, word) in words[self.word..].iter().zip(entry) {
            to.store(word, Ordering::Relaxed);
            end += 1;
            point!("names: half written");
        }
        point!("names: before they count");
        self.word = end;
        self.names += 1;
        aggregate.store_sealed(live::NAMES, self.names);
        Ok(())
    }

    /// Goes on to an extent in which `len` words have room.
    fn make_room(&mut self, aggregate: &Aggregate, len: usize) -> Result<(), OpenError> {
        loop {
            match self.extents.get(self.extent) {
                Some(extent) if self.word + len <= extent.len() => return Ok(()),
                Some(extent) => {
                    // What an interrupted append left must not look like a
                    // name; past the last word there is nothing to end.
                    if let Some(word) = extent.get(self.word) {
                        word.store(0, Ordering::Relaxed);
                    }
                    self.extent += 1;
                    self.word = 0;
                }
                None => {
                    let ordinal = self.extents.len() as u64;
                    let extent = aggregate
                        .add_extent(ExtentKind::Names, ordinal, names_in_extent(ordinal))
                        .map_err(|error| OpenError::io("grow", aggregate.path(), error))?;
                    self.attach(aggregate, &extent)?;
                }
            }
        }
    }
}

/// A name as the log has it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) kind: NameKind,
    pub(super) id: u32,
    pub(super) name: String,
    /// Words that it takes.
    pub(super) words: usize,
}

/// The entry whose `n`-th word is `load(n)`.
pub(super) fn read_entry(load: impl Fn(usize) -> Option<u64>) -> Result<Entry, &'static str> {
    let head = load(0).ok_or("it is missing")?;
    let check = load(1).ok_or("it is cut off")?;
    let len = (head >> 8) as usize & 0xffff;
    if len > MAX_NAME {
        return Err("it is longer than a name can be");
    }
    let body: Option<Vec<u64>> = (0..len.div_ceil(8)).map(|n| load(2 + n)).collect();
    let body = body.ok_or("it is cut off")?;
    let id = check as u32;
    if entry_checksum(head, id, &body) != check >> 32 {
        return Err("it doesn't have its checksum");
    }
    let provider = (head >> 24) as u16;
    let kind = match head & 0xff {
        KIND_PROVIDER => NameKind::Provider,
        KIND_MODEL => NameKind::Model { provider },
        KIND_TENANT => NameKind::Tenant,
        KIND_RING_DIR => NameKind::RingDir,
        _ => return Err("it is of no known kind"),
    };
    let mut bytes: Vec<u8> = body.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.truncate(len);
    let name = String::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    Ok(Entry {
        kind,
        id,
        name,
        words: 2 + body.len(),
    })
}

/// The first word of a name of `len` bytes.
pub(super) fn head(kind: NameKind, len: usize) -> u64 {
    let (kind, provider) = match kind {
        NameKind::Provider => (KIND_PROVIDER, 0),
        NameKind::Model { provider } => (KIND_MODEL, provider),
        NameKind::Tenant => (KIND_TENANT, 0),
        NameKind::RingDir => (KIND_RING_DIR, 0),
    };
    kind | (len as u64) << 8 | u64::from(provider) << 24
}

/// Whether records have room for an id, and a model's provider came before.
fn has_place(names: &Names, kind: NameKind, id: u32) -> bool {
    let is_short = u16::try_from(id).is_ok();
    match kind {
        NameKind::Provider => is_short,
        NameKind::Model { provider } => {
            is_short && u32::from(provider) < names.next_id(NameKind::Provider)
        }
        NameKind::Tenant | NameKind::RingDir => true,
    }
}

fn entry_checksum(head: u64, id: u32, body: &[u64]) -> u64 {
    // The id stands where a version has its generation.
    let seed = head.rotate_left(32) ^ u64::from(id);
    checksum(seed, body)
}
