//! The interfaces that can be called, and what is the same about them.

use super::amounts::Amounts;
use super::call::Call;
use super::wire::{Layout, Stated};
use super::{anthropic, openai};

/// Who defined an interface: it decides how errors look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    OpenAi,
    Anthropic,
}

impl Protocol {
    /// An error as a body.
    pub(super) fn error(self, status: u16, message: &str, request_id: &str) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::OpenAi => openai::error::body(status, message, &mut out),
            Self::Anthropic => anthropic::error::body(status, message, request_id, &mut out),
        }
        out
    }

    /// The header that tells a request's id.
    pub(super) const fn id_header(self) -> &'static str {
        match self {
            Self::OpenAi => "x-request-id",
            Self::Anthropic => "request-id",
        }
    }
}

/// What a request calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interface {
    Chat,
    Completions,
    Responses,
    Embeddings,
    Messages,
    CountTokens,
}

impl Interface {
    pub(super) const ALL: [Self; 6] = [
        Self::Chat,
        Self::Completions,
        Self::Responses,
        Self::Embeddings,
        Self::Messages,
        Self::CountTokens,
    ];

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Responses => "/v1/responses",
            Self::Embeddings => "/v1/embeddings",
            Self::Messages => "/v1/messages",
            Self::CountTokens => "/v1/messages/count_tokens",
        }
    }

    pub(super) const fn protocol(self) -> Protocol {
        match self {
            Self::Chat | Self::Completions | Self::Responses | Self::Embeddings => Protocol::OpenAi,
            Self::Messages | Self::CountTokens => Protocol::Anthropic,
        }
    }

    /// Whether the answer can be a stream.
    pub(super) const fn can_stream(self) -> bool {
        !matches!(self, Self::Embeddings | Self::CountTokens)
    }

    /// Whether the model answers, and not only reads.
    pub(super) const fn has_output(self) -> bool {
        self.can_stream()
    }

    /// The first amount that this interface has no field for.
    pub(super) fn cannot_say(self, amounts: &Amounts) -> Option<&'static str> {
        let is_openai = self.protocol() == Protocol::OpenAi;
        let has_audio = matches!(self, Self::Chat | Self::Completions);
        let fields = [
            (amounts.cache_read, "cache-read", self.has_output()),
            (amounts.cache_write, "cache-write", self.has_output()),
            (
                amounts.cache_write_1h,
                "cache-write-1h",
                self.has_output() && !is_openai,
            ),
            (amounts.output, "output", self.has_output()),
            (amounts.reasoning, "reasoning", self.has_output()),
            (amounts.audio, "audio", has_audio),
            (amounts.audio_output, "audio-output", has_audio),
        ];
        let unsaid = fields
            .into_iter()
            .find(|(tokens, _, has_field)| *tokens > 0 && !has_field);
        unsaid.map(|(_, name, _)| name)
    }

    /// The answer as one body.
    pub(super) fn plain(self, call: &Call, out: &mut Vec<u8>) -> Stated {
        match self {
            Self::Chat => openai::chat::plain(call, out),
            Self::Completions => openai::completions::plain(call, out),
            Self::Responses => openai::responses::plain(call, out),
            Self::Embeddings => openai::embeddings::plain(call, out),
            Self::Messages => anthropic::messages::plain(call, out),
            Self::CountTokens => anthropic::count_tokens::plain(call, out),
        }
    }

    /// The events of the answer as a stream.
    pub(super) fn layout(self, call: &Call) -> Layout {
        match self {
            Self::Chat => openai::chat::layout(call),
            Self::Completions => openai::completions::layout(call),
            Self::Responses => openai::responses::layout(call),
            Self::Messages => anthropic::messages::layout(call),
            Self::Embeddings | Self::CountTokens => Layout {
                head: 0,
                pieces: 0,
                tail: 0,
            },
        }
    }

    /// One event of the stream.
    pub(super) fn write(self, call: &Call, index: u64, out: &mut Vec<u8>) -> Stated {
        let place = self.layout(call).place(index);
        match self {
            Self::Chat => openai::chat::write(call, place, out),
            Self::Completions => openai::completions::write(call, place, out),
            Self::Responses => openai::responses::write(call, place, index, out),
            Self::Messages => anthropic::messages::write(call, place, out),
            Self::Embeddings | Self::CountTokens => None,
        }
    }

    /// An event of the stream that says what went wrong.
    pub(super) fn write_error(self, index: u64, out: &mut Vec<u8>) {
        let message = "The mock was told to fail here.";
        match self {
            Self::Chat | Self::Completions => openai::error::chunk(message, out),
            Self::Responses => openai::error::response_event(message, index, out),
            Self::Messages => anthropic::error::event(message, out),
            Self::Embeddings | Self::CountTokens => {}
        }
    }
}
