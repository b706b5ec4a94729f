//! Usage objects of a thousand calls, against what another library made of
//! them: it has input with all that was cached and output with reasoning.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;

use serde_json::Value;
use support::{data, read_whole};

#[test]
fn sums_are_those_of_another_library() {
    let Some(data) = data() else { return };
    let text = fs::read_to_string(data.join("oracle/genai_prices_usages.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut compared = 0;
    let mut odd = Vec::new();
    for entry in &entries {
        let body = &entry["body"];
        let usage = read_whole(body.to_string().as_bytes());
        let tokens = usage.tokens;
        let zero = |count: Option<u64>| count.unwrap_or(0);
        let spoken = zero(tokens.parts.audio_output);
        // The other library doesn't know this field of Mistral's.
        let is_known = body["usage"].get("num_cached_tokens").is_none();
        let own = [
            tokens.prompt(),
            zero(tokens.output) + zero(tokens.reasoning) + spoken,
            if is_known { zero(tokens.cache_read) } else { 0 },
            zero(tokens.cache_write),
        ];
        let theirs = |extracted: &Value| {
            let names = [
                "input_tokens",
                "output_tokens",
                "cache_read_tokens",
                "cache_write_tokens",
            ];
            names.map(|name| extracted["usage"][name].as_u64().unwrap_or(0))
        };
        let extracted = entry["extracted"].as_array().unwrap();
        compared += 1;
        if !extracted.iter().any(|one| theirs(one) == own) {
            odd.push(format!(
                "{body}\n  ours {own:?}, theirs {:?}",
                extracted.iter().map(theirs).collect::<Vec<_>>()
            ));
        }
    }
    assert!(compared > 1000);
    assert!(
        odd.is_empty(),
        "{} of {compared}:\n{}",
        odd.len(),
        odd.join("\n")
    );
}
