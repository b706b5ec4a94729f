//! LiteLLM's real list, against sums made here by another route: floats,
//! straight from its fields.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;

use quipu_gateway::prices::{PriceTable, Unpriced};
use quipu_gateway::usage::{Parts, Provider, Tokens};
use serde_json::Value;
use support::data;

const MILLION: u64 = 1_000_000;

/// The list as text and as a table.
fn list() -> Option<(Value, PriceTable)> {
    let path = data()?.join("prices/litellm_model_prices.json");
    let text = fs::read_to_string(path).unwrap();
    let table = PriceTable::builder().litellm(&text).unwrap().build();
    Some((serde_json::from_str(&text).unwrap(), table))
}

/// The provider and model under which an entry is looked up, for the providers
/// that this test goes through.
fn name<'a>(key: &'a str, litellm: &str) -> Option<(Provider, &'a str)> {
    let (provider, prefix) = match litellm {
        "openai" => (Provider::OpenAi, ""),
        "anthropic" => (Provider::Anthropic, ""),
        "gemini" => (Provider::Gemini, "gemini/"),
        "azure" => (Provider::AzureOpenAi, "azure/"),
        "bedrock_converse" => (Provider::Bedrock, ""),
        "mistral" => (Provider::Mistral, "mistral/"),
        "groq" => (Provider::Groq, "groq/"),
        "xai" => (Provider::Xai, "xai/"),
        "openrouter" => (Provider::OpenRouter, "openrouter/"),
        "together_ai" => (Provider::Together, "together_ai/"),
        "vertex_ai-language-models" if !key.contains('/') => (Provider::Vertex, ""),
        _ => return None,
    };
    Some((provider, key.strip_prefix(prefix)?))
}

/// Nano-dollars for a million tokens at a float's dollars for one.
fn nanos(price: f64) -> f64 {
    price * 1e15
}

fn assert_close(found: Result<u64, Unpriced>, expected: f64, what: &str) {
    let found = found.unwrap_or_else(|why| panic!("{what}: {why}"));
    #[allow(clippy::cast_precision_loss)]
    let difference = (found as f64 - expected).abs();
    assert!(
        difference <= 1.0 + expected * 1e-12,
        "{what}: {found} is not {expected}"
    );
}

#[test]
fn every_entry_costs_what_its_fields_say() {
    let Some((list, table)) = list() else { return };
    assert_eq!(table.skipped(), []);
    assert!(table.len() > 3000);
    let mut compared = 0;
    for (key, entry) in list.as_object().unwrap() {
        let litellm = entry["litellm_provider"].as_str().unwrap_or_default();
        let Some((provider, model)) = name(key, litellm) else {
            continue;
        };
        if entry.get("off_peak_pricing").is_some() || entry.get("tiered_pricing").is_some() {
            continue;
        }
        let cost = |tokens: &Tokens, service| table.cost(provider.name(), model, tokens, service);
        let none = Tokens::default();
        let kinds = [
            (
                "input_cost_per_token",
                Tokens {
                    input: Some(MILLION),
                    ..none
                },
            ),
            (
                "output_cost_per_token",
                Tokens {
                    output: Some(MILLION),
                    ..none
                },
            ),
            (
                "cache_read_input_token_cost",
                Tokens {
                    cache_read: Some(MILLION),
                    ..none
                },
            ),
            (
                "cache_creation_input_token_cost",
                Tokens {
                    cache_write: Some(MILLION),
                    ..none
                },
            ),
            (
                "cache_creation_input_token_cost_above_1hr",
                Tokens {
                    cache_write: Some(MILLION),
                    parts: Parts {
                        cache_write_1h: Some(MILLION),
                        ..Parts::default()
                    },
                    ..none
                },
            ),
            (
                "output_cost_per_reasoning_token",
                Tokens {
                    reasoning: Some(MILLION),
                    ..none
                },
            ),
            (
                "input_cost_per_audio_token",
                Tokens {
                    audio: Some(MILLION),
                    ..none
                },
            ),
            (
                "output_cost_per_audio_token",
                Tokens {
                    audio: Some(MILLION),
                    parts: Parts {
                        audio_output: Some(MILLION),
                        ..Parts::default()
                    },
                    ..none
                },
            ),
        ];
        for (field, tokens) in kinds {
            // A million tokens of a prompt are above every tier; those of a
            // completion are above none.
            let above =
                [512, 272, 256, 200, 128, 100, 32].map(|tier| format!("_above_{tier}k_tokens"));
            let is_prompt = tokens.prompt() > 0;
            for (suffix, service) in [
                ("", None),
                ("_batches", Some("batch")),
                ("_priority", Some("priority")),
                ("_flex", Some("flex")),
            ] {
                let tiered = above
                    .iter()
                    .filter(|_| is_prompt)
                    .map(|above| format!("{field}{above}{suffix}"));
                let names: Vec<String> = tiered.chain([format!("{field}{suffix}")]).collect();
                // Only what is said for this very service.
                let Some(price) = names.iter().find_map(|name| entry[name].as_f64()) else {
                    continue;
                };
                assert_close(
                    cost(&tokens, service),
                    nanos(price),
                    &format!("{key} {}", names.last().unwrap()),
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 5000, "{compared}");
}

#[test]
fn retired_models_are_unpriced_and_dated_ones_are_found() {
    let Some((_, table)) = list() else { return };
    let one = Tokens {
        input: Some(MILLION),
        ..Tokens::default()
    };
    for model in [
        "claude-sonnet-4-20250514",
        "claude-opus-4-1-20250805",
        "claude-3-5-haiku-20241022",
    ] {
        assert_eq!(
            table.cost("anthropic", model, &one, None),
            Err(Unpriced::UnknownModel),
            "{model}"
        );
    }
    for (provider, model) in [
        ("anthropic", "claude-sonnet-4-5-20250929"),
        ("openai", "gpt-5.2-2025-12-11"),
        ("azure_openai", "gpt-4o-2024-08-06"),
        ("vertex", "claude-opus-4-5@20251101"),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ] {
        assert!(
            table.cost(provider, model, &one, None).is_ok(),
            "{provider} {model}"
        );
    }
}

#[test]
fn names_of_real_calls_are_mostly_in_it() {
    let Some((_, table)) = list() else { return };
    let mut calls =
        csv::Reader::from_path(data().unwrap().join("traces/recorded_calls.csv")).unwrap();
    let headers = calls.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (provider, model) = (at("provider"), at("model"));
    let (mut known, mut all) = (0, 0);
    for call in calls.records() {
        let call = call.unwrap();
        if call[model].is_empty() {
            continue;
        }
        all += 1;
        known += i32::from(table.find(&call[provider], &call[model]).is_some());
    }
    println!("{known} of {all} calls have a price");
    assert!(known * 2 > all);
}
