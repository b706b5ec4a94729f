//! Errors, each in its protocol's own shape.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::cases::{CHAT, MESSAGES, RESPONSES, streamed};
use crate::client::{Answer, get, post, served};
use crate::server::Server;

#[track_caller]
fn assert_openai(answer: &Answer, status: u16, kind: &str) {
    assert_eq!(answer.status, status);
    let body = answer.json();
    let error = &body["error"];
    assert_eq!(error["type"], kind, "{body}");
    assert!(
        error["message"].is_string() && error["param"].is_null(),
        "{body}"
    );
    assert!(error.get("code").is_some());
    assert!(answer.headers.contains_key("x-request-id"));
    assert!(answer.usage(CHAT.path).is_error);
}

#[track_caller]
fn assert_anthropic(answer: &Answer, status: u16, kind: &str) {
    assert_eq!(answer.status, status);
    let body = answer.json();
    assert_eq!(body["type"], "error");
    assert_eq!(body["error"]["type"], kind, "{body}");
    assert_eq!(body["request_id"], answer.header("request-id"));
    assert!(answer.usage(MESSAGES.path).is_error);
}

#[test]
fn statuses_that_are_asked_for_have_their_names() {
    let server = Server::mock::<&str>([]);
    let of_openai = [
        (400, "invalid_request_error"),
        (401, "invalid_request_error"),
        (429, "requests"),
        (500, "server_error"),
        (529, "server_error"),
    ];
    for (status, kind) in of_openai {
        let fault = format!("status={status}");
        for body in [CHAT.body.to_owned(), streamed(CHAT.body)] {
            let answer = post(&server, CHAT.path, &[("x-mock-fault", &fault)], &body);
            assert_openai(&answer.unwrap(), status, kind);
        }
    }
    let of_anthropic = [
        (401, "authentication_error"),
        (404, "not_found_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ];
    for (status, kind) in of_anthropic {
        let fault = format!("status={status}");
        let answer = post(
            &server,
            MESSAGES.path,
            &[("x-mock-fault", &fault)],
            MESSAGES.body,
        );
        assert_anthropic(&answer.unwrap(), status, kind);
    }
    let served = served(&server);
    let errors = json!({"400": 2, "401": 3, "404": 1, "429": 3, "500": 3, "529": 3});
    assert_eq!(served["requests"]["errors"], errors);
    assert_eq!(served["models"]["claude-x"]["requests"]["errors"]["529"], 1);
    assert_eq!(served["requests"]["complete"], 0);
}

#[test]
fn what_is_not_there_is_said() {
    let server = Server::mock::<&str>([]);
    let answer = post(&server, "/v1/nothing", &[], "{}").unwrap();
    assert_openai(&answer, 404, "invalid_request_error");
    let answer = post(&server, "/v1/messages/nothing", &[], "{}").unwrap();
    assert_anthropic(&answer, 404, "not_found_error");
    let answer = get(&server, CHAT.path, &[]);
    assert_openai(&answer, 405, "invalid_request_error");
}

#[test]
fn requests_that_can_not_be_meant_are_refused() {
    let server = Server::mock::<&str>([]);
    for header in [
        ("x-mock-inputs", "1"),
        ("x-mock-input", "-1"),
        ("x-mock-chunks", "0"),
        ("x-mock-chunks", "1000001"),
        ("x-mock-fault", "explode"),
        ("x-mock-cache-write-1h", "5"),
    ] {
        let answer = post(&server, CHAT.path, &[header], CHAT.body).unwrap();
        assert_openai(&answer, 400, "invalid_request_error");
        assert!(answer.text().contains(header.0), "{}", answer.text());
    }
    let audio = [("x-mock-audio", "5")];
    let answer = post(&server, MESSAGES.path, &audio, MESSAGES.body).unwrap();
    assert_anthropic(&answer, 400, "invalid_request_error");
    let answer = post(&server, RESPONSES.path, &audio, RESPONSES.body).unwrap();
    assert_openai(&answer, 400, "invalid_request_error");
    for body in ["", "{", "[]", r#"{"messages":[]}"#, r#"{"model":5}"#] {
        let answer = post(&server, CHAT.path, &[], body).unwrap();
        assert_openai(&answer, 400, "invalid_request_error");
    }
}

#[test]
fn a_key_can_be_asked_for() {
    let server = Server::mock(["--key", "sesame"]);
    let answer = post(&server, CHAT.path, &[], CHAT.body).unwrap();
    assert_openai(&answer, 401, "invalid_request_error");
    let wrong = [("x-api-key", "other")];
    let answer = post(&server, MESSAGES.path, &wrong, MESSAGES.body).unwrap();
    assert_anthropic(&answer, 401, "authentication_error");
    let right = [("authorization", "Bearer sesame")];
    assert_eq!(
        post(&server, CHAT.path, &right, CHAT.body).unwrap().status,
        200
    );
    let right = [("x-api-key", "sesame")];
    let answer = post(&server, MESSAGES.path, &right, MESSAGES.body).unwrap();
    assert_eq!(answer.status, 200);
}

#[test]
fn headers_have_a_limit() {
    let server = Server::mock::<&str>([]);
    let mut stream = TcpStream::connect(server.address).unwrap();
    let long = "x".repeat(200_000);
    // It may close before it has all of it.
    let _ = write!(stream, "GET / HTTP/1.1\r\nlong: {long}\r\n\r\n");
    let mut answer = [0; 32];
    let read = stream.read(&mut answer).unwrap_or(0);
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert!(read == 0 || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(get(&server, "/served", &[]).status, 200);
}
