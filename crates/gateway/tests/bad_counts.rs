//! What counts result in that contradict each other, or are none.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use quipu_gateway::usage::{Finding, UsageState};
use support::read_whole;

fn chat(usage: &str) -> Vec<u8> {
    format!(r#"{{"object":"chat.completion","model":"gpt-4o","choices":[],"usage":{usage}}}"#)
        .into()
}

#[test]
fn parts_beyond_their_whole_stand_and_the_rest_is_zero() {
    let usage = read_whole(&chat(
        r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,
            "prompt_tokens_details":{"cached_tokens":12},
            "completion_tokens_details":{"reasoning_tokens":7}}"#,
    ));
    assert_eq!(usage.tokens.input, Some(0));
    assert_eq!(usage.tokens.cache_read, Some(12));
    assert_eq!(usage.tokens.output, Some(0));
    assert_eq!(usage.tokens.reasoning, Some(7));
    assert!(usage.estimated);
    assert_eq!(usage.state, UsageState::Complete);
    assert_eq!(
        usage.findings,
        [
            Finding::PromptPartsExceedPrompt {
                parts: 12,
                prompt: 10
            },
            Finding::CompletionPartsExceedCompletion {
                parts: 7,
                completion: 5
            },
        ]
    );
}

#[test]
fn a_total_that_fits_nothing_is_reported() {
    let usage = read_whole(&chat(
        r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":99}"#,
    ));
    assert_eq!(
        (usage.tokens.input, usage.tokens.output),
        (Some(10), Some(5))
    );
    assert!(usage.estimated);
    assert_eq!(
        usage.findings,
        [Finding::TotalMismatch { total: 99, sum: 15 }]
    );
}

#[test]
fn the_total_tells_what_is_left_outside() {
    // Reasoning beside the completion, as xAI's chat completions have it.
    let usage = read_whole(&chat(
        r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":22,
            "completion_tokens_details":{"reasoning_tokens":7}}"#,
    ));
    assert_eq!(
        (usage.tokens.output, usage.tokens.reasoning),
        (Some(5), Some(7))
    );
    assert!(!usage.estimated);
    // Cache beside the prompt.
    let usage = read_whole(&chat(
        r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":45,
            "prompt_tokens_details":{"cached_tokens":30}}"#,
    ));
    assert_eq!(
        (usage.tokens.input, usage.tokens.cache_read),
        (Some(10), Some(30))
    );
    assert!(!usage.estimated);
    // Audio beside the prompt, as Mistral has it, with and without its count.
    for usage in [
        r#"{"prompt_audio_seconds":12,"prompt_tokens":3,"total_tokens":419,
            "completion_tokens":41,"prompt_tokens_details":{"audio_tokens":375}}"#,
        r#"{"prompt_audio_seconds":12,"prompt_tokens":3,"total_tokens":419,"completion_tokens":41}"#,
    ] {
        let usage = read_whole(&chat(usage));
        assert_eq!(
            (usage.tokens.input, usage.tokens.audio),
            (Some(3), Some(375))
        );
        assert_eq!(usage.tokens.total(), 419);
        assert!(!usage.estimated);
    }
}

#[test]
fn hits_and_misses_that_are_not_the_prompt_are_reported() {
    let usage = read_whole(&chat(
        r#"{"prompt_tokens":10,"completion_tokens":5,
            "prompt_cache_hit_tokens":6,"prompt_cache_miss_tokens":6}"#,
    ));
    assert_eq!(
        (usage.tokens.input, usage.tokens.cache_read),
        (Some(4), Some(6))
    );
    assert_eq!(
        usage.findings,
        [Finding::CacheSplitMismatch {
            prompt: 10,
            sum: 12
        }]
    );
}

#[test]
fn what_is_no_count_is_left_out_and_makes_it_partial() {
    for value in [
        "-1",
        "1.5",
        "1e400",
        "99999999999999999999",
        r#""many""#,
        "true",
        "{}",
        "[7]",
        "NaN",
    ] {
        let body = chat(&format!(
            r#"{{"prompt_tokens":{value},"completion_tokens":5}}"#
        ));
        let usage = read_whole(&body);
        assert_eq!(usage.tokens.input, None, "{value}");
        assert_eq!(usage.tokens.output, Some(5), "{value}");
        assert_eq!(usage.state, UsageState::Partial, "{value}");
        assert_eq!(usage.findings, [Finding::NotACount], "{value}");
    }
}

#[test]
fn whole_numbers_in_other_clothes_are_counts() {
    for value in ["12", "12.0", r#""12""#, "012"] {
        let body = chat(&format!(
            r#"{{"prompt_tokens":{value},"completion_tokens":5}}"#
        ));
        assert_eq!(read_whole(&body).tokens.input, Some(12), "{value}");
    }
    let body = chat(r#"{"prompt_tokens":18446744073709551615,"completion_tokens":1}"#);
    assert_eq!(read_whole(&body).tokens.input, Some(u64::MAX));
    assert_eq!(read_whole(&body).tokens.total(), u64::MAX);
}

#[test]
fn of_keys_given_twice_the_last_holds() {
    let body = chat(r#"{"prompt_tokens":1,"completion_tokens":5,"prompt_tokens":2}"#);
    assert_eq!(read_whole(&body).tokens.input, Some(2));
    // Of lists, too, whose elements are added up.
    let body = br#"{"inputTextTokenCount":1,"results":[{"tokenCount":4}],"results":[{"tokenCount":2},{"tokenCount":3}]}"#;
    assert_eq!(read_whole(body).tokens.output, Some(5));
    let body = br#"{"usage":{"prompt_tokens":1},"usage":{"completion_tokens":7}}"#;
    let usage = read_whole(body);
    assert_eq!(
        (usage.tokens.input, usage.tokens.output),
        (Some(1), Some(7))
    );
}

#[test]
fn lifetimes_beyond_what_was_written_are_reported() {
    let body = br#"{"type":"message","usage":{"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":10,
        "cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":12}}}"#;
    let usage = read_whole(body);
    assert_eq!(usage.tokens.cache_write, Some(10));
    assert_eq!(usage.tokens.parts.cache_write_1h, Some(10));
    assert!(usage.estimated);
    let finding = Finding::CacheLifetimesExceedCacheWrite {
        lifetimes: 17,
        cache_write: 10,
    };
    assert_eq!(usage.findings, [finding]);
}
