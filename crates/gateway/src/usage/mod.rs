//! Usage from a provider's response: how many tokens of which kind.
//!
//! ```text
//!  bytes ──► format ──► JSON ──► table of fields ──► counts ──► disjoint kinds
//!  as they   SSE,       push     path → meaning      as given   Tokens
//!  arrive    lines,     scanner                      kept, not
//!            binary                                  added
//! ```
//!
//! [`Extractor`] is the way in, [`Usage`] what comes out. docs/providers.md
//! has the table in words, and what each bad case results in.

mod counts;
mod disjoint;
mod extractor;
mod fields;
mod finding;
mod framing;
mod provider;
mod reading;
mod result;
mod tokens;

pub use extractor::Extractor;
pub use finding::Finding;
pub use provider::{Provider, UnknownProvider};
pub use result::{Unreadable, Usage, UsageState};
pub use tokens::{Parts, Tokens};
