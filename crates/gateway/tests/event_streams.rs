//! Amazon's binary event streams: sound, damaged and cut.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use quipu_gateway::usage::{Extractor, Finding, Unreadable, UsageState};
use support::{read, read_whole};

/// A header with a text.
fn header(name: &str, value: &str) -> Vec<u8> {
    let mut header = vec![u8::try_from(name.len()).unwrap()];
    header.extend(name.bytes());
    header.push(7);
    header.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
    header.extend(value.bytes());
    header
}

fn message(headers: &[u8], payload: &str) -> Vec<u8> {
    let total = u32::try_from(16 + headers.len() + payload.len()).unwrap();
    let mut message = total.to_be_bytes().to_vec();
    message.extend(u32::try_from(headers.len()).unwrap().to_be_bytes());
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.extend(headers);
    message.extend(payload.bytes());
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message
}

fn event(name: &str, payload: &str) -> Vec<u8> {
    let headers = [
        // A number, a flag and a time, which don't matter.
        b"\x01n\x04\0\0\0\x05".to_vec(),
        b"\x01f\0".to_vec(),
        b"\x01t\x08\0\0\0\0\0\0\0\0".to_vec(),
        header(":event-type", name),
        header(":message-type", "event"),
    ];
    message(&headers.concat(), payload)
}

fn converse() -> Vec<u8> {
    [
        event("messageStart", r#"{"role":"assistant"}"#),
        event("contentBlockDelta", r#"{"delta":{"text":"é"}}"#),
        event(
            "metadata",
            r#"{"usage":{"inputTokens":8,"outputTokens":10,"totalTokens":18}}"#,
        ),
    ]
    .concat()
}

#[test]
fn the_last_message_has_the_usage() {
    let body = converse();
    for chunk in 1..body.len() {
        let usage = read(Extractor::new(), &body, chunk);
        assert_eq!(usage.state, UsageState::Complete);
        assert_eq!(
            (usage.tokens.input, usage.tokens.output),
            (Some(8), Some(10))
        );
    }
}

#[test]
fn a_message_that_is_cut_says_nothing() {
    let body = converse();
    for at in 0..body.len() {
        let usage = read_whole(&body[..at]);
        assert_eq!(usage.state, UsageState::Missing, "{at}");
        assert!(usage.tokens.is_empty());
        assert_eq!(usage.unreadable, None);
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let body = converse();
    for at in 0..body.len() {
        for bit in 0..8 {
            let mut body = body.clone();
            body[at] ^= 1 << bit;
            let usage = read_whole(&body);
            assert_eq!(usage.state, UsageState::Missing, "byte {at} bit {bit}");
            assert!(usage.tokens.is_empty());
            if (1..12).contains(&at) {
                // At once, not after as many bytes as it claims to have.
                assert_eq!(usage.unreadable, Some(Unreadable::Malformed));
            }
        }
    }
}

#[test]
fn nothing_is_read_behind_damage() {
    let mut body = converse();
    let damaged = event("contentBlockStop", "{}");
    let len = damaged.len();
    body.splice(0..0, damaged);
    body[len - 1] ^= 1;
    let usage = read_whole(&body);
    assert_eq!(usage.unreadable, Some(Unreadable::Malformed));
    // Counts before it are kept, and partial.
    let chunk = |json: &str| {
        let base64 = base64(json.as_bytes());
        event("chunk", &format!(r#"{{"bytes":"{base64}","p":"abc"}}"#))
    };
    let start = chunk(
        r#"{"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1}}}"#,
    );
    let mut end = chunk(r#"{"type":"message_delta","usage":{"output_tokens":9}}"#);
    let body = [start.clone(), end.clone()].concat();
    assert_eq!(read_whole(&body).tokens.output, Some(9));
    *end.last_mut().unwrap() ^= 1;
    let usage = read_whole(&[start, end].concat());
    assert_eq!(usage.state, UsageState::Partial);
    assert_eq!(usage.tokens.output, Some(1));
    assert_eq!(usage.findings, [Finding::Malformed]);
}

#[test]
fn an_exception_is_an_error() {
    let headers = [
        header(":exception-type", "throttlingException"),
        header(":message-type", "exception"),
    ];
    let usage = read_whole(&message(&headers.concat(), r#"{"message":"slow down"}"#));
    assert!(usage.is_error);
    assert_eq!(usage.state, UsageState::Missing);
}

#[test]
fn what_is_packed_wrongly_is_left_out() {
    for payload in [
        r#"{"bytes":"e*=="}"#,
        r#"{"bytes":"eyJ1"}"#,
        "oops",
        r#"{"bytes":"#,
    ] {
        let body = [event("chunk", payload), converse()].concat();
        for chunk in [1, 5, body.len()] {
            let usage = read(Extractor::new(), &body, chunk);
            assert_eq!(usage.tokens.input, Some(8), "{payload}");
            assert_eq!(usage.findings, [Finding::Malformed], "{payload}");
            assert_eq!(usage.state, UsageState::Partial, "{payload}");
        }
    }
    let empty = [message(b"", ""), converse()].concat();
    assert_eq!(read_whole(&empty).state, UsageState::Complete);
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut word = [0; 3];
        word[..group.len()].copy_from_slice(group);
        let word = u32::from_be_bytes([0, word[0], word[1], word[2]]);
        for letter in 0..4 {
            let index = (word >> (18 - 6 * letter)) & 63;
            let is_there = letter <= u32::try_from(group.len()).unwrap();
            text.push(if is_there {
                char::from(LETTERS[usize::try_from(index).unwrap()])
            } else {
                '='
            });
        }
    }
    text
}
