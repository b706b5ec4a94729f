//! What the fuzz targets share.
//!
//! Random bytes fail at the first checksum, so an input isn't a file but a
//! short program of edits ([`edit`]) to a valid file that was made in this
//! process ([`base`]). A word of bits in its head says which checksums are made
//! right again after the edits ([`aggregate::seal`]), so that also what is
//! behind them is reached. What the files are put into is in [`bed`], what must
//! hold whatever is in them in [`check`].

pub mod aggregate;
pub mod base;
pub mod bed;
pub mod check;
pub mod edit;
pub mod format;
pub mod names;
pub mod ring;
pub mod targets;
#[cfg(test)]
mod tests;
pub mod usage;
