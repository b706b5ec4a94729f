//! Faults do what their names say.

use std::io::Read;

use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use quipu_gateway::usage::{Extractor, Unreadable, UsageState};
use serde_json::Value;

use crate::cases::{CHAT, Case, MESSAGES, RESPONSES, of_json, streamed};
use crate::client::{Answer, open, post, post_http2, run, served, served_at_rest};
use crate::server::Server;

fn with(server: &Server, case: &Case, fault: &str, is_stream: bool) -> Option<Answer> {
    let body = if is_stream {
        streamed(case.body)
    } else {
        case.body.to_owned()
    };
    post(server, case.path, &[("x-mock-fault", fault)], &body)
}

/// The events that came whole.
fn events(answer: &Answer) -> usize {
    answer.text().matches("\n\n").count()
}

#[test]
fn reset_closes_before_the_headers() {
    let server = Server::mock::<&str>([]);
    assert!(with(&server, &CHAT, "reset", false).is_none());
    assert!(with(&server, &MESSAGES, "reset", true).is_none());
    assert_eq!(served(&server)["requests"]["resets"], 2);
}

#[test]
fn reset_after_closes_in_mid_stream_with_all_before_it() {
    let server = Server::mock::<&str>([]);
    for (case, count) in [(&CHAT, 0), (&CHAT, 3), (&RESPONSES, 1), (&MESSAGES, 5)] {
        let answer = with(&server, case, &format!("reset-after={count}"), true).unwrap();
        assert!(!answer.is_whole);
        assert_eq!(events(&answer), count, "{}", answer.text());
    }
    let half = with(&server, &CHAT, "reset-after=0", false).unwrap();
    assert!(!half.is_whole && !half.body().is_empty());
    let served = served(&server);
    assert_eq!(served["requests"]["resets"], 5);
    // The message's beginning states its input and a first token.
    assert_eq!(of_json(&served["tokens"]["cut"]), [4, 0, 0, 1, 0, 0]);
}

#[test]
fn reset_after_closes_the_stream_of_http2() {
    let server = Server::mock::<&str>([]);
    let headers = [("x-mock-fault", "reset-after=2")];
    let answer = post_http2(&server, CHAT.path, &headers, &streamed(CHAT.body));
    // The reset may overtake what is before it.
    assert!(answer.is_none_or(|answer| !answer.is_whole));
    assert_eq!(served_at_rest(&server)["requests"]["resets"], 1);
}

#[test]
fn error_after_is_said_in_the_stream() {
    let server = Server::mock::<&str>([]);
    for case in [CHAT, RESPONSES, MESSAGES] {
        let answer = with(&server, &case, "error-after=4", true).unwrap();
        assert!(answer.is_whole);
        assert_eq!(events(&answer), 5);
        let usage = answer.usage(case.path);
        assert!(usage.is_error, "{}", answer.text());
        assert_ne!(usage.state, UsageState::Complete);
    }
    assert_eq!(
        with(&server, &CHAT, "error-after=4", false).unwrap().status,
        500
    );
    assert_eq!(served(&server)["requests"]["broken"], 3);
}

#[test]
fn truncate_ends_without_usage_as_if_it_were_the_end() {
    let server = Server::mock::<&str>([]);
    for (case, state) in [
        (CHAT, UsageState::Missing),
        (RESPONSES, UsageState::Missing),
        (MESSAGES, UsageState::Partial),
    ] {
        let answer = with(&server, &case, "truncate", true).unwrap();
        assert!(answer.is_whole);
        assert_eq!(answer.usage(case.path).state, state);
        let answer = with(&server, &case, "truncate", false).unwrap();
        assert!(answer.is_whole);
        assert!(serde_json::from_slice::<Value>(&answer.body()).is_err());
    }
    let served = served(&server);
    assert_eq!(served["requests"]["truncated"], 6);
    assert_eq!(of_json(&served["tokens"]["served"]), [0; 6]);
    assert_eq!(of_json(&served["tokens"]["cut"]), [4, 0, 0, 1, 0, 0]);
}

#[test]
fn usage_can_be_left_out_null_or_wrong() {
    let server = Server::mock::<&str>([]);
    for case in [CHAT, RESPONSES, MESSAGES] {
        for is_stream in [false, true] {
            let answer = with(&server, &case, "no-usage", is_stream).unwrap();
            assert_eq!(answer.usage(case.path).state, UsageState::Missing);
            let text = answer.text();
            assert!(!text.contains(r#""usage":{"#), "{text}");
            let answer = with(&server, &case, "null-usage", is_stream).unwrap();
            assert_eq!(answer.usage(case.path).state, UsageState::Missing);
            assert!(answer.text().contains(r#""usage":null"#));
            let answer = with(&server, &case, "contradiction", is_stream).unwrap();
            assert!(answer.usage(case.path).estimated, "{}", answer.text());
        }
    }
    let served = served(&server);
    assert_eq!(served["requests"]["complete"], 18);
    assert_eq!(served["requests"]["without_usage"], 12);
}

#[test]
fn text_can_be_no_utf8_and_usage_be_read_all_the_same() {
    let server = Server::mock::<&str>([]);
    for case in [CHAT, RESPONSES, MESSAGES] {
        for is_stream in [false, true] {
            let answer = with(&server, &case, "invalid-utf8", is_stream).unwrap();
            assert!(String::from_utf8(answer.body()).is_err());
            assert!(
                answer
                    .body()
                    .windows(3)
                    .any(|bytes| bytes == b"\xff\xfe\xfd")
            );
            assert_eq!(answer.usage(case.path).state, UsageState::Complete);
        }
    }
}

#[test]
fn content_types_can_be_wrong() {
    let server = Server::mock::<&str>([]);
    for (fault, kind) in [
        ("wrong-type", "text/html"),
        ("wrong-type=text/plain", "text/plain"),
    ] {
        for is_stream in [false, true] {
            let answer = with(&server, &CHAT, fault, is_stream).unwrap();
            assert_eq!(answer.header("content-type"), kind);
            assert_eq!(answer.usage(CHAT.path).state, UsageState::Complete);
        }
    }
}

#[test]
fn bodies_can_be_compressed_event_by_event() {
    let server = Server::mock::<&str>([]);
    for case in [CHAT, MESSAGES] {
        for is_stream in [false, true] {
            let answer = with(&server, &case, "gzip", is_stream).unwrap();
            assert_eq!(answer.header("content-encoding"), "gzip");
            let usage = answer.usage(case.path);
            assert_eq!(usage.unreadable, Some(Unreadable::Compressed));
            let mut body = Vec::new();
            GzDecoder::new(&answer.body()[..])
                .read_to_end(&mut body)
                .unwrap();
            let mut extractor = Extractor::new().path(case.path);
            extractor.push(&body);
            assert_eq!(extractor.finish().state, UsageState::Complete);
            if is_stream {
                let mut first = vec![0; 6];
                GzDecoder::new(&answer.frames[0][..])
                    .read_exact(&mut first)
                    .unwrap();
                assert!(first == b"data: " || first == b"event:");
            }
        }
    }
    let served = served(&server);
    assert_eq!(served["requests"]["complete"], 4);
    assert_eq!(served["requests"]["without_usage"], 0);
}

#[test]
fn a_bomb_is_small_and_expands() {
    let server = Server::mock::<&str>([]);
    let answer = with(&server, &CHAT, "bomb=1", false).unwrap();
    assert_eq!(answer.header("content-encoding"), "gzip");
    let body = answer.body();
    assert!(body.len() < 2 << 20, "{}", body.len());
    // That all of it is sound is a matter for the unit tests: it takes a while.
    let mut beginning = vec![0; 3 << 20];
    GzDecoder::new(&body[..])
        .read_exact(&mut beginning)
        .unwrap();
    assert!(beginning.starts_with(br#"{"model":"gpt-4o","padding":"  "#));
    assert!(beginning.ends_with(b"   "));
    assert_eq!(served(&server)["requests"]["without_usage"], 1);
}

#[test]
fn a_huge_body_has_its_size_and_no_usage() {
    let server = Server::mock::<&str>([]);
    for is_stream in [false, true] {
        let answer = with(&server, &CHAT, "huge=3", is_stream).unwrap();
        assert!(answer.is_whole);
        let size = answer.body().len();
        assert!((3 << 20..(3 << 20) + 100).contains(&size), "{size}");
        assert_eq!(answer.usage(CHAT.path).state, UsageState::Missing);
    }
}

#[test]
fn slow_comes_byte_by_byte() {
    let server = Server::mock(["--chunks", "1"]);
    let answer = with(&server, &MESSAGES, "slow=0", true).unwrap();
    assert!(answer.frames.iter().all(|frame| frame.len() == 1));
    assert_eq!(answer.usage(MESSAGES.path).state, UsageState::Complete);
    // The second byte comes in an hour, so the first event is never whole, and
    // what it states was never said.
    for case in [CHAT, MESSAGES] {
        let first = run(async {
            let headers = [("x-mock-fault", "slow=3600000")];
            let body = streamed(case.body);
            let response = open(&server, case.path, &headers, &body).await.unwrap();
            let frame = response.into_body().frame().await.unwrap().unwrap();
            frame.into_data().unwrap()
        });
        assert_eq!(first.len(), 1);
    }
    let served = served_at_rest(&server);
    assert_eq!(served["requests"]["cancelled"], 2);
    assert_eq!(of_json(&served["tokens"]["cut"]), [0; 6]);
}

#[test]
fn hang_after_sends_what_is_before_it() {
    let server = Server::mock::<&str>([]);
    run(async {
        let headers = [("x-mock-fault", "hang-after=4")];
        let body = streamed(MESSAGES.body);
        let response = open(&server, MESSAGES.path, &headers, &body).await.unwrap();
        let mut body = response.into_body();
        for _ in 0..4 {
            body.frame().await.unwrap().unwrap();
        }
    });
    let served = served_at_rest(&server);
    assert_eq!(served["requests"]["cancelled"], 1);
    assert_eq!(of_json(&served["tokens"]["cut"]), [4, 0, 0, 1, 0, 0]);
}

#[test]
fn the_command_line_says_what_goes_wrong_unless_the_request_does() {
    let server = Server::mock(["--fault", "status=503"]);
    assert_eq!(
        post(&server, CHAT.path, &[], CHAT.body).unwrap().status,
        503
    );
    assert_eq!(
        with(&server, &CHAT, "status=429", false).unwrap().status,
        429
    );
    assert_eq!(with(&server, &CHAT, "none", false).unwrap().status, 200);
}

#[test]
fn faults_at_random_are_the_same_for_the_same_seed() {
    let outcomes = |seed: &str| -> Value {
        let server = Server::mock(["--fault-rate", "0.5", "--seed", seed]);
        let outcome = |_| match post(&server, CHAT.path, &[], &streamed(CHAT.body)) {
            None => Value::from("reset"),
            Some(answer) if answer.status != 200 => Value::from(answer.status),
            Some(answer) if answer.is_whole => Value::from("whole"),
            Some(answer) => Value::from(format!("after {}", events(&answer))),
        };
        let outcomes: Vec<Value> = (0..40).map(outcome).collect();
        let count = |text: &str| {
            let of_kind = outcomes.iter().filter(|it| it.as_str() == Some(text));
            of_kind.count()
        };
        let served = served(&server);
        assert_eq!(served["requests"]["complete"], count("whole"));
        let errors = outcomes.iter().filter(|it| it.is_number()).count();
        assert_eq!(served["requests"]["errors"]["429"], errors);
        let resets = 40 - errors - count("whole");
        assert_eq!(served["requests"]["resets"], resets);
        assert!(errors > 0 && resets > count("reset") && count("whole") > 0);
        Value::from(outcomes)
    };
    let first = outcomes("7");
    assert_eq!(first, outcomes("7"));
    assert_ne!(first, outcomes("8"));
}
