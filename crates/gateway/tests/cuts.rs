//! However a body is cut, the result is the same: for bodies that make sense,
//! and for bodies that don't.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use quipu_gateway::usage::{Extractor, UsageState};
use support::{read_pieces, read_whole};

/// Pieces of bodies, whole and broken, that structure can go wrong at.
const FRAGMENTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    " ",
    "data:",
    "data: ",
    "event: x\n",
    ": c\n",
    "[DONE]",
    "[DO",
    "null",
    "true",
    "1",
    "12",
    "-",
    "1e9",
    "\u{feff}",
    "\"usage\":",
    "\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":8}",
    "\"prompt_tokens\":3",
    "\"model\":\"m\"",
    "\"choices\":[{\"finish_reason\":\"stop\"}]",
    "\"\\u00e9\\ud83d\\ude00\"",
    "é✨",
    "\"type\":\"message_stop\"",
    "\"usageMetadata\":{\"promptTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":4}]}",
    "{\"usage\":{\"input_tokens\":5,\"output_tokens\":2,\"cache_read_input_tokens\":1}}",
    "{\"done\":true,\"eval_count\":4}",
    "\"iterations\":[{\"input_tokens\":1},{\"input_tokens\":2}]",
];

fn body() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        8 => prop::sample::select(FRAGMENTS).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 1..4),
    ];
    let start = prop::sample::select(vec!["", "{", "[", "data: ", "data: {", "{\"usage\":{"]);
    (start, vec(fragment, 0..40))
        .prop_map(|(start, fragments)| [start.as_bytes().to_vec(), fragments.concat()].concat())
}

/// Sizes of pieces; empty ones, too.
fn pieces<'a>(mut body: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        let (piece, rest) = body.split_at((*size).min(body.len()));
        pieces.push(piece);
        body = rest;
        if body.is_empty() {
            break;
        }
    }
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_body_gives_the_same_however_it_is_cut(
        body in body(),
        sizes in vec(0_usize..20, 1..20).prop_filter("some size", |sizes| sizes.iter().any(|size| *size > 0)),
    ) {
        let whole = read_whole(&body);
        let cut = read_pieces(Extractor::new(), pieces(&body, &sizes));
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn any_bytes_are_read_without_harm(body in vec(any::<u8>(), 0..300)) {
        let whole = read_whole(&body);
        let cut = read_pieces(Extractor::new(), body.chunks(1));
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn a_cut_never_invents_counts(
        prompt in any::<u32>(), completion in any::<u32>(), at in any::<prop::sample::Index>(),
    ) {
        let body = format!(
            "{{\"choices\":[],\"usage\":{{\"prompt_tokens\":{prompt},\"completion_tokens\":{completion}}}}}"
        );
        let at = at.index(body.len());
        let usage = read_whole(&body.as_bytes()[..at]);
        prop_assert_ne!(usage.state, UsageState::Complete);
        for (count, said) in [(usage.tokens.input, prompt), (usage.tokens.output, completion)] {
            prop_assert!(count.is_none_or(|count| count == u64::from(said)));
        }
    }
}
