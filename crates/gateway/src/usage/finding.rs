//! What was odd about a body.

use std::fmt;

/// Something in a provider's body that doesn't add up, or can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The parts of the prompt (cached, written to the cache, audio) are more
    /// than the prompt that they are part of. The parts stand as they were
    /// given and the rest is zero.
    PromptPartsExceedPrompt {
        /// Sum of the parts, in tokens.
        parts: u64,
        /// The prompt as given, in tokens.
        prompt: u64,
    },
    /// The parts of the completion (reasoning, audio) are more than the
    /// completion that they are part of. The parts stand as they were given
    /// and the rest is zero.
    CompletionPartsExceedCompletion {
        /// Sum of the parts, in tokens.
        parts: u64,
        /// The completion as given, in tokens.
        completion: u64,
    },
    /// The lifetimes of written cache are more than what was written.
    CacheLifetimesExceedCacheWrite {
        /// Sum of the lifetimes, in tokens.
        lifetimes: u64,
        /// What was written, in tokens.
        cache_write: u64,
    },
    /// The total isn't the sum of its parts. The parts stand.
    TotalMismatch {
        /// The total as given, in tokens.
        total: u64,
        /// The sum of its parts, in tokens.
        sum: u64,
    },
    /// What the cache had and what it hadn't aren't the prompt together. What
    /// it had stands.
    CacheSplitMismatch {
        /// The prompt as given, in tokens.
        prompt: u64,
        /// Hits and misses, in tokens.
        sum: u64,
    },
    /// A field for a count held something that is none: a fraction, a negative
    /// number, one beyond 64 bits, a text. It is left out.
    NotACount,
    /// A part of the body is not in its format. It is left out.
    Malformed,
}

impl Finding {
    /// Whether counts contradict each other.
    #[must_use]
    pub const fn is_contradiction(&self) -> bool {
        !matches!(self, Self::NotACount | Self::Malformed)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PromptPartsExceedPrompt { parts, prompt } => write!(
                f,
                "cached, cache-written and audio tokens of the prompt are {parts}, more than the \
                 prompt's {prompt}: they stand, and input is 0"
            ),
            Self::CompletionPartsExceedCompletion { parts, completion } => write!(
                f,
                "reasoning and audio tokens of the completion are {parts}, more than the \
                 completion's {completion}: they stand, and output is 0"
            ),
            Self::CacheLifetimesExceedCacheWrite {
                lifetimes,
                cache_write,
            } => write!(
                f,
                "cache written by lifetime is {lifetimes} tokens, more than the {cache_write} \
                 written in all: the latter stands"
            ),
            Self::TotalMismatch { total, sum } => write!(
                f,
                "the total is given as {total} tokens, its parts are {sum}: the parts stand"
            ),
            Self::CacheSplitMismatch { prompt, sum } => write!(
                f,
                "hits and misses of the cache are {sum} tokens together, the prompt is {prompt}: \
                 the hits stand"
            ),
            Self::NotACount => f.write_str(
                "a field for a count holds something that is no whole number: it is left out",
            ),
            Self::Malformed => {
                f.write_str("a part of the body is not in its format: it is left out")
            }
        }
    }
}
