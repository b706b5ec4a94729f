//! What of a request's body matters here, in whichever protocol.

use serde::Deserialize;

use super::prompt::Text;

/// A request's body; what the mock doesn't need is skipped.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Body {
    pub(super) model: Option<String>,
    pub(super) stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
    messages: Text,
    system: Text,
    instructions: Text,
    input: Text,
    prompt: Text,
    pub(super) encoding_format: Option<String>,
    pub(super) dimensions: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StreamOptions {
    include_usage: Option<bool>,
}

impl Body {
    /// All text that goes to the model.
    pub(super) fn text(&self) -> Text {
        let parts = [self.system, self.instructions, self.input, self.prompt];
        parts.into_iter().fold(self.messages, Text::and)
    }

    /// How many texts are to be embedded.
    pub(super) fn inputs(&self) -> u64 {
        self.input.texts()
    }

    /// The length of the answer, where the request says it.
    pub(super) fn max_tokens(&self) -> Option<u64> {
        let limits = [
            self.max_completion_tokens,
            self.max_output_tokens,
            self.max_tokens,
        ];
        limits.into_iter().flatten().next()
    }

    /// Whether a stream in OpenAI's format is to end with its usage.
    pub(super) fn wants_usage(&self) -> bool {
        let options = self.stream_options.as_ref();
        options.and_then(|options| options.include_usage) == Some(true)
    }
}
