//! Whose body it is.

use super::Row;
use crate::usage::fields::action::Action::{Is, Says, Starts, There};
use crate::usage::fields::action::Mark;

/// Whose body it is, where several speak one format. Only fields that others
/// don't have.
pub(super) const WHOSE: &[Row] = &[
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
