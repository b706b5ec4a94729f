//! Anthropic's interfaces.

pub(super) mod count_tokens;
pub(super) mod error;
pub(super) mod messages;
pub(super) mod models;
mod usage;
