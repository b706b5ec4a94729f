//! What a field does when it is read.

use crate::usage::counts::{Kind, Shape};

/// One thing that a field means. A field may mean several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Its value is a count; of several, the last holds.
    Count(Shape, Kind),
    /// Its value is added to the count, element by element of a list.
    Add(Shape, Kind),
    /// Here begins a list whose elements are added up: what an earlier one
    /// said is void.
    Restart(Shape, &'static [Kind]),
    /// An element of a list of counts by name begins.
    Item,
    /// The name in such an element: a modality, or how long a cache lives.
    ItemName,
    /// The count in it.
    ItemCount,
    /// An element ended: if it has this name, its count is added.
    TakeItem(&'static str, Shape, Kind),
    /// The model's name.
    Model,
    /// The tier that was billed.
    ServiceTier,
    /// Base64 of another document, as Bedrock's invoke streams have it.
    Payload,
    /// Set where the field is there and not null.
    Is(Mark),
    /// Set where the field is there, be it null.
    There(Mark),
    /// Set where the value is this string.
    Says(&'static str, Mark),
    /// Set where the value is a string that begins so.
    Starts(&'static str, Mark),
    /// Set where the value is `true`.
    True(Mark),
}

/// Something that was seen in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mark {
    /// The model stopped: usage from here on is final.
    Finished,
    /// The provider said that nothing more follows.
    Ended,
    /// An error of the provider's.
    Error,
    /// The fields are Anthropic's.
    Anthropic,
    /// `input_tokens` includes what was cached.
    InputIncludesCache,
    /// Audio was sent; Mistral says its tokens only in the total.
    AudioSeconds,
    // Whose body it is, for bodies that share one format.
    OfAzure,
    OfBedrock,
    OfCohere,
    OfDeepSeek,
    OfGemini,
    OfGpuStack,
    OfGroq,
    OfOllama,
    OfOpenRouter,
    OfPerplexity,
    OfTogether,
    OfVertex,
    OfVllm,
    OfWriter,
    OfXai,
}

/// A set of [`Mark`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(u32);

impl Marks {
    pub(crate) const fn set(&mut self, mark: Mark) {
        self.0 |= 1 << mark as u32;
    }

    pub(crate) const fn has(self, mark: Mark) -> bool {
        self.0 & (1 << mark as u32) != 0
    }

    pub(crate) const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) const fn clear(&mut self) {
        self.0 = 0;
    }
}
