//! What the models need of the store, on a stand-in for its file.

mod aggregate;
#[path = "../store/interner.rs"]
mod interner;
#[path = "../store/live.rs"]
mod live;
#[path = "../store/names_log.rs"]
mod names_log;
#[path = "../store/version.rs"]
pub(super) mod version;
#[path = "../store/layout.rs"]
mod whole_layout;

pub(super) use aggregate::Aggregate;
pub(super) use interner::{Interner, NamesFile};
pub(super) use layout::live as live_words;
pub(super) use live::Live;
pub(super) use names_log::NamesLog;

/// The layout with extents of a few names.
mod layout {
    pub(crate) use super::whole_layout::live;

    /// Two short names have room in the first extent of names, and one in each
    /// other.
    pub(crate) const fn names_in_extent(ordinal: u64) -> usize {
        match ordinal {
            0 => 7 * 8,
            _ => 4 * 8,
        }
    }
}
