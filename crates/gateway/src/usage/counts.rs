//! Counts as providers give them, before they are made disjoint.

/// A family of fields that belong together and follow one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Shape {
    /// `usage.prompt_tokens`: OpenAI's chat completions and whoever copies
    /// them.
    Chat,
    /// `usage.input_tokens`: OpenAI's responses and Anthropic's messages,
    /// which mean different things by it.
    InputOutput,
    /// The passes of an Anthropic call, added up.
    Passes,
    /// `usageMetadata.promptTokenCount`.
    Gemini,
    /// `usage.inputTokens`: Bedrock Converse and Nova.
    Converse,
    /// `usage.tokens`: what Cohere's model read and wrote.
    Cohere,
    /// `usage.billed_units`: what Cohere bills.
    CohereBilled,
    /// `prompt_eval_count`.
    Ollama,
    /// `prompt_token_count`: Llama on Bedrock.
    Llama,
    /// `inputTextTokenCount`: Titan on Bedrock.
    Titan,
    /// Bedrock's own counts of an invoked model, in the last chunk or in the
    /// headers of the response.
    Invocation,
}

/// What a count counts, as the provider cuts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Input,
    CacheRead,
    CacheWrite,
    /// The part of the written cache that lives an hour.
    CacheWrite1h,
    /// The part of it that lives five minutes.
    CacheWrite5m,
    /// Prompt tokens that no cache had.
    CacheMiss,
    Output,
    Reasoning,
    AudioInput,
    AudioCached,
    AudioOutput,
    ImageInput,
    ImageCached,
    ImageOutput,
    /// Results of tools that Gemini put into the prompt.
    ToolPrompt,
    Total,
}

/// Number of [`Kind`]s.
const KINDS: usize = 16;

/// The counts of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    values: [u64; KINDS],
    /// Bit by kind: which are there.
    present: u16,
    /// Bit by kind: of which an earlier count no longer holds.
    void: u16,
}

impl Counts {
    /// Nothing was counted.
    pub(crate) const NONE: Self = Self {
        values: [0; KINDS],
        present: 0,
        void: 0,
    };

    pub(crate) fn get(&self, kind: Kind) -> Option<u64> {
        let is_present = self.present & (1 << kind as u16) != 0;
        is_present.then_some(self.values[kind as usize])
    }

    pub(crate) const fn set(&mut self, kind: Kind, value: u64) {
        self.values[kind as usize] = value;
        self.present |= 1 << kind as u16;
    }

    pub(crate) fn add(&mut self, kind: Kind, value: u64) {
        let sum = self.get(kind).unwrap_or(0).saturating_add(value);
        self.set(kind, sum);
    }

    /// Says that whatever was counted before doesn't hold.
    pub(crate) const fn void(&mut self, kind: Kind) {
        self.present &= !(1 << kind as u16);
        self.void |= 1 << kind as u16;
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.present == 0
    }

    /// Takes what `newer` says in place of what was said before.
    pub(crate) fn replace(&mut self, newer: &Self) {
        let mut kinds = newer.present;
        while kinds != 0 {
            let kind = kinds.trailing_zeros() as usize;
            self.values[kind] = newer.values[kind];
            kinds &= kinds - 1;
        }
        self.present = self.present & !newer.void | newer.present;
    }
}
