//! OpenAI's formats, and what those that copy them add.

use super::Row;
use crate::usage::counts::{Kind, Shape};
use crate::usage::fields::action::Action::{Count, Is, Model, Says, ServiceTier};
use crate::usage::fields::action::Mark;

/// OpenAI's chat completions, completions and embeddings. Groq puts the same
/// object into `x_groq`.
pub(super) const CHAT: &[Row] = &[
    ("usage.prompt_tokens", Count(Shape::Chat, Kind::Input)),
    ("usage.completion_tokens", Count(Shape::Chat, Kind::Output)),
    ("usage.total_tokens", Count(Shape::Chat, Kind::Total)),
    ("usage.total_tokens", Count(Shape::InputOutput, Kind::Total)),
    (
        "usage.prompt_tokens_details.cached_tokens",
        Count(Shape::Chat, Kind::CacheRead),
    ),
    (
        "usage.prompt_tokens_details.cache_write_tokens",
        Count(Shape::Chat, Kind::CacheWrite),
    ),
    (
        "usage.prompt_tokens_details.audio_tokens",
        Count(Shape::Chat, Kind::AudioInput),
    ),
    (
        "usage.prompt_tokens_details.image_tokens",
        Count(Shape::Chat, Kind::ImageInput),
    ),
    (
        "usage.prompt_tokens_details.cached_tokens_details.audio_tokens",
        Count(Shape::Chat, Kind::AudioCached),
    ),
    (
        "usage.prompt_tokens_details.cached_tokens_details.image_tokens",
        Count(Shape::Chat, Kind::ImageCached),
    ),
    (
        "usage.completion_tokens_details.reasoning_tokens",
        Count(Shape::Chat, Kind::Reasoning),
    ),
    (
        "usage.completion_tokens_details.audio_tokens",
        Count(Shape::Chat, Kind::AudioOutput),
    ),
    (
        "usage.completion_tokens_details.image_tokens",
        Count(Shape::Chat, Kind::ImageOutput),
    ),
    // Together; Mistral.
    ("usage.cached_tokens", Count(Shape::Chat, Kind::CacheRead)),
    (
        "usage.num_cached_tokens",
        Count(Shape::Chat, Kind::CacheRead),
    ),
    // Gateways that turn Anthropic's answers into this format.
    (
        "usage.cache_read_input_tokens",
        Count(Shape::Chat, Kind::CacheRead),
    ),
    (
        "usage.cache_creation_input_tokens",
        Count(Shape::Chat, Kind::CacheWrite),
    ),
    // DeepSeek.
    (
        "usage.prompt_cache_hit_tokens",
        Count(Shape::Chat, Kind::CacheRead),
    ),
    (
        "usage.prompt_cache_miss_tokens",
        Count(Shape::Chat, Kind::CacheMiss),
    ),
    // Perplexity; servers in the manner of older DeepSeek.
    (
        "usage.reasoning_tokens",
        Count(Shape::Chat, Kind::Reasoning),
    ),
    ("usage.prompt_audio_seconds", Is(Mark::AudioSeconds)),
    (
        "x_groq.usage.prompt_tokens",
        Count(Shape::Chat, Kind::Input),
    ),
    (
        "x_groq.usage.completion_tokens",
        Count(Shape::Chat, Kind::Output),
    ),
    ("x_groq.usage.total_tokens", Count(Shape::Chat, Kind::Total)),
    (
        "x_groq.usage.prompt_tokens_details.cached_tokens",
        Count(Shape::Chat, Kind::CacheRead),
    ),
    (
        "x_groq.usage.completion_tokens_details.reasoning_tokens",
        Count(Shape::Chat, Kind::Reasoning),
    ),
    ("choices.[].finish_reason", Is(Mark::Finished)),
    ("model", Model),
    ("service_tier", ServiceTier),
    ("error", Is(Mark::Error)),
    ("type", Says("error", Mark::Error)),
];

/// `usage.input_tokens`, which Anthropic, OpenAI's responses, transcriptions
/// and images have in common.
pub(super) const USAGE: &[Row] = &[
    ("usage.input_tokens", Count(Shape::InputOutput, Kind::Input)),
    (
        "usage.output_tokens",
        Count(Shape::InputOutput, Kind::Output),
    ),
    ("usage.service_tier", ServiceTier),
    // OpenAI: the details' presence says that input includes the cache.
    ("usage.input_tokens_details", Is(Mark::InputIncludesCache)),
    (
        "usage.input_tokens_details.cached_tokens",
        Count(Shape::InputOutput, Kind::CacheRead),
    ),
    (
        "usage.input_tokens_details.cache_write_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite),
    ),
    (
        "usage.input_tokens_details.audio_tokens",
        Count(Shape::InputOutput, Kind::AudioInput),
    ),
    (
        "usage.input_tokens_details.image_tokens",
        Count(Shape::InputOutput, Kind::ImageInput),
    ),
    (
        "usage.input_tokens_details.cached_tokens_details.image_tokens",
        Count(Shape::InputOutput, Kind::ImageCached),
    ),
    (
        "usage.input_tokens_details.cached_tokens_details.audio_tokens",
        Count(Shape::InputOutput, Kind::AudioCached),
    ),
    // Transcriptions spell it in the singular.
    ("usage.input_token_details", Is(Mark::InputIncludesCache)),
    (
        "usage.input_token_details.cached_tokens",
        Count(Shape::InputOutput, Kind::CacheRead),
    ),
    (
        "usage.input_token_details.audio_tokens",
        Count(Shape::InputOutput, Kind::AudioInput),
    ),
    (
        "usage.output_token_details.audio_tokens",
        Count(Shape::InputOutput, Kind::AudioOutput),
    ),
    (
        "usage.output_tokens_details.reasoning_tokens",
        Count(Shape::InputOutput, Kind::Reasoning),
    ),
    (
        "usage.output_tokens_details.audio_tokens",
        Count(Shape::InputOutput, Kind::AudioOutput),
    ),
    (
        "usage.output_tokens_details.image_tokens",
        Count(Shape::InputOutput, Kind::ImageOutput),
    ),
];

/// OpenAI's responses, and the events of its audio and image streams.
pub(super) const RESPONSES: &[Row] = &[
    (
        "response.usage.input_tokens",
        Count(Shape::InputOutput, Kind::Input),
    ),
    (
        "response.usage.input_tokens_details",
        Is(Mark::InputIncludesCache),
    ),
    (
        "response.usage.input_tokens_details.cached_tokens",
        Count(Shape::InputOutput, Kind::CacheRead),
    ),
    (
        "response.usage.input_tokens_details.cache_write_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite),
    ),
    (
        "response.usage.input_tokens_details.audio_tokens",
        Count(Shape::InputOutput, Kind::AudioInput),
    ),
    (
        "response.usage.output_tokens",
        Count(Shape::InputOutput, Kind::Output),
    ),
    (
        "response.usage.output_tokens_details.reasoning_tokens",
        Count(Shape::InputOutput, Kind::Reasoning),
    ),
    (
        "response.usage.output_tokens_details.audio_tokens",
        Count(Shape::InputOutput, Kind::AudioOutput),
    ),
    (
        "response.usage.total_tokens",
        Count(Shape::InputOutput, Kind::Total),
    ),
    ("response.model", Model),
    ("response.service_tier", ServiceTier),
    ("response.error", Is(Mark::Error)),
    ("object", Says("response", Mark::InputIncludesCache)),
    (
        "response.object",
        Says("response", Mark::InputIncludesCache),
    ),
    ("type", Says("response.completed", Mark::Ended)),
    ("type", Says("response.incomplete", Mark::Ended)),
    ("type", Says("response.failed", Mark::Ended)),
    ("type", Says("transcript.text.done", Mark::Ended)),
    (
        "type",
        Says("transcript.text.done", Mark::InputIncludesCache),
    ),
    ("type", Says("transcription.done", Mark::Ended)),
    ("type", Says("speech.audio.done", Mark::Ended)),
    ("type", Says("speech.audio.done", Mark::InputIncludesCache)),
    ("type", Says("image_generation.completed", Mark::Ended)),
    ("type", Says("image_edit.completed", Mark::Ended)),
];
