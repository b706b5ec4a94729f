//! OpenAI's interfaces.

pub(super) mod chat;
pub(super) mod completions;
pub(super) mod embeddings;
pub(super) mod error;
pub(super) mod models;
pub(super) mod responses;
mod usage;

/// What ends a stream of chat completions or completions.
pub(super) const DONE: &[u8] = b"data: [DONE]\n\n";
