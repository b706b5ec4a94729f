//! Totals are the mock's, and bytes are as they were.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cases::{CHAT, COMPLETIONS, Case, EMBEDDINGS, MESSAGES, RESPONSES, of_json, streamed};
use crate::client::{Answer, get, post, post_http2};
use crate::server::Server;
use crate::setup::{Setup, requests, stated, tokens};

/// Calls and tokens by model.
type ByModel = BTreeMap<String, (u64, [u64; 6])>;

const CASES: [Case; 5] = [CHAT, RESPONSES, MESSAGES, COMPLETIONS, EMBEDDINGS];

fn by_model_of_mock(served: &Value) -> ByModel {
    let models = served["models"].as_object().unwrap();
    let of = |counts: &Value| (requests(counts), stated(counts));
    models
        .iter()
        .map(|(name, it)| (name.clone(), of(it)))
        .collect()
}

fn by_model_of_gateway(usage: &Value) -> ByModel {
    let rows = usage["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        let name = row["model"].as_str().unwrap().to_owned();
        (name, (row["requests"].as_u64().unwrap(), tokens(row)))
    })
    .collect()
}

#[test]
fn totals_are_the_mocks_by_model_and_kind() {
    let mut setup = Setup::new(&["--chunks", "3"]);
    let gateway = &setup.gateway;
    let mut calls = 0;
    for case in &CASES {
        for body in [case.body.to_owned(), streamed(case.body)] {
            let ways = [post, post_http2];
            for (number, post) in ways.into_iter().enumerate() {
                // Frames that cut events anywhere, the second time.
                let cut = [("x-mock-chunk-bytes", "7")];
                let headers = [case.asked, &cut[..number]].concat();
                let answer = post(gateway, case.path, &headers, &body).unwrap();
                assert!(answer.status == 200 && answer.is_whole);
                calls += 1;
            }
        }
    }
    let usage = |setup: &Setup| {
        setup.counted(calls);
        setup.usage("by=model")
    };
    let served = setup.served();
    let expected = by_model_of_mock(&served);
    assert_eq!(expected.len(), CASES.len());
    assert_eq!(by_model_of_gateway(&usage(&setup)), expected);
    for case in &CASES {
        let (_, tokens) = expected[&crate::cases::model(case.body)];
        assert_eq!(tokens, case.kinds.map(|tokens| tokens * 4));
    }
    let by_provider = setup.usage("by=provider");
    let providers: Vec<_> = by_provider["rows"].as_array().unwrap().iter().collect();
    assert_eq!(providers.len(), 2);
    for row in providers {
        let (name, requests) = (row["provider"].as_str().unwrap(), &row["requests"]);
        assert_eq!(requests, &if name == "openai" { 16 } else { 4 }, "{name}");
    }
    // Embeddings have no streams.
    assert_eq!(by_provider["total"]["streamed"], 8);
    assert_eq!(by_provider["total"]["errors"], 0);

    let snapshot = setup.end();
    let stored = snapshot.by_model().into_iter();
    let stored = stored.map(|it| {
        let totals = it.totals;
        (
            it.model.as_str().to_owned(),
            (totals.requests, totals.tokens),
        )
    });
    assert_eq!(stored.collect::<ByModel>(), expected);
    assert_eq!(
        snapshot.total().tokens,
        of_json(&served["tokens"]["served"])
    );
}

/// The text without the time at which it was made.
fn timeless(text: &[u8]) -> String {
    let text = String::from_utf8(text.to_vec()).unwrap();
    let mut parts = text.split("\"created");
    let first = parts.next().unwrap().to_owned();
    let drop_number = |part: &str| {
        let (name, rest) = part.split_once(':').unwrap();
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        format!("\"created{name}:{rest}")
    };
    first + &parts.map(drop_number).collect::<String>()
}

#[test]
fn bytes_are_those_that_the_mock_sends() {
    // Both have the same numbers for their requests.
    let (setup, direct) = (
        Setup::new(&["--chunks", "3"]),
        Server::mock(["--chunks", "3"]),
    );
    for case in &CASES {
        for body in [case.body.to_owned(), streamed(case.body)] {
            for fault in ["none", "contradiction", "truncate", "status=429"] {
                let headers = [case.asked, &[("x-mock-fault", fault)]].concat();
                let ask = |server: &Server| post(server, case.path, &headers, &body).unwrap();
                let (through, plain) = (ask(&setup.gateway), ask(&direct));
                assert_same(&through, &plain);
            }
        }
    }
    assert_same(
        &get(&setup.gateway, "/v1/models", &[]),
        &get(&direct, "/v1/models", &[]),
    );
}

#[track_caller]
fn assert_same(through: &Answer, direct: &Answer) {
    assert_eq!(timeless(&through.body()), timeless(&direct.body()));
    assert_eq!(through.status, direct.status);
    assert_eq!(through.is_whole, direct.is_whole);
    for name in [
        "content-type",
        "request-id",
        "x-request-id",
        "cache-control",
    ] {
        assert_eq!(through.headers.get(name), direct.headers.get(name));
    }
}

#[test]
fn what_is_no_call_passes_uncounted() {
    let setup = Setup::new(&[]);
    let models = get(&setup.gateway, "/v1/models", &[]);
    assert_eq!(models.json()["object"], "list");
    let count = post(
        &setup.gateway,
        "/v1/messages/count_tokens",
        &[],
        MESSAGES.body,
    );
    assert_eq!(count.unwrap().json()["input_tokens"], 4);
    post(&setup.gateway, CHAT.path, &[], CHAT.body).unwrap();
    assert_eq!(setup.counted(1)["ttft_mean_us"], Value::Null);
}

#[test]
fn usage_that_is_not_stated_is_unknown_and_not_zero() {
    let setup = Setup::new(&[]);
    let body = CHAT.body.replacen('{', r#"{"stream":true,"#, 1);
    post(&setup.gateway, CHAT.path, CHAT.asked, &body).unwrap();
    for fault in ["no-usage", "null-usage"] {
        let headers = [("x-mock-fault", fault)];
        post(&setup.gateway, MESSAGES.path, &headers, MESSAGES.body).unwrap();
    }
    let total = setup.counted(3);
    assert_eq!(
        (&total["input"], &total["output"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(setup.served()["requests"]["without_usage"], 3);
    let contradiction = [("x-mock-fault", "contradiction")];
    post(&setup.gateway, CHAT.path, &contradiction, CHAT.body).unwrap();
    assert_eq!(setup.counted(4)["estimated"], 1);
}
