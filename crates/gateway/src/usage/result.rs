//! What is known when a body has ended.

use std::fmt;

use quipu::UsageRecord;

use super::finding::Finding;
use super::provider::Provider;
use super::tokens::Tokens;

/// How much of the usage is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UsageState {
    /// The provider gave its final counts.
    Complete,
    /// The body ended, or went wrong, after first counts and before the final
    /// ones: what is there is the least that was used.
    Partial,
    /// No counts: an error, a body of a kind that has none, `usage` that is
    /// null, or a stream that ended before them.
    Missing,
}

impl UsageState {
    /// The name that is printed: `complete`, `partial`, `missing`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Missing => "missing",
        }
    }
}

impl fmt::Display for UsageState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why a body can't be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// Neither JSON, server-sent events nor an event stream.
    UnknownFormat,
    /// Compressed; undo that before.
    Compressed,
    /// It begins like a known format, and then isn't in it.
    Malformed,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownFormat => {
                "the body is neither JSON, server-sent events nor an Amazon event stream"
            }
            Self::Compressed => {
                "the body is compressed: decompress it first, or ask the provider for one that \
                 isn't (Accept-Encoding: identity)"
            }
            Self::Malformed => "the body begins like JSON or events, and then isn't",
        })
    }
}

impl std::error::Error for Unreadable {}

/// What a response said about its usage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Who answered; `None` where nothing tells.
    pub provider: Option<Provider>,
    /// The model, as the body names it, else as the path does.
    pub model: Option<String>,
    /// The model, as the request's path names it: what Bedrock and Vertex bill
    /// by, whatever the body says.
    pub path_model: Option<String>,
    /// The tokens of the call, by disjoint kinds.
    pub tokens: Tokens,
    /// What is billed, where the provider says that apart from what was used:
    /// Cohere's billed units, and all passes of an Anthropic call that
    /// compacted its context.
    pub billed: Option<Tokens>,
    /// How much of it is known.
    pub state: UsageState,
    /// The counts contradict each other, so that the split into kinds is not
    /// the provider's own word. See [`findings`](Self::findings).
    pub estimated: bool,
    /// The service tier that was billed, as the provider names it.
    pub service_tier: Option<String>,
    /// The provider reported an error, at once or in mid-stream.
    pub is_error: bool,
    /// Why nothing could be read; then everything that the body would say is
    /// missing.
    pub unreadable: Option<Unreadable>,
    /// What was odd.
    pub findings: Vec<Finding>,
}

impl Usage {
    /// Puts the tokens into a record. Counts that are partial or contradict
    /// each other are marked as estimated.
    #[must_use]
    pub fn put_into(&self, record: UsageRecord) -> UsageRecord {
        let is_estimated = self.estimated || self.state == UsageState::Partial;
        self.tokens.put_into(record).estimated(is_estimated)
    }

    /// The tokens that the provider bills.
    #[must_use]
    pub fn billed_tokens(&self) -> &Tokens {
        self.billed.as_ref().unwrap_or(&self.tokens)
    }
}
