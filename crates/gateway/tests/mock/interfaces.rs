//! What each interface says is what was asked for, what a gateway reads, and
//! what the mock counted.

use quipu::TokenKind;
use quipu_gateway::usage::{Tokens, UsageState};
use serde_json::{Value, json};

use crate::cases::{
    CHAT, COMPLETIONS, Case, EMBEDDINGS, MESSAGES, RESPONSES, model, of_json, streamed,
};
use crate::client::{Answer, get, post, post_http2, served, usage};
use crate::server::Server;

fn by_kind(tokens: &Tokens) -> [u64; 6] {
    TokenKind::ALL.map(|kind| tokens.get(kind).unwrap_or(0))
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
    let server = Server::mock(["--chunks", "3"]);
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
    let server = Server::mock(["--output", "77"]);
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
    let server = Server::mock(["--chunks", "2"]);
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
    let server = Server::mock(["--chunks", "2"]);
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
    let server = Server::mock(["--chunks", "5"]);
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
    let server = Server::mock(["--chunks", "4"]);
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
    let server = Server::mock(["--model", "one", "--model", "two"]);
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
    let server = Server::mock::<&str>([]);
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
    let server = Server::mock::<&str>([]);
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
    let server = Server::mock::<&str>([]);
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
