//! Tokens by disjoint kinds.

use quipu::{TokenKind, UsageRecord};

/// Tokens of one call, in kinds of which none is contained in another: their
/// sum is what the call used. `None` means that the provider did not say,
/// which is not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Prompt tokens that were neither read from nor written to a cache, and
    /// aren't audio.
    pub input: Option<u64>,
    /// Prompt tokens read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Prompt tokens written to the provider's cache, whatever their lifetime.
    pub cache_write: Option<u64>,
    /// Completion tokens without reasoning and audio.
    pub output: Option<u64>,
    /// Reasoning ("thinking") tokens.
    pub reasoning: Option<u64>,
    /// Audio tokens, in both directions.
    pub audio: Option<u64>,
    /// What is known of the parts of these kinds that have prices of their own.
    pub parts: Parts,
}

/// Parts of kinds. Each is contained in its kind and at most as large; `None`
/// means that the provider did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Of the cache-written tokens, those that live an hour.
    pub cache_write_1h: Option<u64>,
    /// Of the cache-read tokens, those of audio.
    pub cache_read_audio: Option<u64>,
    /// Of the cache-read tokens, those of images.
    pub cache_read_image: Option<u64>,
    /// Of the input tokens, those of images.
    pub image_input: Option<u64>,
    /// Of the output tokens, those of images.
    pub image_output: Option<u64>,
    /// Of the audio tokens, those that the model spoke.
    pub audio_output: Option<u64>,
}

impl Parts {
    /// Whether one of them isn't zero.
    #[must_use]
    pub fn has_any(&self) -> bool {
        [
            self.cache_write_1h,
            self.cache_read_audio,
            self.cache_read_image,
            self.image_input,
            self.image_output,
            self.audio_output,
        ]
        .into_iter()
        .any(|part| part.unwrap_or(0) > 0)
    }
}

impl Tokens {
    /// The tokens of one kind.
    #[must_use]
    pub const fn get(&self, kind: TokenKind) -> Option<u64> {
        match kind {
            TokenKind::Input => self.input,
            TokenKind::CacheRead => self.cache_read,
            TokenKind::CacheWrite => self.cache_write,
            TokenKind::Output => self.output,
            TokenKind::Reasoning => self.reasoning,
            TokenKind::Audio => self.audio,
        }
    }

    /// Whether the provider said nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        TokenKind::ALL.iter().all(|kind| self.get(*kind).is_none())
    }

    /// The sum over all kinds; saturates.
    #[must_use]
    pub fn total(&self) -> u64 {
        let kinds = TokenKind::ALL.iter().filter_map(|kind| self.get(*kind));
        kinds.fold(0, u64::saturating_add)
    }

    /// Tokens of the prompt, of all kinds: what tiers by context size go by.
    #[must_use]
    pub fn prompt(&self) -> u64 {
        let spoken = self.parts.audio_output.unwrap_or(0);
        let heard = self.audio.unwrap_or(0).saturating_sub(spoken);
        [self.input, self.cache_read, self.cache_write, Some(heard)]
            .into_iter()
            .flatten()
            .fold(0, u64::saturating_add)
    }

    /// Puts what the provider said into a record.
    ///
    /// ```
    /// use quipu::{Recorder, TokenKind, UsageRecord};
    /// use quipu_gateway::usage::Tokens;
    ///
    /// let model = Recorder::in_memory().model("openai", "gpt-4o")?;
    /// let tokens = Tokens { input: Some(12), ..Tokens::default() };
    /// let record = tokens.put_into(UsageRecord::new(model));
    /// assert_eq!(record.reported(TokenKind::Input), Some(12));
    /// assert_eq!(record.reported(TokenKind::Output), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn put_into(&self, record: UsageRecord) -> UsageRecord {
        TokenKind::ALL
            .into_iter()
            .fold(record, |record, kind| match self.get(kind) {
                Some(tokens) => record.tokens(kind, tokens),
                None => record,
            })
    }
}
