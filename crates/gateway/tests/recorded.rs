//! Responses that providers really gave, against the usage that is stated
//! beside them, for cuts everywhere.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;
use std::path::Path;

use quipu_gateway::usage::{Extractor, Parts, Provider, Tokens, Usage, UsageState};
use support::{data, read, read_pieces};

/// A row of `expected_usage.csv`: counts as the provider cuts them.
struct Expected {
    file: String,
    model: String,
    path: String,
    is_present: bool,
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    reasoning: Option<u64>,
    total: Option<u64>,
    billed: [Option<u64>; 2],
    tool_prompt: Option<u64>,
    audio: Option<u64>,
    input_includes_cache: bool,
    output_includes_reasoning: bool,
}

fn expected(wire: &Path) -> Vec<Expected> {
    let mut table = csv::Reader::from_path(wire.join("expected_usage.csv")).unwrap();
    let headers = table.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|header| header == name).unwrap();
    table
        .records()
        .map(|row| {
            let row = row.unwrap();
            let text = |name: &str| row[at(name)].to_owned();
            let number = |name: &str| row[at(name)].parse().ok();
            Expected {
                file: text("file"),
                model: text("model"),
                path: text("request_path"),
                is_present: text("usage_present") == "yes",
                input: number("input_tokens"),
                output: number("output_tokens"),
                cache_read: number("cache_read"),
                cache_write: number("cache_write"),
                reasoning: number("reasoning"),
                total: number("total_reported"),
                billed: [number("billed_input"), number("billed_output")],
                tool_prompt: number("tool_use_prompt"),
                audio: number("audio_input"),
                input_includes_cache: text("input_includes_cache") != "no",
                output_includes_reasoning: text("output_includes_reasoning") != "no",
            }
        })
        .collect()
}

impl Expected {
    /// The same counts, disjoint.
    fn tokens(&self) -> Tokens {
        let zero = |count: Option<u64>| count.unwrap_or(0);
        let cached = zero(self.cache_read) + zero(self.cache_write);
        let cached = if self.input_includes_cache { cached } else { 0 };
        let reasoning = zero(self.reasoning);
        let reasoning = if self.output_includes_reasoning {
            reasoning
        } else {
            0
        };
        let rest = |whole: u64, parts: u64| whole.saturating_sub(parts);
        Tokens {
            input: self
                .input
                .map(|input| rest(input, cached + zero(self.audio)) + zero(self.tool_prompt)),
            cache_read: self.cache_read,
            cache_write: self.cache_write,
            output: self.output.map(|output| rest(output, reasoning)),
            reasoning: self.reasoning,
            audio: self.audio,
            ..Tokens::default()
        }
    }
}

/// The kinds alone, without what they are made of.
fn kinds(tokens: Tokens) -> Tokens {
    Tokens {
        parts: Parts::default(),
        ..tokens
    }
}

/// Bodies that were cut before their last counts.
const CUT: [&str; 2] = [
    "anthropic/cut_before_message_delta.sse",
    "gemini/cut_mid_stream.sse",
];

/// Bodies whose counts contradict each other.
const CONTRADICTORY: [&str; 2] = [
    "azure_openai/grok_cached_exceeds_prompt.json",
    "openrouter/chat_stream_error_mid_stream.sse",
];

fn check(expected: &Expected, usage: &Usage, how: &str) {
    let file = expected.file.as_str();
    assert_eq!(kinds(usage.tokens), expected.tokens(), "{file} {how}");
    let state = if !expected.is_present {
        UsageState::Missing
    } else if CUT.contains(&file) {
        UsageState::Partial
    } else {
        UsageState::Complete
    };
    assert_eq!(usage.state, state, "{file} {how}: {:?}", usage.findings);
    assert_eq!(usage.unreadable, None, "{file} {how}");
    let is_contradictory = CONTRADICTORY.contains(&file);
    assert_eq!(
        usage.estimated, is_contradictory,
        "{file} {how}: {:?}",
        usage.findings
    );
    if let (Some(total), false) = (expected.total, is_contradictory) {
        assert_eq!(usage.tokens.total(), total, "{file} {how}");
    }
    if !expected.model.is_empty() {
        assert_eq!(
            usage.model.as_deref(),
            Some(&*expected.model),
            "{file} {how}"
        );
    }
}

fn bodies() -> Option<Vec<(Expected, Vec<u8>)>> {
    let wire = data()?.join("wire");
    let bodies = expected(&wire).into_iter().map(|expected| {
        let body = fs::read(wire.join(&expected.file)).unwrap();
        (expected, body)
    });
    Some(bodies.collect())
}

#[test]
fn every_body_gives_the_usage_stated_for_it_however_it_is_cut() {
    let Some(bodies) = bodies() else { return };
    assert!(bodies.len() > 100);
    for (expected, body) in &bodies {
        for chunk in (1..=64).chain([body.len()]) {
            let usage = read(Extractor::new(), body, chunk);
            check(expected, &usage, &format!("in chunks of {chunk}"));
        }
    }
}

#[test]
fn every_single_cut_gives_the_same() {
    let Some(bodies) = bodies() else { return };
    for (expected, body) in bodies.iter().filter(|(_, body)| body.len() < 3000) {
        for at in 0..body.len() {
            let (first, second) = body.split_at(at);
            let usage = read_pieces(Extractor::new(), [first, second]);
            check(expected, &usage, &format!("cut at {at}"));
        }
    }
}

#[test]
fn billed_units_are_given_apart() {
    let Some(bodies) = bodies() else { return };
    for (expected, body) in &bodies {
        let usage = read(Extractor::new(), body, body.len());
        if expected.billed != [None, None] {
            let billed = usage.billed.unwrap();
            assert_eq!(
                [billed.input, billed.output],
                expected.billed,
                "{}",
                expected.file
            );
        }
    }
    let compacted = "anthropic/messages_stream_compaction_iterations.sse";
    let (_, body) = bodies
        .iter()
        .find(|(expected, _)| expected.file == compacted)
        .unwrap();
    let billed = read(Extractor::new(), body, 7).billed.unwrap();
    assert_eq!(
        (billed.input, billed.output, billed.cache_read),
        (Some(281), Some(91), Some(55_096))
    );
}

#[test]
fn providers_are_recognised_from_bodies_and_paths() {
    let Some(bodies) = bodies() else { return };
    // Bodies that bear no mark of their provider.
    let unmarked = ["huggingface/", "ollama/openai_compat_chat.json"];
    for (expected, body) in &bodies {
        let folder = expected.file.split('/').next().unwrap();
        let provider: Provider = folder.parse().unwrap();
        let alone = read(Extractor::new(), body, 100);
        let is_marked =
            expected.is_present && !unmarked.iter().any(|file| expected.file.starts_with(file));
        if is_marked {
            assert_eq!(alone.provider, Some(provider), "{} alone", expected.file);
        }
        let routed = read(Extractor::new().path(&expected.path), body, 100);
        if let Some(found) = routed.provider {
            let is_vertex = expected.path.contains("/projects/");
            let is_copied = !is_marked && found == Provider::OpenAi;
            let is_right = found == provider || is_vertex && found == Provider::Vertex;
            assert!(is_right || is_copied, "{} is {found}", expected.file);
        }
        let told = read(Extractor::new().provider(provider), body, 100);
        assert_eq!(told.provider, Some(provider));
        assert_eq!(told.tokens, alone.tokens);
        if folder == "bedrock" && expected.model.is_empty() {
            let model = expected.path.split('/').nth(2).unwrap().replace("%3A", ":");
            assert_eq!(routed.model, Some(model), "{}", expected.file);
        }
    }
}
