//! What each interface says is what was asked for, what a gateway reads, and
//! what the mock counted.

use quipu::TokenKind;
use quipu_gateway::usage::{Provider, Tokens, UsageState};
use serde_json::{Value, json};

use crate::client::{Answer, Headers, get, post, post_http2, served, usage};
use crate::server::Server;

/// An interface, and the amounts that it has fields for.
pub(crate) struct Case {
    pub(crate) path: &'static str,
    pub(crate) body: &'static str,
    asked: Headers<'static>,
    /// Input, cache read, cache write, output, reasoning, audio.
    kinds: [u64; 6],
    provider: Provider,
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

const COMPLETIONS: Case = Case {
    path: "/v1/completions",
    body: r#"{"model":"davinci-002","prompt":"Once upon"}"#,
    asked: TOKENS,
    kinds: [812, 90, 11, 143, 20, 0],
    provider: Provider::OpenAi,
};

const EMBEDDINGS: Case = Case {
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

fn by_kind(tokens: &Tokens) -> [u64; 6] {
    TokenKind::ALL.map(|kind| tokens.get(kind).unwrap_or(0))
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

fn model(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body["model"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_says(case: &Case, answer: &Answer) {
    assert_eq!(answer.status, 200);
    let usage = answer.usage(case.path);
    assert_eq!(by_kind(&usage.tokens), case.kinds, "{}", case.path);
    assert_eq!(usage.state, UsageState::Complete);
    assert_eq!(usage.model.as_deref(), Some(&*model(case.body)));
    assert_eq!(usage.provider, Some(case.provider));
    assert_eq!(usage.findings, []);
}

#[test]
fn each_says_what_was_asked_for_and_counts_it() {
    let server = Server::start(["--chunks", "3"]);
    for case in [CHAT, RESPONSES, MESSAGES, COMPLETIONS, EMBEDDINGS] {
        let plain = post(&server, case.path, case.asked, case.body).unwrap();
        assert_says(&case, &plain);
        assert_eq!(plain.header("content-type"), "application/json");
        let mut times = 1;
        if case.path != EMBEDDINGS.path {
            let body = streamed(case.body);
            let stream = post(&server, case.path, case.asked, &body).unwrap();
            assert_says(&case, &stream);
            assert!(
                stream
                    .header("content-type")
                    .starts_with("text/event-stream")
            );
            assert!(stream.text().matches("knot ").count() >= 3);
            times = 2;
        }
        let served = served(&server);
        let counts = &served["models"][model(case.body)];
        assert_eq!(counts["requests"]["complete"], times, "{served}");
        assert_eq!(counts["requests"]["without_usage"], 0);
        let tokens = of_json(&counts["tokens"]["served"]);
        assert_eq!(tokens, case.kinds.map(|tokens| tokens * times));
    }
    let served = served(&server);
    assert_eq!(served["requests"]["complete"], 9);
    assert_eq!(of_json(&served["tokens"]["served"])[0], 812 * 9);
    assert_eq!(served["running"], 0);
}

#[test]
fn usage_follows_from_the_request() {
    let server = Server::start(["--output", "77"]);
    // Eleven bytes are three tokens.
    let usage = post(&server, CHAT.path, &[], CHAT.body)
        .unwrap()
        .usage(CHAT.path);
    assert_eq!(by_kind(&usage.tokens), [3, 0, 0, 77, 0, 0]);
    // Nine and five are four; the answer has what the request allows.
    let usage = post(&server, MESSAGES.path, &[], MESSAGES.body).unwrap();
    let usage = usage.usage(MESSAGES.path);
    assert_eq!(by_kind(&usage.tokens), [4, 0, 0, 50, 0, 0]);
    let body = r#"{"model":"claude-x","messages":[{"role":"user","content":"Hello"}]}"#;
    let count = post(&server, "/v1/messages/count_tokens", &[], body).unwrap();
    assert_eq!(count.json(), json!({"input_tokens": 2}));
}

#[test]
fn a_chat_stream_has_usage_where_it_is_asked_for_and_only_in_its_last_chunk() {
    let server = Server::start(["--chunks", "2"]);
    let with = post(&server, CHAT.path, &[], &streamed(CHAT.body))
        .unwrap()
        .text();
    let chunks: Vec<&str> = with.split_terminator("\n\n").collect();
    assert_eq!(chunks.len(), 6, "{with}"); // role, 2 pieces, reason, usage, end
    assert!(
        chunks[..4]
            .iter()
            .all(|chunk| chunk.contains(r#""usage":null"#))
    );
    assert!(chunks[4].contains(r#""choices":[],"usage":{"prompt_tokens":"#));
    assert_eq!(chunks[5], "data: [DONE]");

    let body = CHAT.body.replacen('{', r#"{"stream":true,"#, 1);
    let without = post(&server, CHAT.path, CHAT.asked, &body).unwrap();
    assert!(!without.text().contains("usage"));
    assert_eq!(without.usage(CHAT.path).state, UsageState::Missing);
    let served = served(&server);
    assert_eq!(served["requests"]["complete"], 2);
    assert_eq!(served["requests"]["without_usage"], 1);
    assert_eq!(of_json(&served["tokens"]["unsaid"]), CHAT.kinds);
}

#[test]
fn events_of_a_response_are_numbered_and_typed() {
    let server = Server::start(["--chunks", "2"]);
    let stream = post(&server, RESPONSES.path, &[], &streamed(RESPONSES.body)).unwrap();
    for (number, event) in stream.text().split_terminator("\n\n").enumerate() {
        let (name, data) = event.split_once("\ndata: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["sequence_number"], number);
        assert_eq!(format!("event: {}", data["type"].as_str().unwrap()), name);
    }
    assert_eq!(stream.frames.len(), 10);
}

#[test]
fn bodies_are_cut_anywhere_and_stay_the_same() {
    let server = Server::start(["--chunks", "5"]);
    for case in [CHAT, MESSAGES] {
        for body in [case.body.to_owned(), streamed(case.body)] {
            let headers = [case.asked, &[("x-mock-chunk-bytes", "7")]].concat();
            let answer = post(&server, case.path, &headers, &body).unwrap();
            assert_says(&case, &answer);
            let (last, others) = answer.frames.split_last().unwrap();
            if body.contains("stream") {
                assert!(others.iter().all(|frame| frame.len() == 7));
                assert!(last.len() <= 7);
            }
        }
    }
    assert_eq!(served(&server)["requests"]["complete"], 4);
}

#[test]
fn the_same_is_spoken_over_http2() {
    let server = Server::start(["--chunks", "4"]);
    let stream = post_http2(
        &server,
        MESSAGES.path,
        MESSAGES.asked,
        &streamed(MESSAGES.body),
    );
    assert_says(&MESSAGES, &stream.unwrap());
    let plain = post_http2(&server, CHAT.path, CHAT.asked, CHAT.body);
    assert_says(&CHAT, &plain.unwrap());
}

#[test]
fn models_are_listed_for_both() {
    let server = Server::start(["--model", "one", "--model", "two"]);
    let list = get(&server, "/v1/models", &[]).json();
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"][1]["id"], "two");
    let list = get(
        &server,
        "/v1/models",
        &[("anthropic-version", "2023-06-01")],
    )
    .json();
    assert_eq!(list["last_id"], "two");
    assert_eq!(list["data"][0]["type"], "model");
}

#[test]
fn embeddings_come_as_numbers_or_as_their_bytes() {
    let server = Server::start::<&str>([]);
    let embed = |rest: &str| {
        let body = format!(r#"{{"model":"m","input":["a","b"],"dimensions":4{rest}}}"#);
        post(&server, EMBEDDINGS.path, &[], &body).unwrap().json()
    };
    let list = embed("");
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    assert_eq!(list["data"][1]["embedding"], json!([0.5, 0.5, 0.5, 0.5]));
    let list = embed(r#","encoding_format":"base64""#);
    assert_eq!(list["data"][0]["embedding"], "AAAAPwAAAD8AAAA/AAAAPw==");
}

#[test]
fn counts_can_begin_again() {
    let server = Server::start::<&str>([]);
    post(&server, CHAT.path, &[], CHAT.body).unwrap();
    post(&server, "/served/reset", &[], "").unwrap();
    let zero = served(&server);
    assert_eq!(zero["requests"]["complete"], 0);
    assert_eq!(zero["models"], json!({}));
    post(&server, CHAT.path, CHAT.asked, CHAT.body).unwrap();
    assert_eq!(of_json(&served(&server)["tokens"]["served"]), CHAT.kinds);
}

#[test]
fn counters_do_not_wrap() {
    let server = Server::start::<&str>([]);
    let most = u64::MAX.to_string();
    let headers = [("x-mock-input", &*most), ("x-mock-cache-read", "1")];
    for _ in 0..2 {
        let answer = post(&server, MESSAGES.path, &headers, MESSAGES.body).unwrap();
        let usage = usage(MESSAGES.path, answer.frames.iter());
        assert_eq!(usage.tokens.input, Some(u64::MAX));
    }
    assert_eq!(
        of_json(&served(&server)["tokens"]["served"])[..2],
        [u64::MAX, 2]
    );
}
