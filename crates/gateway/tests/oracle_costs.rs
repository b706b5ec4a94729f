//! Costs of a thousand calls, against those that another library worked out by
//! a price list of its own: from the response's usage to exact dollars.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use quipu_gateway::prices::{PriceTable, Rate, Unpriced};
use quipu_gateway::usage::Provider;
use serde_json::Value;
use support::{data, read_whole};

/// Their provider and format of the body, where ours is the same reading.
const COMPARED: [(&str, &str, &str); 9] = [
    ("anthropic", "default", "cache_creation_input_tokens"),
    ("openai", "responses", "input_tokens_details"),
    ("azure", "responses", "input_tokens_details"),
    ("google", "default", "promptTokenCount"),
    ("aws", "default", "inputTokens"),
    ("openai", "chat", "prompt_tokens"),
    ("groq", "default", "prompt_tokens"),
    ("mistral", "default", "prompt_tokens"),
    ("openrouter", "chat", "prompt_tokens"),
];

const FIELDS: [(&str, &str); 7] = [
    ("input_mtok", "input"),
    ("output_mtok", "output"),
    ("cache_read_mtok", "cache_read"),
    ("cache_write_mtok", "cache_write"),
    ("input_audio_mtok", "audio_input"),
    ("output_audio_mtok", "audio_output"),
    ("cache_audio_read_mtok", "cache_read_audio"),
];

/// Whether their rule fits a name; `None` for rules that aren't known here.
fn matches(rule: &Value, model: &str) -> Option<bool> {
    let (kind, value) = rule.as_object()?.iter().next()?;
    let all = || value.as_array().into_iter().flatten();
    let text = value.as_str().unwrap_or_default();
    Some(match kind.as_str() {
        "equals" => model == text,
        "starts_with" => model.starts_with(text),
        "ends_with" => model.ends_with(text),
        "contains" => model.contains(text),
        "or" => {
            let fits: Option<Vec<bool>> = all().map(|rule| matches(rule, model)).collect();
            fits?.contains(&true)
        }
        "and" => {
            let fits: Option<Vec<bool>> = all().map(|rule| matches(rule, model)).collect();
            !fits?.contains(&false)
        }
        _ => return None,
    })
}

/// Their price of a model as an entry of a list of quipu's own.
fn entry(list: &[Value], provider: &str, model: &str) -> Option<String> {
    let provider_list = list.iter().find(|entry| entry["id"] == provider)?;
    let models = provider_list["models"].as_array()?.iter();
    let fits = |entry: &&Value| matches(&entry["match"], &model.to_lowercase()) != Some(false);
    let found = models.into_iter().find(fits)?;
    matches(&found["match"], &model.to_lowercase())?;
    // Dated prices depend on the day on which theirs were worked out.
    let prices = found["prices"].as_object()?;
    let mut text = format!("[[model]]\nprovider = {provider:?}\nname = {model:?}\n");
    let mut tiers: BTreeMap<u64, String> = BTreeMap::new();
    for (theirs, ours) in FIELDS {
        match prices.get(theirs) {
            Some(Value::Number(price)) => writeln!(text, "{ours} = \"{price}\"").unwrap(),
            Some(Value::Object(price)) => {
                writeln!(text, "{ours} = \"{}\"", price["base"]).unwrap();
                for tier in price["tiers"].as_array().unwrap() {
                    let tiers = tiers.entry(tier["start"].as_u64().unwrap()).or_default();
                    writeln!(tiers, "{ours} = \"{}\"", tier["price"]).unwrap();
                }
            }
            _ => {}
        }
    }
    // Their costs know a rate for the text of this model that their list, as it
    // is here, doesn't.
    if model == "gemini-2.5-flash-image" {
        text = text.replace("output = \"30\"", "image_output = \"30\"\noutput = \"2.5\"");
    }
    for (tokens, rates) in tiers {
        write!(text, "[[model.above]]\ntokens = {tokens}\n{rates}").unwrap();
    }
    Some(text)
}

/// Dollars as decimal text in nano-dollars, rounded like ours.
fn nanos(dollars: &Value) -> u64 {
    // A rate is exact to 10⁻¹⁸ dollars.
    Rate::per_token(dollars.as_str().unwrap_or("0"))
        .unwrap()
        .atto()
}

#[test]
fn costs_are_those_of_another_library() {
    let Some(data) = data() else { return };
    let read = |file: &str| -> Vec<Value> {
        serde_json::from_str(&fs::read_to_string(data.join(file)).unwrap()).unwrap()
    };
    let list = read("prices/genai_prices_data.json");
    let mut tables: BTreeMap<(String, String), Option<PriceTable>> = BTreeMap::new();
    let (mut same, mut odd) = (0, Vec::new());
    let mut unpriced: BTreeMap<String, u32> = BTreeMap::new();
    for call in read("oracle/genai_prices_usages.json") {
        let Some(model) = call["model"].as_str() else {
            continue;
        };
        let body = call["body"].to_string();
        let usage = read_whole(body.as_bytes());
        let extracted = call["extracted"].as_array().unwrap();
        let all = extracted
            .iter()
            .filter_map(|one| one["extractors"].as_array());
        for priced in all.flatten() {
            let provider = priced["provider_id"].as_str().unwrap();
            let flavor = priced["api_flavor"].as_str().unwrap();
            let is_compared = |(p, f, field): &(&str, &str, &str)| {
                provider == *p && flavor == *f && body.contains(&format!("\"{field}\""))
            };
            if priced["input_price"].is_null() || !COMPARED.iter().any(is_compared) {
                continue;
            }
            let table = tables
                .entry((provider.into(), model.into()))
                .or_insert_with(|| {
                    let entry = entry(&list, provider, model)?;
                    // No price at all means free of charge there.
                    Some(PriceTable::builder().own(&entry).ok()?.build())
                });
            let Some(table) = table else { continue };
            let parsed = provider.parse::<Provider>();
            let ours_name = parsed.map_or(provider, |provider| provider.name());
            let sum = nanos(&priced["input_price"]) + nanos(&priced["output_price"]);
            // To whole nano-dollars, half to even.
            let (whole, rest) = (sum / 1_000_000_000, sum % 1_000_000_000);
            let is_up = rest > 500_000_000 || rest == 500_000_000 && whole % 2 == 1;
            let theirs = whole + u64::from(is_up);
            match table.cost(ours_name, model, usage.billed_tokens(), None) {
                Ok(ours) if ours == theirs => same += 1,
                Ok(ours) => odd.push(format!("{provider} {body}\n  ours {ours}, theirs {theirs}")),
                Err(why @ Unpriced::NoRate(_)) => {
                    *unpriced.entry(why.to_string()).or_default() += 1;
                }
                Err(why) => odd.push(format!("{provider} {body}\n  {why}")),
            }
        }
    }
    println!("{same} the same; theirs guess a rate: {unpriced:?}");
    assert!(odd.is_empty(), "{} odd:\n{}", odd.len(), odd.join("\n"));
    assert!(same > 400, "{same}");
}
