//! How documents are packed into a body: one JSON text or several, server-sent
//! events, or Amazon's binary event stream.
//!
//! Which of them it is, is seen in the first bytes. The content type isn't
//! asked: proxies get it wrong, and the bytes can't be mistaken.

mod base64;
mod event_stream;
mod framed;
mod json_text;
mod repeat;
mod sniff;
mod sse;

pub(crate) use event_stream::EventStream;
pub(crate) use json_text::JsonText;
pub(crate) use sniff::{Format, Sniffer};
pub(crate) use sse::Sse;

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Documents that were whole.
    pub(crate) documents: u64,
    /// Nothing was under way when the body ended.
    pub(crate) is_whole: bool,
    /// Something was not as the format wants it.
    pub(crate) is_malformed: bool,
}
