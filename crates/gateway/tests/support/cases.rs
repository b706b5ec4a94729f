//! Each interface of the mock, with something to ask it for.

#![allow(dead_code, clippy::unwrap_used)]

use quipu_gateway::usage::Provider;
use serde_json::Value;

use crate::client::Headers;

/// An interface, and the amounts that it has fields for.
pub(crate) struct Case {
    pub(crate) path: &'static str,
    pub(crate) body: &'static str,
    pub(crate) asked: Headers<'static>,
    /// Input, cache read, cache write, output, reasoning, audio.
    pub(crate) kinds: [u64; 6],
    pub(crate) provider: Provider,
}

const TOKENS: Headers<'static> = &[
    ("x-mock-input", "812"),
    ("x-mock-output", "143"),
    ("x-mock-cache-read", "90"),
    ("x-mock-cache-write", "11"),
    ("x-mock-reasoning", "20"),
];

pub(crate) const CHAT: Case = Case {
    path: "/v1/chat/completions",
    body: r#"{"model":"gpt-4o","messages":[{"role":"user","content":"Hello there"}]}"#,
    asked: &[
        ("x-mock-input", "812"),
        ("x-mock-output", "143"),
        ("x-mock-cache-read", "90"),
        ("x-mock-cache-write", "11"),
        ("x-mock-reasoning", "20"),
        ("x-mock-audio", "5"),
        ("x-mock-audio-output", "7"),
    ],
    kinds: [812, 90, 11, 143, 20, 12],
    provider: Provider::OpenAi,
};

pub(crate) const RESPONSES: Case = Case {
    path: "/v1/responses",
    body: r#"{"model":"gpt-5","input":[{"role":"user","content":[{"type":"input_text","text":"Hello"}]}]}"#,
    asked: TOKENS,
    kinds: [812, 90, 11, 143, 20, 0],
    provider: Provider::OpenAi,
};

pub(crate) const MESSAGES: Case = Case {
    path: "/v1/messages",
    body: r#"{"model":"claude-x","max_tokens":50,"system":"Be brief.","messages":[{"role":"user","content":"Hello"}]}"#,
    asked: &[
        ("x-mock-input", "812"),
        ("x-mock-output", "143"),
        ("x-mock-cache-read", "90"),
        ("x-mock-cache-write", "11"),
        ("x-mock-cache-write-1h", "4"),
        ("x-mock-reasoning", "20"),
    ],
    kinds: [812, 90, 15, 143, 20, 0],
    provider: Provider::Anthropic,
};

pub(crate) const COMPLETIONS: Case = Case {
    path: "/v1/completions",
    body: r#"{"model":"davinci-002","prompt":"Once upon"}"#,
    asked: TOKENS,
    kinds: [812, 90, 11, 143, 20, 0],
    provider: Provider::OpenAi,
};

pub(crate) const EMBEDDINGS: Case = Case {
    path: "/v1/embeddings",
    body: r#"{"model":"text-embedding-3-small","input":["one","two"]}"#,
    asked: &[("x-mock-input", "812")],
    kinds: [812, 0, 0, 0, 0, 0],
    provider: Provider::OpenAi,
};

/// The body with two more fields.
pub(crate) fn streamed(body: &str) -> String {
    body.replacen(
        '{',
        r#"{"stream":true,"stream_options":{"include_usage":true},"#,
        1,
    )
}

/// Tokens by kind, as the counts have them.
pub(crate) fn of_json(tokens: &Value) -> [u64; 6] {
    let names = [
        "input",
        "cache_read",
        "cache_write",
        "output",
        "reasoning",
        "audio",
    ];
    names.map(|name| tokens[name].as_u64().unwrap())
}

/// The model that a request names.
pub(crate) fn model(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body["model"].as_str().unwrap().to_owned()
}
