//! What each kind of bad body results in.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;
use std::path::Path;

use quipu_gateway::usage::{Extractor, Finding, Unreadable, UsageState};
use support::{read, read_whole};

/// A body from `tests/bodies`.
fn body(name: &str) -> Vec<u8> {
    let bodies = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bodies");
    fs::read(bodies.join(name)).unwrap()
}

fn chat(usage: &str) -> Vec<u8> {
    format!(r#"{{"object":"chat.completion","model":"gpt-4o","choices":[],"usage":{usage}}}"#)
        .into()
}

#[test]
fn a_stream_that_ends_before_its_usage_has_none() {
    let usage = read_whole(&body("chat_without_end.sse"));
    assert_eq!(usage.state, UsageState::Missing);
    assert!(usage.tokens.is_empty());
    assert_eq!(usage.unreadable, None);
}

#[test]
fn a_stream_that_ends_after_running_counts_is_partial() {
    let usage = read_whole(&body("running_counts_cut.sse"));
    assert_eq!(usage.state, UsageState::Partial);
    assert_eq!(
        (usage.tokens.input, usage.tokens.output),
        (Some(20), Some(3))
    );
    assert!(!usage.estimated);
}

#[test]
fn a_count_that_is_cut_is_not_half_a_count() {
    let whole = br#"{"usage":{"prompt_tokens":1234,"completion_tokens":567}}"#;
    let at = |needle: &str| {
        let whole = std::str::from_utf8(whole).unwrap();
        whole.find(needle).unwrap()
    };
    let usage = read_whole(&whole[..at("34,")]);
    assert_eq!(
        (usage.state, usage.tokens.input),
        (UsageState::Missing, None)
    );
    let usage = read_whole(&whole[..at("67}")]);
    assert_eq!(usage.state, UsageState::Partial);
    assert_eq!(
        (usage.tokens.input, usage.tokens.output),
        (Some(1234), None)
    );
}

#[test]
fn counts_that_run_are_kept_and_not_added() {
    let usage = read_whole(&body("running_counts.sse"));
    assert_eq!(usage.state, UsageState::Complete);
    assert_eq!(
        (usage.tokens.input, usage.tokens.output),
        (Some(20), Some(4))
    );
}

#[test]
fn an_error_has_no_usage_and_is_an_error() {
    for name in [
        "error_openai.json",
        "error_anthropic.json",
        "error_google.json",
    ] {
        let usage = read_whole(&body(name));
        assert!(usage.is_error, "{name}");
        assert_eq!(usage.state, UsageState::Missing, "{name}");
        assert_eq!(usage.unreadable, None, "{name}");
    }
}

#[test]
fn an_error_in_mid_stream_leaves_what_was_counted_as_partial() {
    let usage = read_whole(&body("anthropic_overloaded_mid_stream.sse"));
    assert!(usage.is_error);
    assert_eq!(usage.state, UsageState::Partial);
    assert_eq!(
        (usage.tokens.input, usage.tokens.output),
        (Some(25), Some(1))
    );
}

#[test]
fn no_usage_and_null_usage_are_missing_and_not_zero() {
    for text in [
        r#"{"object":"chat.completion","model":"gpt-4o","choices":[]}"#,
        r#"{"object":"chat.completion","model":"gpt-4o","usage":null}"#,
        r#"{"usage":{}}"#,
        r#"{"usage":{"prompt_tokens":null,"completion_tokens":null}}"#,
        r#"{"usage":[]}"#,
        "{}",
        "[]",
        "null",
        r#""text""#,
        "",
        " \r\n",
    ] {
        let usage = read_whole(text.as_bytes());
        assert_eq!(usage.state, UsageState::Missing, "{text}");
        assert!(usage.tokens.is_empty(), "{text}");
        assert_eq!(usage.unreadable, None, "{text}");
    }
}

#[test]
fn null_later_does_not_take_back_what_was_said() {
    let usage = read_whole(&body("null_after_counts.sse"));
    assert_eq!(
        (usage.tokens.input, usage.tokens.output),
        (Some(9), Some(2))
    );
    assert_eq!(usage.state, UsageState::Complete);
}

#[test]
fn escapes_in_keys_and_names_are_undone() {
    let body = br#"{"model":"meta\/\u004clama \ud83d\ude00","us\u0061ge":{"prompt_tokens":3}}"#;
    let usage = read_whole(body);
    assert_eq!(usage.tokens.input, Some(3));
    assert_eq!(usage.model.as_deref(), Some("meta/Llama \u{1f600}"));
}

#[test]
fn what_a_model_writes_is_not_usage() {
    // The same keys elsewhere: in a tool's input, in text, deeper, beside.
    let usage = read_whole(&body("anthropic_decoys.json"));
    assert_eq!(
        (usage.tokens.input, usage.tokens.output),
        (Some(11), Some(6))
    );
    assert_eq!(usage.tokens.cache_read, Some(0));
}

#[test]
fn invalid_utf8_disturbs_nothing() {
    let mut body = br#"{"x":"#.to_vec();
    body.extend(b"\"\xff\xc3\x28\xed\xa0\x80\",");
    body.extend(br#""model":"a"#);
    body.extend(b"\xff\xfe");
    body.extend(br#"b","usage":{"prompt_tokens":4,"completion_tokens":1}}"#);
    for chunk in 1..body.len() {
        let usage = read(Extractor::new(), &body, chunk);
        assert_eq!(
            (usage.tokens.input, usage.tokens.output),
            (Some(4), Some(1))
        );
        assert_eq!(usage.model.as_deref(), Some("a\u{fffd}\u{fffd}b"));
    }
}

#[test]
fn line_ends_comments_and_marks_of_event_streams_change_nothing() {
    let plain = body("running_counts.sse");
    let text = String::from_utf8(plain.clone()).unwrap();
    let expected = read_whole(&plain);
    let crlf = text.replace('\n', "\r\n");
    let cr = text.replace('\n', "\r");
    let marked = format!("\u{feff}{text}");
    let commented = text.replace(
        "data:",
        ": {\"usage\":{\"prompt_tokens\":999}}\r\nid: 7\ndata:",
    );
    let without_blank = text.replace("data: ", "data:");
    let without_last_line_end = text.trim_end().to_owned();
    let unknown_fields = text.replace(
        "data:",
        "event\nfoo: bar\ndata\ndatax: {\"usage\":9}\ndata:",
    );
    for variant in [
        crlf,
        cr,
        marked,
        commented,
        without_blank,
        without_last_line_end,
        unknown_fields,
    ] {
        for chunk in [1, 2, 3, 5, 1000] {
            let usage = read(Extractor::new(), variant.as_bytes(), chunk);
            assert_eq!(usage, expected, "{variant}");
        }
    }
}

#[test]
fn data_over_several_lines_is_one_document() {
    let lines = "event: x\ndata: [\ndata: {\"usage\":{\"completion_tokens\":1,\n\
                 data:\ndata: \"prompt_tokens\":\ndata:  8}}]\n\ndata: [DONE]\n\n";
    for body in [
        lines.to_owned(),
        lines.replace('\n', "\r\n"),
        lines.replace('\n', "\r"),
    ] {
        for chunk in 1..body.len() {
            let usage = read(Extractor::new(), body.as_bytes(), chunk);
            assert_eq!(
                (usage.tokens.input, usage.tokens.output),
                (Some(8), Some(1)),
                "{body}"
            );
            assert_eq!(usage.state, UsageState::Complete);
            assert_eq!(usage.findings, []);
        }
    }
    // A line end is between them: this is no 12.
    let usage = read_whole(b"data: {\"usage\":{\"prompt_tokens\":1\ndata: 2}}\n\n");
    assert_eq!(usage.tokens.input, None);
    assert_eq!(usage.findings, [Finding::Malformed]);
}

#[test]
fn what_only_begins_like_the_end_is_no_end() {
    let count = "data: {\"usage\":{\"prompt_tokens\":8}}\n\n";
    for (end, state) in [
        ("data: [DONE]\n\n", UsageState::Complete),
        ("data:[DONE]", UsageState::Complete),
        ("data: [DONE\n\n", UsageState::Partial),
        ("data: [DON", UsageState::Partial),
        ("data: [DONE]]\n\n", UsageState::Partial),
        ("data:  [DONE]\n\n", UsageState::Partial),
        ("id: [DONE]\n\n", UsageState::Partial),
    ] {
        let body = format!("{count}{end}");
        let usage = read_whole(body.as_bytes());
        assert_eq!(usage.tokens.input, Some(8), "{end}");
        assert_eq!(usage.state, state, "{end}");
    }
    let usage = read_whole(format!("{count}data: [DO\n\n").as_bytes());
    assert_eq!(usage.findings, [Finding::Malformed]);
}

#[test]
fn an_event_that_is_no_json_is_left_out() {
    let body = b"data: {\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":4,\n\ndata: oops\n\ndata: [DO\n\ndata: {\"usage\":{\"prompt_tokens\":8}}\n\ndata: [DONE]\n\n";
    let usage = read_whole(body);
    assert_eq!((usage.tokens.input, usage.tokens.output), (Some(8), None));
    assert_eq!(usage.findings, [Finding::Malformed]);
    assert_eq!(usage.state, UsageState::Partial);
}

#[test]
fn a_bad_line_among_lines_is_left_out() {
    for bad in [
        "not json",
        r#"{"eval_count":9,"response":"oops"#,
        r#"{"eval_count":9,]"#,
    ] {
        let body = format!(
            "{{\"model\":\"llama3\",\"done\":false}}\n{bad}\n{{\"eval_count\":5,\"done\":true}}\n"
        );
        for chunk in [1, 7, 1000] {
            let usage = read(Extractor::new(), body.as_bytes(), chunk);
            assert_eq!(usage.tokens.output, Some(5), "{bad}");
            assert_eq!(usage.findings, [Finding::Malformed]);
            assert_eq!(usage.state, UsageState::Partial);
        }
    }
}

#[test]
fn what_follows_a_document_and_is_none_makes_it_partial() {
    let mut body = chat(r#"{"prompt_tokens":3,"completion_tokens":1}"#);
    body.extend(b"<!-- cached by a proxy -->");
    let usage = read_whole(&body);
    assert_eq!(usage.tokens.input, Some(3));
    assert_eq!(usage.state, UsageState::Partial);
    assert_eq!(usage.findings, [Finding::Malformed]);
}

#[test]
fn what_is_no_response_can_not_be_read() {
    let bodies: [(&[u8], Unreadable); 10] = [
        (b"502 Bad Gateway", Unreadable::Malformed),
        (b"null and void", Unreadable::Malformed),
        (b"<html>502 Bad Gateway</html>", Unreadable::UnknownFormat),
        (b"upstream connect error", Unreadable::UnknownFormat),
        (b"\x89PNG\r\n", Unreadable::UnknownFormat),
        (b"\x1f\x8b\x08\0\0\0", Unreadable::Compressed),
        (b"\x28\xb5\x2f\xfd\0", Unreadable::Compressed),
        (b"{usage: 1}", Unreadable::Malformed),
        (b"[1, oops]", Unreadable::Malformed),
        (b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", Unreadable::Malformed),
    ];
    for (body, why) in bodies {
        let usage = read_whole(body);
        assert_eq!(
            usage.unreadable,
            Some(why),
            "{}",
            String::from_utf8_lossy(body)
        );
        assert_eq!(usage.state, UsageState::Missing);
    }
}

#[test]
fn a_name_too_long_to_keep_is_not_given() {
    let long = "m".repeat(10_000);
    let body = format!(r#"{{"model":"{long}","{long}":1,"usage":{{"prompt_tokens":3}}}}"#);
    for chunk in [100, body.len()] {
        let usage = read(Extractor::new(), body.as_bytes(), chunk);
        assert_eq!(usage.model, None);
        assert_eq!(usage.tokens.input, Some(3));
    }
}

#[test]
fn brackets_and_quotes_in_text_are_text() {
    let body =
        br#"{"extra":{"a":"\"}{][\\","b":["\\\"]}"]},"text":"}\"]","usage":{"prompt_tokens":3}}"#;
    for chunk in 1..body.len() {
        let usage = read(Extractor::new(), body, chunk);
        assert_eq!(usage.tokens.input, Some(3));
        assert_eq!(usage.state, UsageState::Complete);
    }
}

#[test]
fn record_separators_between_documents_are_known() {
    let body = b"\x1e{\"done\":false}\n\x1e{\"eval_count\":5,\"done\":true}\n";
    let usage = read_whole(body);
    assert_eq!(usage.tokens.output, Some(5));
    assert_eq!(usage.state, UsageState::Complete);
}
