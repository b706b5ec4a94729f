//! Tokens of one call: as protocols tell them apart, and by quipu's kinds.

use serde::Serialize;

/// What a call is said to have used, with no token in two fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    pub(super) input: u64,
    pub(super) cache_read: u64,
    /// Written to the cache for five minutes, or however long is usual.
    pub(super) cache_write: u64,
    /// Written to the cache for an hour.
    pub(super) cache_write_1h: u64,
    pub(super) output: u64,
    pub(super) reasoning: u64,
    /// Heard.
    pub(super) audio: u64,
    /// Spoken.
    pub(super) audio_output: u64,
}

impl Amounts {
    /// All that was written to the cache.
    pub(super) fn written(&self) -> u64 {
        self.cache_write.saturating_add(self.cache_write_1h)
    }

    /// The prompt as OpenAI counts it: everything that went in.
    pub(super) fn prompt(&self) -> u64 {
        sum([self.input, self.cache_read, self.written(), self.audio])
    }

    /// The completion as OpenAI counts it: everything that came out.
    pub(super) fn completion(&self) -> u64 {
        sum([self.output, self.reasoning, self.audio_output])
    }

    /// By quipu's kinds.
    pub(super) fn kinds(&self) -> Kinds {
        Kinds {
            input: self.input,
            cache_read: self.cache_read,
            cache_write: self.written(),
            output: self.output,
            reasoning: self.reasoning,
            audio: self.audio.saturating_add(self.audio_output),
        }
    }
}

pub(super) fn sum<const N: usize>(parts: [u64; N]) -> u64 {
    parts.into_iter().fold(0, u64::saturating_add)
}

/// Tokens by quipu's kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Kinds {
    pub(super) input: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write: u64,
    pub(super) output: u64,
    pub(super) reasoning: u64,
    pub(super) audio: u64,
}

impl Kinds {
    /// Adds another call's; saturates.
    pub(super) fn add(&mut self, other: &Self) {
        let add = |to: &mut u64, more: u64| *to = to.saturating_add(more);
        add(&mut self.input, other.input);
        add(&mut self.cache_read, other.cache_read);
        add(&mut self.cache_write, other.cache_write);
        add(&mut self.output, other.output);
        add(&mut self.reasoning, other.reasoning);
        add(&mut self.audio, other.audio);
    }
}
