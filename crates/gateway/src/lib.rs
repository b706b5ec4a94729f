//! What a gateway needs between a provider's response and a committed count in
//! [quipu]: the usage that the response holds, and what it costs.
//!
//! - [`usage`] reads tokens out of bodies and event streams of OpenAI,
//!   Anthropic, Gemini, Bedrock, Azure OpenAI, Mistral, Cohere, DeepSeek, Groq,
//!   xAI, OpenRouter, Ollama, vLLM, and of whoever copies their formats;
//! - [`prices`] turns tokens into integer nano-dollars, by LiteLLM's list or one
//!   of your own;
//! - [`layer`] does both for every call that passes through a tower service.
//!
//! ```
//! use quipu::{Recorder, UsageRecord};
//! use quipu_gateway::prices::{PriceBook, PriceTable};
//! use quipu_gateway::usage::Extractor;
//!
//! # let list = "[[model]]\nprovider = \"openai\"\nname = \"gpt-4o\"\ninput = \"2.50\"\noutput = \"10\"";
//! let recorder = Recorder::in_memory();
//! let book = PriceBook::new(PriceTable::builder().own(list)?.build());
//!
//! // One for each response; the bytes go on to the client unchanged.
//! let mut extractor = Extractor::new().request(Some("api.openai.com"), "/v1/chat/completions");
//! # let chunks = [&br#"{"model":"gpt-4o","usage":{"prompt_tok"#[..], br#"ens":8,"completion_tokens":2}}"#];
//! for chunk in chunks {
//!     extractor.push(chunk);
//! }
//! let usage = extractor.finish();
//!
//! let provider = usage.provider.map_or("unknown", |provider| provider.name());
//! let model = recorder.model(provider, usage.model.as_deref().unwrap_or("unknown"))?;
//! let mut record = usage.put_into(UsageRecord::new(model));
//! if let Ok(nanos) = book.load().table.cost_of(&usage) {
//!     record = record.cost_nanos(nanos); // else it is counted as unpriced
//! }
//! recorder.record(record)?;
//! # recorder.flush(std::time::Duration::from_secs(5))?;
//! # assert_eq!(recorder.snapshot().total().cost_nanos, 40_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

/// The pages' examples must compile.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../docs/prices.md")]
    struct Prices;
    #[doc = include_str!("../../../docs/gateway.md")]
    struct Gateway;
}

mod json;
pub mod layer;
pub mod prices;
pub mod usage;
