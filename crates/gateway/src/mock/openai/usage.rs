//! How OpenAI states usage.

use serde::Serialize;

use crate::mock::amounts::sum;
use crate::mock::call::Call;

/// Of chat completions, completions and embeddings.
#[derive(Debug, Serialize)]
pub(super) struct ChatUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Debug, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
    audio_tokens: u64,
}

#[derive(Debug, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

impl ChatUsage {
    pub(super) fn of(call: &Call) -> Self {
        let amounts = &call.amounts;
        let (prompt, completion) = (amounts.prompt(), amounts.completion());
        Self {
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: sum([prompt, completion, call.usage.error()]),
            prompt_tokens_details: PromptDetails {
                cached_tokens: amounts.cache_read,
                cache_write_tokens: amounts.cache_write,
                audio_tokens: amounts.audio,
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: amounts.reasoning,
                audio_tokens: amounts.audio_output,
                accepted_prediction_tokens: 0,
                rejected_prediction_tokens: 0,
            },
        }
    }
}

/// Of responses.
#[derive(Debug, Serialize)]
pub(super) struct ResponseUsage {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Debug, Serialize)]
struct InputDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Debug, Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

impl ResponseUsage {
    pub(super) fn of(call: &Call) -> Self {
        let amounts = &call.amounts;
        let (input, output) = (amounts.prompt(), amounts.completion());
        Self {
            input_tokens: input,
            input_tokens_details: InputDetails {
                cached_tokens: amounts.cache_read,
                cache_write_tokens: amounts.cache_write,
            },
            output_tokens: output,
            output_tokens_details: OutputDetails {
                reasoning_tokens: amounts.reasoning,
            },
            total_tokens: sum([input, output, call.usage.error()]),
        }
    }
}
