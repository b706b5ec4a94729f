//! Gemini's formats.

use super::Row;
use crate::usage::counts::{Kind, Shape};
use crate::usage::fields::action::Action::{
    Count, Is, Item, ItemCount, ItemName, Model, Restart, Says, ServiceTier, TakeItem,
};
use crate::usage::fields::action::Mark;

/// Gemini: `generateContent`, and the newer interactions.
pub(super) const GEMINI: &[Row] = &[
    ("usageMetadata", Is(Mark::OfGemini)),
    (
        "usageMetadata.promptTokenCount",
        Count(Shape::Gemini, Kind::Input),
    ),
    (
        "usageMetadata.candidatesTokenCount",
        Count(Shape::Gemini, Kind::Output),
    ),
    // The name in Gemini's live interface.
    (
        "usageMetadata.responseTokenCount",
        Count(Shape::Gemini, Kind::Output),
    ),
    (
        "usageMetadata.cachedContentTokenCount",
        Count(Shape::Gemini, Kind::CacheRead),
    ),
    (
        "usageMetadata.thoughtsTokenCount",
        Count(Shape::Gemini, Kind::Reasoning),
    ),
    (
        "usageMetadata.toolUsePromptTokenCount",
        Count(Shape::Gemini, Kind::ToolPrompt),
    ),
    (
        "usageMetadata.totalTokenCount",
        Count(Shape::Gemini, Kind::Total),
    ),
    ("usageMetadata.serviceTier", ServiceTier),
    (
        "usageMetadata.promptTokensDetails",
        Restart(Shape::Gemini, &[Kind::AudioInput, Kind::ImageInput]),
    ),
    ("usageMetadata.promptTokensDetails.[]", Item),
    ("usageMetadata.promptTokensDetails.[].modality", ItemName),
    ("usageMetadata.promptTokensDetails.[].tokenCount", ItemCount),
    (
        "usageMetadata.promptTokensDetails.[]",
        TakeItem("AUDIO", Shape::Gemini, Kind::AudioInput),
    ),
    (
        "usageMetadata.promptTokensDetails.[]",
        TakeItem("IMAGE", Shape::Gemini, Kind::ImageInput),
    ),
    (
        "usageMetadata.cacheTokensDetails",
        Restart(Shape::Gemini, &[Kind::AudioCached, Kind::ImageCached]),
    ),
    ("usageMetadata.cacheTokensDetails.[]", Item),
    ("usageMetadata.cacheTokensDetails.[].modality", ItemName),
    ("usageMetadata.cacheTokensDetails.[].tokenCount", ItemCount),
    (
        "usageMetadata.cacheTokensDetails.[]",
        TakeItem("AUDIO", Shape::Gemini, Kind::AudioCached),
    ),
    (
        "usageMetadata.cacheTokensDetails.[]",
        TakeItem("IMAGE", Shape::Gemini, Kind::ImageCached),
    ),
    (
        "usageMetadata.candidatesTokensDetails",
        Restart(Shape::Gemini, &[Kind::AudioOutput, Kind::ImageOutput]),
    ),
    ("usageMetadata.candidatesTokensDetails.[]", Item),
    (
        "usageMetadata.candidatesTokensDetails.[].modality",
        ItemName,
    ),
    (
        "usageMetadata.candidatesTokensDetails.[].tokenCount",
        ItemCount,
    ),
    (
        "usageMetadata.candidatesTokensDetails.[]",
        TakeItem("AUDIO", Shape::Gemini, Kind::AudioOutput),
    ),
    (
        "usageMetadata.candidatesTokensDetails.[]",
        TakeItem("IMAGE", Shape::Gemini, Kind::ImageOutput),
    ),
    ("modelVersion", Model),
    ("modelVersion", Is(Mark::OfGemini)),
    ("candidates.[].finishReason", Is(Mark::Finished)),
    ("promptFeedback.blockReason", Is(Mark::Finished)),
    // Interactions: plain, in a step's metadata, and at the end of a stream.
    (
        "usage.total_input_tokens",
        Count(Shape::Gemini, Kind::Input),
    ),
    (
        "usage.total_output_tokens",
        Count(Shape::Gemini, Kind::Output),
    ),
    (
        "usage.total_cached_tokens",
        Count(Shape::Gemini, Kind::CacheRead),
    ),
    (
        "usage.total_thought_tokens",
        Count(Shape::Gemini, Kind::Reasoning),
    ),
    (
        "usage.total_tool_use_tokens",
        Count(Shape::Gemini, Kind::ToolPrompt),
    ),
    ("usage.total_tokens", Count(Shape::Gemini, Kind::Total)),
    (
        "metadata.usage.total_input_tokens",
        Count(Shape::Gemini, Kind::Input),
    ),
    (
        "metadata.usage.total_output_tokens",
        Count(Shape::Gemini, Kind::Output),
    ),
    (
        "metadata.usage.total_cached_tokens",
        Count(Shape::Gemini, Kind::CacheRead),
    ),
    (
        "metadata.usage.total_thought_tokens",
        Count(Shape::Gemini, Kind::Reasoning),
    ),
    (
        "metadata.usage.total_tool_use_tokens",
        Count(Shape::Gemini, Kind::ToolPrompt),
    ),
    (
        "metadata.usage.total_tokens",
        Count(Shape::Gemini, Kind::Total),
    ),
    (
        "interaction.usage.total_input_tokens",
        Count(Shape::Gemini, Kind::Input),
    ),
    (
        "interaction.usage.total_output_tokens",
        Count(Shape::Gemini, Kind::Output),
    ),
    (
        "interaction.usage.total_cached_tokens",
        Count(Shape::Gemini, Kind::CacheRead),
    ),
    (
        "interaction.usage.total_thought_tokens",
        Count(Shape::Gemini, Kind::Reasoning),
    ),
    (
        "interaction.usage.total_tool_use_tokens",
        Count(Shape::Gemini, Kind::ToolPrompt),
    ),
    (
        "interaction.usage.total_tokens",
        Count(Shape::Gemini, Kind::Total),
    ),
    ("interaction.model", Model),
    ("interaction.service_tier", ServiceTier),
    ("interaction.object", Says("interaction", Mark::OfGemini)),
    ("object", Says("interaction", Mark::OfGemini)),
    ("event_type", Says("interaction.completed", Mark::Ended)),
    ("event_type", Says("interaction.failed", Mark::Ended)),
];
