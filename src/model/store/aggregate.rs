//! Stand-in for the aggregate file: words and extents, without a disk.

use std::io;
use std::path::Path;

use super::live::Live;
use super::whole_layout::{LIVE_WORDS, live};
use crate::disk::{Placed, Region};
use crate::error::OpenError;
use crate::sync::Arc;

/// What an extent holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExtentKind {
    Names,
}

/// An extent's data.
#[derive(Debug)]
pub(crate) struct Extent {
    pub(crate) ordinal: u64,
    pub(crate) region: std::sync::Arc<Region>,
}

/// The file. Behind its mutexes is what the system knows of it: they are those
/// of the standard library, which loom doesn't see, so they synchronise nothing.
#[derive(Debug)]
pub(crate) struct Aggregate {
    live: Live,
    extents: std::sync::Mutex<Vec<std::sync::Arc<Region>>>,
    /// How many more looks don't find it.
    hidden: std::sync::Mutex<u32>,
}

impl Aggregate {
    /// An empty file; the first `hidden` looks whether it is there fail.
    pub(crate) fn new(hidden: u32) -> io::Result<Arc<Self>> {
        let this = Self {
            live: Live::new(Placed::anonymous(LIVE_WORDS)?),
            extents: std::sync::Mutex::default(),
            hidden: std::sync::Mutex::new(hidden),
        };
        for word in [live::COMMITTED, live::EXTENTS, live::NAMES] {
            this.store_sealed(word, 0);
        }
        Ok(Arc::new(this))
    }

    pub(crate) fn path(&self) -> &Path {
        Path::new("aggregate")
    }

    pub(crate) fn check_present(&self) -> Result<(), OpenError> {
        let mut hidden = unseen(&self.hidden);
        let is_hidden = *hidden > 0;
        *hidden = hidden.saturating_sub(1);
        if is_hidden {
            return Err(self.damaged("it can't be looked at"));
        }
        Ok(())
    }

    pub(crate) fn store_sealed(&self, word: usize, value: u64) {
        self.live.store_sealed(word, value);
    }

    pub(crate) fn load_sealed(&self, word: usize, what: &str) -> Result<u64, OpenError> {
        let value = self.live.load_sealed(word);
        value.ok_or_else(|| self.damaged(what))
    }

    /// Only the interner's lock lets a thread come here.
    pub(crate) fn add_extent(
        &self,
        _: ExtentKind,
        ordinal: u64,
        data_len: usize,
    ) -> io::Result<Extent> {
        let region = Region::anonymous(data_len)?;
        unseen(&self.extents).push(std::sync::Arc::clone(&region));
        self.store_sealed(live::EXTENTS, ordinal + 1);
        Ok(Extent { ordinal, region })
    }

    /// The extents from number `mapped` on.
    pub(crate) fn new_extents(&self, mapped: u64) -> Result<Vec<Extent>, OpenError> {
        let count = self.load_sealed(live::EXTENTS, "the number of extents")?;
        let extents = unseen(&self.extents);
        let new = (mapped..count).map(|ordinal| Extent {
            ordinal,
            region: std::sync::Arc::clone(&extents[ordinal as usize]),
        });
        Ok(new.collect())
    }

    pub(crate) fn damaged(&self, what: impl Into<String>) -> OpenError {
        OpenError::damaged(self.path(), what)
    }
}

fn unseen<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
