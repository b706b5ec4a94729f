//! The formats of price lists.

pub(super) mod litellm;
pub(super) mod own;
