//! The ground that the ring's file and the store stand on: files, mapped
//! memory, and what all files of quipu have in common.

#[cfg(not(loom))]
mod boot;
#[cfg(not(loom))]
pub(crate) mod files;
pub(crate) mod format;
mod region;
#[cfg(not(loom))]
mod seam;

#[cfg(not(loom))]
pub(crate) use boot::{boot_id, is_same_boot};
pub(crate) use region::{Mappable, Placed, PlacedOne, Region};
