//! Calls that don't come to their end: each counted once, as what it was.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use http_body_util::BodyExt;
use serde_json::Value;

use crate::cases::{CHAT, Case, MESSAGES, RESPONSES, of_json, streamed};
use crate::client::{Headers, open, post, post_http2, run};
use crate::setup::{HOUR, ROUTE, Setup, tokens};

/// Opens a stream, waits until this came, and leaves.
fn leave_after(setup: &Setup, case: &Case, headers: Headers<'_>, text: &str) {
    run(async {
        let body = streamed(case.body);
        let response = open(&setup.gateway, case.path, headers, &body)
            .await
            .unwrap();
        let mut body = response.into_body();
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(text) {
            let frame = body.frame().await.expect("the end").unwrap();
            seen.extend(frame.into_data().unwrap());
        }
    });
}

#[test]
fn who_leaves_in_mid_stream_has_cancelled_and_what_was_said_is_counted() {
    let setup = Setup::new(&["--gap-ms", HOUR]);
    let headers = [("x-mock-input", "10"), ("x-mock-cache-read", "3")];
    leave_after(&setup, &MESSAGES, &headers, "knot ");
    let total = setup.counted(1);
    assert_eq!(total["errors_cancelled"], 1);
    assert_eq!(total["streamed"], 1);
    let served = setup.served();
    assert_eq!(served["requests"]["cancelled"], 1);
    assert_eq!(tokens(&total), of_json(&served["tokens"]["cut"]));
    assert_eq!(tokens(&total)[..2], [10, 3]);
    // OpenAI says it at the end only.
    leave_after(&setup, &CHAT, &headers, "knot ");
    let total = setup.counted(2);
    assert_eq!(total["errors_cancelled"], 2);
    assert_eq!(tokens(&total), of_json(&setup.served()["tokens"]["cut"]));
    let rows = setup.usage("by=model");
    assert_eq!(rows["rows"].as_array().unwrap().len(), 2);
}

#[test]
fn who_leaves_before_the_answer_begins_has_cancelled() {
    let setup = Setup::new(&[]);
    for (number, header) in ["x-mock-first-ms: 3600000", "x-mock-fault: hang"]
        .into_iter()
        .enumerate()
    {
        let mut stream = TcpStream::connect(setup.gateway.address).unwrap();
        let (path, body) = (CHAT.path, CHAT.body);
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: mock\r\n{header}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        setup.wait_until_running(1);
        drop(stream);
        let calls = number as u64 + 1;
        assert_eq!(setup.counted(calls)["errors_cancelled"], calls);
        // The upstream has been told.
        assert_eq!(setup.served()["requests"]["cancelled"], calls);
    }
    assert_eq!(setup.usage("by=model")["rows"][0]["model"], "gpt-4o");
}

#[test]
fn what_the_upstream_breaks_off_is_its_error() {
    let setup = Setup::new(&[]);
    let ask = |case: &Case, fault: &str, is_stream: bool| {
        let body = if is_stream {
            streamed(case.body)
        } else {
            case.body.to_owned()
        };
        post(&setup.gateway, case.path, &[("x-mock-fault", fault)], &body).unwrap()
    };
    let mut calls = 0;
    for is_stream in [false, true] {
        let answer = ask(&CHAT, "reset", is_stream);
        assert_eq!(answer.status, 502);
        assert_eq!(answer.json()["error"]["type"], "upstream_unreachable");
        calls += 1;
        assert_eq!(setup.counted(calls)["errors_upstream_error"], calls);
    }
    for (case, fault) in [
        (&CHAT, "reset-after=3"),
        (&RESPONSES, "reset-after=1"),
        (&MESSAGES, "reset-after=5"),
    ] {
        let answer = ask(case, fault, true);
        assert!(answer.status == 200 && !answer.is_whole);
        calls += 1;
        assert_eq!(setup.counted(calls)["errors_upstream_error"], calls);
    }
    assert!(!ask(&MESSAGES, "reset-after=0", false).is_whole);
    let answer = ask(&MESSAGES, "truncate", true);
    assert!(answer.is_whole && !answer.text().contains("message_stop"));
    assert!(ask(&MESSAGES, "error-after=4", true).is_whole);
    assert_eq!(ask(&RESPONSES, "error-after=4", false).status, 500);
    calls += 4;
    let total = setup.counted(calls);
    assert_eq!(total["errors_upstream_error"], calls);
    // The beginning of Anthropic's streams says something.
    assert_eq!(tokens(&total), of_json(&setup.served()["tokens"]["cut"]));
    assert_eq!(tokens(&total)[0], 3 * 4);
}

#[test]
fn what_ends_well_before_its_usage_is_no_error() {
    let setup = Setup::new(&[]);
    let headers = [("x-mock-fault", "truncate")];
    let mut calls = 0;
    for (case, is_stream) in [
        (&CHAT, true),
        (&RESPONSES, true),
        (&CHAT, false),
        (&RESPONSES, false),
        (&MESSAGES, false),
    ] {
        let body = if is_stream {
            streamed(case.body)
        } else {
            case.body.to_owned()
        };
        let answer = post(&setup.gateway, case.path, &headers, &body).unwrap();
        assert!(answer.is_whole);
        let is_cut = !["[DONE]", "response.completed", "\"usage\":{"]
            .iter()
            .any(|mark| answer.text().contains(mark));
        assert!(is_cut, "{}", answer.text());
        calls += 1;
    }
    let total = setup.counted(calls);
    assert_eq!(total["errors"], 0);
    for kind in ["input", "output"] {
        assert_eq!(total[kind], Value::Null, "{total}");
    }
    assert_eq!(setup.served()["requests"]["truncated"], calls);
}

#[test]
fn a_reset_over_http2_is_one_too() {
    let setup = Setup::new(&[]);
    let headers = [("x-mock-fault", "reset-after=2")];
    let answer = post_http2(&setup.gateway, CHAT.path, &headers, &streamed(CHAT.body));
    // The reset may overtake what is before it.
    assert!(answer.is_none_or(|answer| !answer.is_whole));
    assert_eq!(setup.counted(1)["errors_upstream_error"], 1);
}

#[test]
fn errors_pass_and_are_counted_by_what_they_are() {
    let setup = Setup::new(&[]);
    let cases = [
        (400, "errors_client_error"),
        (401, "errors_client_error"),
        (408, "errors_timeout"),
        (429, "errors_rate_limited"),
        (500, "errors_upstream_error"),
        (504, "errors_timeout"),
        (529, "errors_upstream_error"),
    ];
    for (number, (status, field)) in cases.into_iter().enumerate() {
        let before = setup.usage("")["total"][field].as_u64().unwrap();
        let fault = format!("status={status}");
        let headers = [("x-mock-fault", &*fault)];
        let answer = post(&setup.gateway, MESSAGES.path, &headers, MESSAGES.body).unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["type"], "error");
        let total = setup.counted(number as u64 + 1);
        assert_eq!(total[field], before + 1, "{status}");
    }
    // An error names no model; the request did.
    let usage = setup.usage("by=provider,model");
    assert_eq!(usage["rows"].as_array().unwrap().len(), 1);
    assert_eq!(usage["rows"][0]["model"], "claude-x");
    assert_eq!(usage["rows"][0]["provider"], "anthropic");
    assert_eq!(tokens(&usage["total"]), [0; 6]);
}

#[test]
fn an_upstream_that_is_not_there_is_an_error_502() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let setup = Setup::with(&[], &ROUTE.replace("UPSTREAM", &format!("http://{nobody}")));
    for body in [CHAT.body.to_owned(), streamed(CHAT.body)] {
        let answer = post(&setup.gateway, CHAT.path, &[], &body).unwrap();
        assert_eq!(answer.status, 502);
        let error = answer.json();
        assert_eq!(error["type"], "error");
        assert_eq!(error["error"]["type"], "upstream_unreachable");
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains("refused"), "{message}");
    }
    assert_eq!(setup.counted(2)["errors_upstream_error"], 2);
}

#[test]
fn an_upstream_that_does_not_answer_in_time_is_an_error_504() {
    let setup = Setup::with(&[], &format!("{ROUTE}timeout_seconds = 1"));
    let headers = [("x-mock-fault", "hang")];
    let answer = post(&setup.gateway, CHAT.path, &headers, CHAT.body).unwrap();
    assert_eq!(answer.status, 504);
    assert_eq!(answer.json()["error"]["type"], "timeout_error");
    assert_eq!(setup.counted(1)["errors_timeout"], 1);
    assert_eq!(setup.served()["requests"]["cancelled"], 1);
    // An answer that has begun has all the time it needs.
    let headers = [("x-mock-chunks", "2"), ("x-mock-gap-ms", "1500")];
    let answer = post(&setup.gateway, CHAT.path, &headers, &streamed(CHAT.body)).unwrap();
    assert!(answer.is_whole);
    assert_eq!(setup.counted(2)["errors"], 1);
}

#[test]
fn what_no_route_takes_is_refused_and_not_counted() {
    let setup = Setup::with(&[], &format!("{ROUTE}path = \"/v1/\""));
    for path in ["/", "/v2/chat/completions", "/v12", "/usage/x"] {
        let answer = post(&setup.gateway, path, &[], CHAT.body).unwrap();
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json()["error"]["type"], "not_found_error");
    }
    post(&setup.gateway, CHAT.path, &[], CHAT.body).unwrap();
    assert_eq!(setup.counted(1)["errors"], 0);
    // What the upstream doesn't know is its answer, and its error.
    let answer = post(&setup.gateway, "/v1/nothing", &[], CHAT.body).unwrap();
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["error"]["type"], "invalid_request_error");
    assert_eq!(setup.counted(2)["errors_client_error"], 1);
    assert_eq!(setup.usage("")["total"]["saturated"], Value::Bool(false));
}
