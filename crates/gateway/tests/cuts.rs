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

/// Events of streams, with places where they differ from each other: `@` in
/// strings, `#` for values.
const EVENTS: &[&str] = &[
    "data: {\"id\":\"@\",\"created\":#,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"@\"},\
     \"finish_reason\":null}],\"usage\":null}\n\n",
    "data: {\"model\":\"@\",\"choices\":[{\"delta\":{\"content\":\"@\"},\"finish_reason\":#}],\"usage\":null}\n\n",
    "data: {\"x\":\"@\",\"usage\":{\"prompt_tokens\":#,\"y\":\"@\"}}\n\n",
    "event: @\ndata: {\"type\":\"@\",\"index\":#,\"delta\":{\"text\":\"@\",\"more\":[\"@\"]}}\n\n",
    "id: @\ndata: {\"a\":\"@\",\ndata: \"b\":#, \"error\":#}\n\n",
    "data: {\"@\":\"@\",\"service_tier\":\"@\"}\r\n\r\n",
    "data: #\n\n",
    ": @\n\n",
];

/// What stands in such places.
const DIFFERENCES: &[&str] = &[
    "",
    "a",
    "knot ",
    "12",
    "1x",
    "-0.5",
    "\\n",
    "\\\"",
    "\\\\",
    "\\u00e9",
    "\\uZZ",
    "\\",
    "\"",
    "é",
    "null",
    "true",
    "\"}",
    "\"stop\"",
    "message_stop",
    "error",
    "{}",
    "{\"prompt_tokens\":3}",
    "{\"message\":\"@\"}",
    "}",
    "]",
    "\n",
    "\r",
    "[DONE]",
    "model",
];

/// A stream of events that are much alike.
fn stream() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let event = prop_oneof![
        4 => Just(None),
        1 => (0..EVENTS.len()).prop_map(Some),
    ];
    let difference = prop_oneof![
        4 => Just(None),
        1 => prop::sample::select(DIFFERENCES).prop_map(Some),
    ];
    let event = (event, vec(difference, 6));
    (0..EVENTS.len(), vec(event, 1..12)).prop_map(|(mostly, events)| {
        let events = events.into_iter().map(|(other, differences)| {
            let mut differences = differences.into_iter();
            let mut event = String::new();
            for letter in EVENTS[other.unwrap_or(mostly)].chars() {
                match letter {
                    '@' | '#' => {
                        let usual = if letter == '@' { "same" } else { "1000" };
                        event += differences.next().flatten().unwrap_or(usual);
                    }
                    _ => event.push(letter),
                }
            }
            event.into_bytes()
        });
        events.collect()
    })
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
    fn events_that_are_alike_say_the_same_at_once_and_byte_by_byte(
        events in stream(), sizes in vec(1_usize..400, 1..20),
    ) {
        let body = events.concat();
        let cut = read_pieces(Extractor::new(), body.chunks(1));
        prop_assert_eq!(&read_whole(&body), &cut, "{}", String::from_utf8_lossy(&body));
        let by_event = read_pieces(Extractor::new(), events.iter().map(Vec::as_slice));
        prop_assert_eq!(&by_event, &cut, "{}", String::from_utf8_lossy(&body));
        let in_between = read_pieces(Extractor::new(), pieces(&body, &sizes));
        prop_assert_eq!(&in_between, &cut, "{}", String::from_utf8_lossy(&body));
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
