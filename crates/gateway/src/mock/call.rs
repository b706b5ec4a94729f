//! One call, with all that an answer to it says.

use super::amounts::Amounts;

/// How an answer states its usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UsageForm {
    /// As the protocol does.
    Given,
    /// The field isn't there.
    LeftOut,
    /// The field is null.
    Null,
    /// Counts that contradict each other.
    Contradicting,
}

impl UsageForm {
    /// The field, from what it should be: `None` leaves it out.
    pub(super) fn field<T>(self, usage: T) -> Option<Option<T>> {
        match self {
            Self::Given | Self::Contradicting => Some(Some(usage)),
            Self::LeftOut => None,
            Self::Null => Some(None),
        }
    }

    /// Whether the client learns the counts.
    pub(super) const fn states(self) -> bool {
        matches!(self, Self::Given | Self::Contradicting)
    }

    /// What makes a sum wrong, where it is to be wrong.
    pub(super) const fn error(self) -> u64 {
        match self {
            // No sum of counts that anybody would leave out by mistake.
            Self::Contradicting => 1_000_003,
            _ => 0,
        }
    }
}

/// A call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Its number, for ids.
    pub(super) number: u64,
    /// Seconds since 1970.
    pub(super) created: u64,
    pub(super) model: String,
    pub(super) amounts: Amounts,
    /// Pieces of text.
    pub(super) chunks: u64,
    /// What each piece is.
    pub(super) piece: &'static str,
    pub(super) usage: UsageForm,
    /// Whether a stream in OpenAI's format ends with its usage.
    pub(super) include_usage: bool,
    pub(super) embeddings: Embeddings,
}

/// What is special about a call for embeddings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Embeddings {
    /// How many.
    pub(super) inputs: u64,
    /// Numbers in each.
    pub(super) dimensions: u64,
    pub(super) is_base64: bool,
}

impl Call {
    /// All of the text.
    pub(super) fn text(&self) -> String {
        let times = usize::try_from(self.chunks).unwrap_or(usize::MAX);
        self.piece.repeat(times)
    }
}
