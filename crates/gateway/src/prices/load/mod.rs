//! The formats of price lists.

pub(super) mod litellm;
pub(super) mod own;

/// An entry of a list that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its key in the list.
    pub model: String,
    /// Why.
    pub why: String,
}
