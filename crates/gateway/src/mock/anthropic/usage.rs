//! How Anthropic states usage.

use serde::Serialize;

use crate::mock::amounts::{Amounts, Kinds, sum};
use crate::mock::call::Call;

#[derive(Debug, Serialize)]
pub(super) struct Usage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: CacheCreation,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetails>,
    service_tier: &'static str,
}

#[derive(Debug, Serialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Debug, Serialize)]
struct OutputDetails {
    thinking_tokens: u64,
}

impl Usage {
    /// All of it.
    pub(super) fn of(call: &Call) -> Self {
        Self::new(call, &call.amounts)
    }

    /// What a stream begins with: a placeholder for the output.
    pub(super) fn at_start(call: &Call) -> Self {
        Self::new(call, &first_amounts(&call.amounts))
    }

    fn new(call: &Call, amounts: &Amounts) -> Self {
        let thinking = amounts.reasoning;
        Self {
            input_tokens: amounts.input,
            cache_creation_input_tokens: amounts.written(),
            cache_read_input_tokens: amounts.cache_read,
            cache_creation: CacheCreation {
                // There is no total that could be wrong, but this sum.
                ephemeral_5m_input_tokens: sum([amounts.cache_write, call.usage.error()]),
                ephemeral_1h_input_tokens: amounts.cache_write_1h,
            },
            output_tokens: amounts.completion(),
            output_tokens_details: (thinking > 0).then_some(OutputDetails {
                thinking_tokens: thinking,
            }),
            service_tier: "standard",
        }
    }
}

/// What the first usage of a stream states.
pub(super) fn first_kinds(amounts: &Amounts) -> Kinds {
    first_amounts(amounts).kinds()
}

fn first_amounts(amounts: &Amounts) -> Amounts {
    Amounts {
        output: amounts.completion().min(1),
        reasoning: 0,
        ..*amounts
    }
}
