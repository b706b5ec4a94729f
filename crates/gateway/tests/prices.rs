//! What a call costs, by a list of quipu's own.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use quipu::{Recorder, TokenKind, UsageRecord};
use quipu_gateway::prices::{
    PriceBook, PriceTable, Pricer, RateKind, Unpriced, must_be_priced_at_once,
};
use quipu_gateway::usage::{Extractor, Parts, Provider, Tokens};
use support::tokens;

const OWN: &str = r#"
[[model]]
provider = "acme"
name = "big"
aliases = ["large", "big-latest"]
input = "3"
output = "15"
cache_read = "0.30"
cache_write = "3.75"
cache_write_1h = "6"
audio_input = "40"
audio_output = "80"

[[model.above]]
tokens = 200000
input = "6"
output = "22.50"

[[model.above]]
tokens = 1000000
input = "7"

[model.service.batch]
input = "1.50"
output = "7.50"

[[model.service.batch.above]]
tokens = 200000
input = "3"

[[model]]
provider = "acme"
name = "small"
input = "0.0005"
output = "1"
reasoning = "2"
"#;

fn own() -> PriceTable {
    PriceTable::builder().own(OWN).unwrap().build()
}

#[test]
fn every_kind_has_its_rate() {
    let table = own();
    let nothing = tokens(0, 0);
    for (tokens, nanos) in [
        (tokens(1, 0), 3_000),
        (tokens(0, 1), 15_000),
        (
            Tokens {
                cache_read: Some(1),
                ..nothing
            },
            300,
        ),
        (
            Tokens {
                cache_write: Some(1),
                ..nothing
            },
            3_750,
        ),
        (
            Tokens {
                cache_write: Some(3),
                parts: Parts {
                    cache_write_1h: Some(1),
                    ..Parts::default()
                },
                ..nothing
            },
            13_500,
        ),
        (
            Tokens {
                audio: Some(1),
                ..nothing
            },
            40_000,
        ),
        (
            Tokens {
                audio: Some(3),
                parts: Parts {
                    audio_output: Some(1),
                    ..Parts::default()
                },
                ..nothing
            },
            160_000,
        ),
        // No rate of its own: as completion.
        (
            Tokens {
                reasoning: Some(2),
                ..nothing
            },
            30_000,
        ),
        (nothing, 0),
    ] {
        assert_eq!(
            table.cost("acme", "big", &tokens, None),
            Ok(nanos),
            "{tokens:?}"
        );
    }
    let reasoning = Tokens {
        reasoning: Some(2),
        ..nothing
    };
    assert_eq!(table.cost("acme", "small", &reasoning, None), Ok(4_000));
}

#[test]
fn a_tier_holds_above_its_size_and_for_the_whole_call() {
    let table = own();
    let cost = |tokens: &Tokens, service| table.cost("acme", "big", tokens, service).unwrap();
    assert_eq!(cost(&tokens(200_000, 10), None), 200_000 * 3_000 + 150_000);
    assert_eq!(cost(&tokens(200_001, 10), None), 200_001 * 6_000 + 225_000);
    // What a tier doesn't say is as below.
    assert_eq!(
        cost(&tokens(1_000_001, 10), None),
        1_000_001 * 7_000 + 225_000
    );
    // All of the prompt counts: cached and heard, too, but not what is spoken.
    let cached = Tokens {
        cache_read: Some(199_999),
        ..tokens(1, 0)
    };
    assert_eq!(cost(&cached, None), 199_999 * 300 + 3_000);
    let cached = Tokens {
        cache_read: Some(200_000),
        ..tokens(1, 0)
    };
    assert_eq!(cost(&cached, None), 200_000 * 300 + 6_000);
    let spoken = Tokens {
        audio: Some(300_000),
        parts: Parts {
            audio_output: Some(300_000),
            ..Parts::default()
        },
        ..tokens(1, 0)
    };
    assert_eq!(cost(&spoken, None), 300_000 * 80_000 + 3_000);
}

#[test]
fn service_tiers_have_their_rates_and_else_the_usual_ones() {
    let table = own();
    let cost = |tokens: &Tokens, service| table.cost("acme", "big", tokens, Some(service));
    for standard in ["", "default", "standard", "STANDARD", "auto", "on_demand"] {
        assert_eq!(cost(&tokens(1, 1), standard), Ok(18_000), "{standard}");
    }
    assert_eq!(cost(&tokens(1, 1), "batch"), Ok(9_000));
    assert_eq!(
        cost(&tokens(200_001, 1), "Batch"),
        Ok(200_001 * 3_000 + 7_500)
    );
    let cached = Tokens {
        cache_read: Some(10),
        ..tokens(0, 0)
    };
    assert_eq!(cost(&cached, "batch"), Ok(3_000));
    assert_eq!(
        cost(&tokens(1, 1), "priority"),
        Err(Unpriced::UnknownServiceTier)
    );
}

#[test]
fn what_has_no_price_is_unpriced_and_never_guessed() {
    let table = own();
    let one = tokens(1, 1);
    for (provider, model, tokens, why) in [
        ("acme", "huge", one, Unpriced::UnknownModel),
        ("acme", "big-2", one, Unpriced::UnknownModel),
        ("acme", "Big", one, Unpriced::UnknownModel),
        ("acme", "", one, Unpriced::UnknownModel),
        ("other", "big", one, Unpriced::UnknownModel),
        ("acme", "big", Tokens::default(), Unpriced::NoTokens),
        (
            "acme",
            "small",
            Tokens {
                cache_read: Some(1),
                ..one
            },
            Unpriced::NoRate(RateKind::CacheRead),
        ),
        (
            "acme",
            "small",
            Tokens {
                audio: Some(1),
                ..one
            },
            Unpriced::NoRate(RateKind::AudioInput),
        ),
    ] {
        assert_eq!(
            table.cost(provider, model, &tokens, None),
            Err(why),
            "{model}"
        );
    }
    // None of a kind needs no rate for it.
    let none = Tokens {
        cache_read: Some(0),
        ..one
    };
    assert_eq!(table.cost("acme", "small", &none, None), Ok(1_000));
}

#[test]
fn aliases_dates_and_fine_tunes_lead_to_their_model() {
    let table = own();
    for name in [
        "large",
        "big-latest",
        "big-2025-09-29",
        "big-20250929",
        "big@20250929",
        "models/big",
        "large-20250929",
    ] {
        assert_eq!(
            table.cost("acme", name, &tokens(1, 0), None),
            Ok(3_000),
            "{name}"
        );
    }
    let list = r#"
        [[model]]
        provider = "openai"
        name = "ft:gpt-4o-2024-08-06"
        input = "3.75"
        [[model]]
        provider = "openai"
        name = "gpt-4o"
        input = "2.50"
        [[model]]
        provider = "openai"
        name = "gpt-4o-2024-05-13"
        input = "5"
    "#;
    let table = PriceTable::builder().own(list).unwrap().build();
    for (name, nanos) in [
        ("gpt-4o-2024-11-20", Ok(2_500)),
        // An entry of its own goes before.
        ("gpt-4o-2024-05-13", Ok(5_000)),
        ("ft:gpt-4o-2024-08-06:acme::abc", Ok(3_750)),
        ("ft:gpt-4o:acme::abc", Err(Unpriced::UnknownModel)),
    ] {
        assert_eq!(
            table.cost("openai", name, &tokens(1, 0), None),
            nanos,
            "{name}"
        );
    }
}

#[test]
fn sums_are_exact_and_rounded_once() {
    let table = own();
    // 0.0005 USD a million tokens is half a nano-dollar for one.
    for (input, nanos) in [(1, 0), (2, 1), (3, 2), (5, 2), (7, 4), (1_000_001, 500_000)] {
        assert_eq!(
            table.cost("acme", "small", &tokens(input, 0), None),
            Ok(nanos),
            "{input}"
        );
    }
    assert_eq!(
        table.cost("acme", "big", &tokens(u64::MAX, u64::MAX), None),
        Ok(u64::MAX)
    );
}

#[test]
fn records_are_priced_off_the_request_path() {
    let recorder = Recorder::in_memory();
    let big = recorder.model("acme", "big").unwrap();
    let huge = recorder.model("acme", "huge").unwrap();
    let book = Arc::new(PriceBook::new(own()));
    let mut pricer = Pricer::new(Arc::clone(&book));
    let record = tokens(2, 1).put_into(UsageRecord::new(big));
    assert_eq!(pricer.price(&record, "acme", "big"), Ok(21_000));
    assert_eq!(
        pricer.price(&UsageRecord::new(big), "acme", "big"),
        Err(Unpriced::NoTokens)
    );
    let unknown = tokens(2, 1).put_into(UsageRecord::new(huge));
    assert_eq!(
        pricer.price(&unknown, "acme", "huge"),
        Err(Unpriced::UnknownModel)
    );
    // Which way audio went, a record can't say.
    let audio = record.tokens(TokenKind::Audio, 5);
    assert_eq!(
        pricer.price(&audio, "acme", "big"),
        Err(Unpriced::NotInRecord)
    );
    // A new table is seen when it is looked for.
    let dearer = OWN.replace("input = \"3\"", "input = \"4\"");
    book.replace(PriceTable::builder().own(&dearer).unwrap().build());
    assert_eq!(pricer.price(&record, "acme", "big"), Ok(21_000));
    assert_eq!(pricer.refresh(), 2);
    assert_eq!(pricer.price(&record, "acme", "big"), Ok(23_000));
}

#[test]
fn the_consumer_prices_by_the_newest_table() {
    let book = Arc::new(PriceBook::new(own()));
    let builder = Recorder::builder().price_with(Pricer::new(Arc::clone(&book)));
    let recorder = builder.in_memory().unwrap();
    let model = |name| recorder.model("acme", name).unwrap();
    let priced = |cost, priced, unpriced| {
        recorder.flush(Duration::from_secs(30)).unwrap();
        let total = recorder.snapshot().total();
        assert_eq!(
            (total.cost_nanos, total.priced, total.unpriced()),
            (cost, priced, unpriced)
        );
    };
    let record = tokens(2, 1).put_into(UsageRecord::new(model("big")));
    recorder.record(record).unwrap();
    recorder.record(record.cost_nanos(5)).unwrap();
    priced(21_005, 2, 0);
    let unknown = tokens(2, 1).put_into(UsageRecord::new(model("huge")));
    recorder.record(unknown).unwrap();
    priced(21_005, 2, 1);
    let dearer = OWN.replace("input = \"3\"", "input = \"4\"");
    book.replace(PriceTable::builder().own(&dearer).unwrap().build());
    recorder.record(record).unwrap();
    priced(44_005, 3, 1);
}

#[test]
fn a_response_is_priced_by_what_it_bills() {
    let read = |body: &str| {
        let mut extractor = Extractor::new();
        extractor.push(body.as_bytes());
        extractor.finish()
    };
    let list = r#"
        [[model]]
        provider = "cohere"
        name = "command-r"
        input = "1"
        output = "2"
        [model.service.priority]
        input = "10"
    "#;
    let table = PriceTable::builder().own(list).unwrap().build();
    let usage = read(
        r#"{"model":"command-r","usage":{"billed_units":{"input_tokens":7,"output_tokens":3},"tokens":{"input_tokens":69,"output_tokens":3}}}"#,
    );
    assert_eq!(table.cost_of(&usage), Ok(13_000));
    assert!(must_be_priced_at_once(&usage));
    let usage = read(r#"{"usage":{"tokens":{"input_tokens":1,"output_tokens":1}}}"#);
    assert_eq!(table.cost_of(&usage), Err(Unpriced::NoName));
    let usage = read(
        r#"{"model":"command-r","service_tier":"priority","usage":{"billed_units":{"input_tokens":7}}}"#,
    );
    assert_eq!(table.cost_of(&usage), Ok(70_000));
    assert!(must_be_priced_at_once(&usage));
    let usage = read(
        r#"{"model":"gpt-4o","service_tier":"default","usage":{"prompt_tokens":7,"completion_tokens":1}}"#,
    );
    assert!(!must_be_priced_at_once(&usage));
}

#[test]
fn parts_cost_what_their_kind_costs_unless_they_have_a_rate() {
    let list = r#"
        [[model]]
        provider = "a"
        name = "plain"
        input = "1"
        output = "2"
        cache_read = "0.1"
        [[model]]
        provider = "a"
        name = "parts"
        input = "1"
        output = "2"
        cache_read = "0.1"
        image_input = "10"
        image_output = "20"
        cache_read_audio = "0.5"
        cache_read_image = "0.7"
    "#;
    let table = PriceTable::builder().own(list).unwrap().build();
    let tokens = Tokens {
        cache_read: Some(10),
        parts: Parts {
            image_input: Some(3),
            image_output: Some(2),
            cache_read_audio: Some(4),
            cache_read_image: Some(5),
            ..Parts::default()
        },
        ..tokens(5, 4)
    };
    assert_eq!(
        table.cost("a", "plain", &tokens, None),
        Ok(5_000 + 8_000 + 1_000)
    );
    let parts = 2_000 + 30_000 + 4_000 + 40_000 + 100 + 2_000 + 3_500;
    assert_eq!(table.cost("a", "parts", &tokens, None), Ok(parts));
}

#[test]
fn a_path_names_the_model_that_is_billed() {
    let list = r#"
        [[model]]
        provider = "bedrock"
        name = "anthropic.claude-haiku-v1:0"
        input = "1"
        [[model]]
        provider = "bedrock"
        name = "claude-haiku"
        input = "5"
    "#;
    let table = PriceTable::builder().own(list).unwrap().build();
    let read = |path: &str| {
        let mut extractor = Extractor::new().path(path).provider(Provider::Bedrock);
        extractor.push(br#"{"type":"message","model":"claude-haiku","usage":{"input_tokens":3}}"#);
        extractor.finish()
    };
    let usage = read("/model/anthropic.claude-haiku-v1%3A0/invoke");
    assert_eq!(usage.model.as_deref(), Some("claude-haiku"));
    assert_eq!(table.cost_of(&usage), Ok(3_000));
    // A path that names none, or one without a price.
    assert_eq!(table.cost_of(&read("/v1/messages")), Ok(15_000));
    let profile = read("/model/arn%3Aaws%3Abedrock%3Aprofile/invoke");
    assert_eq!(table.cost_of(&profile), Ok(15_000));
}
