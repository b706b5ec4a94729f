//! The table: path of a field, and what it means. docs/providers.md says the
//! same in words.
//!
//! All formats are read at once: their paths differ, and where two share one
//! (`usage.input_tokens`), other fields tell them apart. `[]` stands for the
//! elements of an array.

use super::action::{Action, Mark};
use crate::usage::counts::{Kind, Shape};

use Action::{
    Add, Count, Is, Item, ItemCount, ItemName, Model, Payload, Restart, Says, ServiceTier, Starts,
    TakeItem, There, True,
};

type Row = (&'static str, Action);

/// All rows.
pub(super) fn rows() -> Vec<Row> {
    let parts: [&[Row]; 9] = [
        CHAT, USAGE, ANTHROPIC, RESPONSES, GEMINI, BEDROCK, COHERE, OLLAMA, WHOSE,
    ];
    parts.concat()
}

/// OpenAI's chat completions, completions and embeddings. Groq puts the same
/// object into `x_groq`.
const CHAT: &[Row] = &[
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
        "usage.prompt_tokens_details.cached_tokens_details.audio_tokens",
        Count(Shape::Chat, Kind::AudioCached),
    ),
    (
        "usage.completion_tokens_details.reasoning_tokens",
        Count(Shape::Chat, Kind::Reasoning),
    ),
    (
        "usage.completion_tokens_details.audio_tokens",
        Count(Shape::Chat, Kind::AudioOutput),
    ),
    // Together; Mistral.
    ("usage.cached_tokens", Count(Shape::Chat, Kind::CacheRead)),
    (
        "usage.num_cached_tokens",
        Count(Shape::Chat, Kind::CacheRead),
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
const USAGE: &[Row] = &[
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
];

const PASSES: &[Kind] = &[
    Kind::Input,
    Kind::Output,
    Kind::CacheRead,
    Kind::CacheWrite,
    Kind::CacheWrite1h,
    Kind::CacheWrite5m,
];

/// Anthropic's messages: `message.usage` at the start of a stream, `usage` in
/// its `message_delta` and in plain bodies.
const ANTHROPIC: &[Row] = &[
    (
        "usage.cache_read_input_tokens",
        Count(Shape::InputOutput, Kind::CacheRead),
    ),
    ("usage.cache_read_input_tokens", Is(Mark::Anthropic)),
    (
        "usage.cache_creation_input_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite),
    ),
    ("usage.cache_creation_input_tokens", Is(Mark::Anthropic)),
    (
        "usage.cache_creation.ephemeral_5m_input_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite5m),
    ),
    (
        "usage.cache_creation.ephemeral_1h_input_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite1h),
    ),
    (
        "usage.output_tokens_details.thinking_tokens",
        Count(Shape::InputOutput, Kind::Reasoning),
    ),
    ("usage.iterations", Restart(Shape::Passes, PASSES)),
    (
        "usage.iterations.[].input_tokens",
        Add(Shape::Passes, Kind::Input),
    ),
    (
        "usage.iterations.[].output_tokens",
        Add(Shape::Passes, Kind::Output),
    ),
    (
        "usage.iterations.[].cache_read_input_tokens",
        Add(Shape::Passes, Kind::CacheRead),
    ),
    (
        "usage.iterations.[].cache_creation_input_tokens",
        Add(Shape::Passes, Kind::CacheWrite),
    ),
    (
        "usage.iterations.[].cache_creation.ephemeral_1h_input_tokens",
        Add(Shape::Passes, Kind::CacheWrite1h),
    ),
    (
        "usage.iterations.[].cache_creation.ephemeral_5m_input_tokens",
        Add(Shape::Passes, Kind::CacheWrite5m),
    ),
    (
        "message.usage.input_tokens",
        Count(Shape::InputOutput, Kind::Input),
    ),
    (
        "message.usage.output_tokens",
        Count(Shape::InputOutput, Kind::Output),
    ),
    (
        "message.usage.cache_read_input_tokens",
        Count(Shape::InputOutput, Kind::CacheRead),
    ),
    (
        "message.usage.cache_creation_input_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite),
    ),
    (
        "message.usage.cache_creation.ephemeral_5m_input_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite5m),
    ),
    (
        "message.usage.cache_creation.ephemeral_1h_input_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite1h),
    ),
    (
        "message.usage.output_tokens_details.thinking_tokens",
        Count(Shape::InputOutput, Kind::Reasoning),
    ),
    ("message.usage.service_tier", ServiceTier),
    ("message.model", Model),
    ("message.id", Starts("msg_bdrk_", Mark::OfBedrock)),
    ("message.id", Starts("msg_vrtx_", Mark::OfVertex)),
    ("id", Starts("msg_bdrk_", Mark::OfBedrock)),
    ("id", Starts("msg_vrtx_", Mark::OfVertex)),
    ("type", Says("message", Mark::Anthropic)),
    ("type", Says("completion", Mark::Anthropic)),
    ("type", Says("message_start", Mark::Anthropic)),
    ("type", Says("message_delta", Mark::Anthropic)),
    ("type", Says("message_stop", Mark::Ended)),
    ("delta.stop_reason", Is(Mark::Finished)),
];

/// OpenAI's responses, and the events of its audio and image streams.
const RESPONSES: &[Row] = &[
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

/// Gemini: `generateContent`, and the newer interactions.
const GEMINI: &[Row] = &[
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
        Restart(Shape::Gemini, &[Kind::AudioInput]),
    ),
    ("usageMetadata.promptTokensDetails.[]", Item),
    ("usageMetadata.promptTokensDetails.[].modality", ItemName),
    ("usageMetadata.promptTokensDetails.[].tokenCount", ItemCount),
    (
        "usageMetadata.promptTokensDetails.[]",
        TakeItem("AUDIO", Shape::Gemini, Kind::AudioInput),
    ),
    (
        "usageMetadata.cacheTokensDetails",
        Restart(Shape::Gemini, &[Kind::AudioCached]),
    ),
    ("usageMetadata.cacheTokensDetails.[]", Item),
    ("usageMetadata.cacheTokensDetails.[].modality", ItemName),
    ("usageMetadata.cacheTokensDetails.[].tokenCount", ItemCount),
    (
        "usageMetadata.cacheTokensDetails.[]",
        TakeItem("AUDIO", Shape::Gemini, Kind::AudioCached),
    ),
    (
        "usageMetadata.candidatesTokensDetails",
        Restart(Shape::Gemini, &[Kind::AudioOutput]),
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

/// Bedrock: Converse and Nova (`metadata.usage` in an invoke stream), then
/// Llama, Titan, and Bedrock's own counts of an invoked model.
const BEDROCK: &[Row] = &[
    ("bytes", Payload),
    ("usage.inputTokens", Count(Shape::Converse, Kind::Input)),
    ("usage.inputTokens", Is(Mark::OfBedrock)),
    ("usage.outputTokens", Count(Shape::Converse, Kind::Output)),
    ("usage.totalTokens", Count(Shape::Converse, Kind::Total)),
    (
        "usage.cacheReadInputTokens",
        Count(Shape::Converse, Kind::CacheRead),
    ),
    (
        "usage.cacheReadInputTokenCount",
        Count(Shape::Converse, Kind::CacheRead),
    ),
    (
        "usage.cacheWriteInputTokens",
        Count(Shape::Converse, Kind::CacheWrite),
    ),
    (
        "usage.cacheWriteInputTokenCount",
        Count(Shape::Converse, Kind::CacheWrite),
    ),
    (
        "usage.cacheDetails",
        Restart(Shape::Converse, &[Kind::CacheWrite1h, Kind::CacheWrite5m]),
    ),
    ("usage.cacheDetails.[]", Item),
    ("usage.cacheDetails.[].ttl", ItemName),
    ("usage.cacheDetails.[].inputTokens", ItemCount),
    (
        "usage.cacheDetails.[]",
        TakeItem("1h", Shape::Converse, Kind::CacheWrite1h),
    ),
    (
        "usage.cacheDetails.[]",
        TakeItem("5m", Shape::Converse, Kind::CacheWrite5m),
    ),
    ("serviceTier.type", ServiceTier),
    (
        "metadata.usage.inputTokens",
        Count(Shape::Converse, Kind::Input),
    ),
    ("metadata.usage.inputTokens", Is(Mark::OfBedrock)),
    ("metadata.usage.inputTokens", Is(Mark::Ended)),
    (
        "metadata.usage.outputTokens",
        Count(Shape::Converse, Kind::Output),
    ),
    (
        "metadata.usage.totalTokens",
        Count(Shape::Converse, Kind::Total),
    ),
    (
        "metadata.usage.cacheReadInputTokenCount",
        Count(Shape::Converse, Kind::CacheRead),
    ),
    (
        "metadata.usage.cacheWriteInputTokenCount",
        Count(Shape::Converse, Kind::CacheWrite),
    ),
    ("prompt_token_count", Count(Shape::Llama, Kind::Input)),
    ("prompt_token_count", Is(Mark::OfBedrock)),
    ("generation_token_count", Count(Shape::Llama, Kind::Output)),
    ("generation_token_count", Is(Mark::OfBedrock)),
    ("stop_reason", Is(Mark::Finished)),
    ("inputTextTokenCount", Count(Shape::Titan, Kind::Input)),
    ("inputTextTokenCount", Is(Mark::OfBedrock)),
    (
        "totalOutputTextTokenCount",
        Count(Shape::Titan, Kind::Output),
    ),
    ("results", Restart(Shape::Titan, &[Kind::Output])),
    ("results.[].tokenCount", Add(Shape::Titan, Kind::Output)),
    ("completionReason", Is(Mark::Finished)),
    ("amazon-bedrock-invocationMetrics", Is(Mark::OfBedrock)),
    ("amazon-bedrock-invocationMetrics", Is(Mark::Ended)),
    (
        "amazon-bedrock-invocationMetrics.inputTokenCount",
        Count(Shape::Invocation, Kind::Input),
    ),
    (
        "amazon-bedrock-invocationMetrics.outputTokenCount",
        Count(Shape::Invocation, Kind::Output),
    ),
    (
        "amazon-bedrock-invocationMetrics.cacheReadInputTokenCount",
        Count(Shape::Invocation, Kind::CacheRead),
    ),
    (
        "amazon-bedrock-invocationMetrics.cacheWriteInputTokenCount",
        Count(Shape::Invocation, Kind::CacheWrite),
    ),
];

/// Cohere: version 2, its stream, version 1, its stream.
const COHERE: &[Row] = &[
    (
        "usage.tokens.input_tokens",
        Count(Shape::Cohere, Kind::Input),
    ),
    (
        "usage.tokens.output_tokens",
        Count(Shape::Cohere, Kind::Output),
    ),
    // `usage.cached_tokens` is in the table of chat completions.
    ("usage.cached_tokens", Count(Shape::Cohere, Kind::CacheRead)),
    (
        "usage.billed_units.input_tokens",
        Count(Shape::CohereBilled, Kind::Input),
    ),
    (
        "usage.billed_units.output_tokens",
        Count(Shape::CohereBilled, Kind::Output),
    ),
    ("usage.billed_units", Is(Mark::OfCohere)),
    (
        "delta.usage.tokens.input_tokens",
        Count(Shape::Cohere, Kind::Input),
    ),
    (
        "delta.usage.tokens.output_tokens",
        Count(Shape::Cohere, Kind::Output),
    ),
    (
        "delta.usage.cached_tokens",
        Count(Shape::Cohere, Kind::CacheRead),
    ),
    (
        "delta.usage.billed_units.input_tokens",
        Count(Shape::CohereBilled, Kind::Input),
    ),
    (
        "delta.usage.billed_units.output_tokens",
        Count(Shape::CohereBilled, Kind::Output),
    ),
    ("delta.usage.billed_units", Is(Mark::OfCohere)),
    ("type", Says("message-start", Mark::OfCohere)),
    ("type", Says("message-end", Mark::Ended)),
    (
        "meta.tokens.input_tokens",
        Count(Shape::Cohere, Kind::Input),
    ),
    (
        "meta.tokens.output_tokens",
        Count(Shape::Cohere, Kind::Output),
    ),
    ("meta.cached_tokens", Count(Shape::Cohere, Kind::CacheRead)),
    (
        "meta.billed_units.input_tokens",
        Count(Shape::CohereBilled, Kind::Input),
    ),
    (
        "meta.billed_units.output_tokens",
        Count(Shape::CohereBilled, Kind::Output),
    ),
    ("meta.billed_units", Is(Mark::OfCohere)),
    (
        "response.meta.tokens.input_tokens",
        Count(Shape::Cohere, Kind::Input),
    ),
    (
        "response.meta.tokens.output_tokens",
        Count(Shape::Cohere, Kind::Output),
    ),
    (
        "response.meta.cached_tokens",
        Count(Shape::Cohere, Kind::CacheRead),
    ),
    (
        "response.meta.billed_units.input_tokens",
        Count(Shape::CohereBilled, Kind::Input),
    ),
    (
        "response.meta.billed_units.output_tokens",
        Count(Shape::CohereBilled, Kind::Output),
    ),
    ("response.meta.billed_units", Is(Mark::OfCohere)),
    ("event_type", Says("stream-start", Mark::OfCohere)),
    ("event_type", Says("stream-end", Mark::Ended)),
];

const OLLAMA: &[Row] = &[
    ("prompt_eval_count", Count(Shape::Ollama, Kind::Input)),
    ("eval_count", Count(Shape::Ollama, Kind::Output)),
    ("eval_count", Is(Mark::OfOllama)),
    ("prompt_eval_count", Is(Mark::OfOllama)),
    ("eval_duration", Is(Mark::OfOllama)),
    ("done", True(Mark::Ended)),
];

/// Whose body it is, where several speak one format. Only fields that others
/// don't have.
const WHOSE: &[Row] = &[
    ("prompt_filter_results", There(Mark::OfAzure)),
    ("choices.[].content_filter_results", Is(Mark::OfAzure)),
    ("error.innererror", Is(Mark::OfAzure)),
    ("usage.prompt_cache_hit_tokens", Is(Mark::OfDeepSeek)),
    ("x_groq", Is(Mark::OfGroq)),
    ("usage.queue_time", Is(Mark::OfGroq)),
    ("usage.cost_details", Is(Mark::OfOpenRouter)),
    ("usage.is_byok", Is(Mark::OfOpenRouter)),
    ("choices.[].native_finish_reason", Is(Mark::OfOpenRouter)),
    ("id", Starts("gen-", Mark::OfOpenRouter)),
    ("usage.cost_in_usd_ticks", Is(Mark::OfXai)),
    ("usage.num_sources_used", Is(Mark::OfXai)),
    ("usage.search_context_size", Is(Mark::OfPerplexity)),
    ("usage.time_to_first_token_ms", Is(Mark::OfGpuStack)),
    ("choices.[].delta.token_id", Is(Mark::OfTogether)),
    ("choices.[].message.graph_data", Is(Mark::OfWriter)),
    ("choices.[].delta.graph_data", Is(Mark::OfWriter)),
    ("system_fingerprint", Says("fp_ollama", Mark::OfOllama)),
    ("prompt_logprobs", There(Mark::OfVllm)),
    ("kv_transfer_params", There(Mark::OfVllm)),
    ("prompt_token_ids", There(Mark::OfVllm)),
    ("choices.[].token_ids", There(Mark::OfVllm)),
    ("choices.[].stop_reason", There(Mark::OfVllm)),
    ("system_fingerprint", Starts("vllm", Mark::OfVllm)),
];
