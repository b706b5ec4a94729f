//! Price lists of quipu's own and of LiteLLM's format, and what they make of
//! a call.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use quipu::{Recorder, TokenKind, UsageRecord};
use quipu_gateway::prices::{
    PriceBook, PriceError, PriceFiles, PriceTable, Pricer, RateKind, Unpriced,
    must_be_priced_at_once,
};
use quipu_gateway::usage::{Extractor, Parts, Tokens};

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

fn tokens(input: u64, output: u64) -> Tokens {
    Tokens {
        input: Some(input),
        output: Some(output),
        ..Tokens::default()
    }
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
fn a_later_list_goes_before() {
    let litellm = r#"{
        "gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": 2.5e-06},
        "gpt-4": {"litellm_provider": "openai", "input_cost_per_token": 3e-05}
    }"#;
    let contract = r#"
        [[model]]
        provider = "OpenAI"
        name = "gpt-4o"
        input = "2"
    "#;
    let table = PriceTable::builder()
        .litellm(litellm)
        .unwrap()
        .own(contract)
        .unwrap()
        .build();
    assert_eq!(
        table.cost("openai", "gpt-4o", &tokens(1, 0), None),
        Ok(2_000)
    );
    assert_eq!(
        table.cost("openai", "gpt-4", &tokens(1, 0), None),
        Ok(30_000)
    );
}

#[test]
fn litellm_entries_are_read_as_decimal_text() {
    let litellm = r#"{
        "sample_spec": {"input_cost_per_token": "the price", "mode": "one of …"},
        "azure/gpt-5.4": {
            "litellm_provider": "azure", "mode": "chat",
            "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1.5e-05,
            "input_cost_per_token_above_272k_tokens": 5e-06,
            "input_cost_per_token_above_272k_tokens_batches": 2.5e-06,
            "output_cost_per_token_batches": 7.5e-06, "input_cost_per_token_priority": 5.0E-6,
            "cache_creation_input_token_cost_above_1hr": 1e-05,
            "output_cost_per_reasoning_token": null, "supports_vision": true
        },
        "azure_ai/gpt-5.4": {"litellm_provider": "azure_ai", "input_cost_per_token": 9e-06},
        "qwen": {
            "litellm_provider": "dashscope",
            "tiered_pricing": [
                {"range": [0, 256000.0], "input_cost_per_token": 5e-08, "output_cost_per_token": 4e-07},
                {"range": [256000.0, 1000000.0], "input_cost_per_token": 2.5e-07, "output_cost_per_token": 2e-06}
            ]
        },
        "night": {
            "litellm_provider": "deepseek", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06,
            "off_peak_pricing": {"input_cost_per_token": 5e-07}
        },
        "image": {"litellm_provider": "openai", "output_cost_per_image": 0.04},
        "bad": {"litellm_provider": "openai", "input_cost_per_token": "much"},
        "worse": 7
    }"#;
    let table = PriceTable::builder().litellm(litellm).unwrap().build();
    let cost =
        |provider, model, tokens: &Tokens, service| table.cost(provider, model, tokens, service);
    let azure = |tokens: &Tokens, service| cost("azure_openai", "gpt-5.4", tokens, service);
    assert_eq!(azure(&tokens(1, 1), None), Ok(17_500));
    assert_eq!(
        azure(&tokens(272_001, 1), None),
        Ok(272_001 * 5_000 + 15_000)
    );
    assert_eq!(
        azure(&tokens(272_001, 1), Some("batch")),
        Ok(272_001 * 2_500 + 7_500)
    );
    assert_eq!(azure(&tokens(1, 0), Some("priority")), Ok(5_000));
    let hour = Tokens {
        cache_write: Some(1),
        parts: Parts {
            cache_write_1h: Some(1),
            ..Parts::default()
        },
        ..tokens(0, 0)
    };
    assert_eq!(azure(&hour, None), Ok(10_000));
    assert_eq!(
        cost("dashscope", "qwen", &tokens(256_000, 0), None),
        Ok(256_000 * 50)
    );
    assert_eq!(
        cost("dashscope", "qwen", &tokens(256_001, 0), None),
        Ok(256_001 * 250)
    );
    assert_eq!(
        cost("deepseek", "night", &tokens(1, 0), None),
        Err(Unpriced::DependsOnTime)
    );
    assert_eq!(
        cost("openai", "image", &tokens(1, 0), None),
        Err(Unpriced::UnknownModel)
    );
    let skipped: Vec<_> = table
        .skipped()
        .iter()
        .map(|skipped| skipped.model.as_str())
        .collect();
    assert_eq!(skipped, ["bad", "worse"]);
}

#[test]
fn wrong_lists_are_refused_with_the_entry_that_is_wrong() {
    let own = |text: &str| PriceTable::builder().own(text).unwrap_err().to_string();
    let model = "[[model]]\nprovider = \"a\"\nname = \"m\"\n";
    for (rest, words) in [
        ("", &["a/m", "no price"][..]),
        ("input = 2.5", &["string"]),
        ("input = \"2,50\"", &["a/m", "input", "decimal"]),
        ("input = \"-1\"", &["a/m", "negative"]),
        ("input = \"1\"\ninptu = \"2\"", &["a/m", "inptu"]),
        ("input = \"1\"\ntokens = 5", &["a/m", "above"]),
        ("[[model.above]]\ninput = \"1\"", &["a/m", "tokens"]),
        ("input = \"1\"\naliases = [\"m\"]", &["a/m", "twice"]),
        ("[model.service.batch]\ninputs = \"1\"", &["a/m", "inputs"]),
    ] {
        let error = own(&format!("{model}{rest}"));
        for word in words {
            assert!(error.contains(word), "{rest}: {error}");
        }
    }
    assert!(matches!(
        PriceTable::builder().own("[[models]]"),
        Err(PriceError::Own(_))
    ));
    for text in ["", "[]", "{", "7"] {
        let refused = PriceTable::builder().litellm(text);
        assert!(matches!(refused, Err(PriceError::LiteLlm(_))), "{text}");
    }
}

#[test]
fn a_reload_is_seen_by_version_and_a_bad_list_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("prices.toml");
    let files = PriceFiles {
        own: Some(path.clone()),
        ..PriceFiles::default()
    };
    let write = |input: &str| {
        let text = format!("[[model]]\nprovider = \"a\"\nname = \"m\"\ninput = \"{input}\"\n");
        fs::write(&path, text).unwrap();
    };
    write("1");
    let book = PriceBook::new(files.load().unwrap());
    let held = book.load();
    write("2");
    assert_eq!(book.reload(&files).unwrap(), 2);
    write("oops");
    assert!(matches!(book.reload(&files), Err(PriceError::Rate { .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(book.reload(&files), Err(PriceError::Io { .. })));
    let one = tokens(1, 0);
    let cost = |prices: &quipu_gateway::prices::Prices| prices.table.cost("a", "m", &one, None);
    assert_eq!((held.version, cost(&held)), (1, Ok(1_000)));
    assert_eq!((book.load().version, cost(&book.load())), (2, Ok(2_000)));
}

#[test]
fn readers_see_whole_tables_while_they_are_exchanged() {
    // The table of version v prices a token at v micro-dollars.
    let table = |version: u64| {
        let text = format!(
            "[[model]]\nprovider = \"a\"\nname = \"m\"\ninput = \"{version}\"\noutput = \"{version}\"\n"
        );
        PriceTable::builder().own(&text).unwrap().build()
    };
    let book = Arc::new(PriceBook::new(table(1)));
    let is_done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (book, is_done) = (Arc::clone(&book), Arc::clone(&is_done));
        thread::spawn(move || {
            let mut last = 0;
            while !is_done.load(Ordering::Acquire) {
                let prices = book.load();
                assert!(prices.version >= last);
                last = prices.version;
                let cost = prices.table.cost("a", "m", &tokens(1, 1), None);
                assert_eq!(cost, Ok(2_000 * prices.version));
            }
        })
    };
    for version in 2..=500 {
        assert_eq!(book.replace(table(version)), version);
    }
    is_done.store(true, Ordering::Release);
    reader.join().unwrap();
}

#[test]
fn replacing_at_once_gives_each_a_version_of_its_own() {
    let book = Arc::new(PriceBook::new(PriceTable::default()));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let book = Arc::clone(&book);
            thread::spawn(move || {
                (0..100)
                    .map(|_| book.replace(PriceTable::default()))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let mut versions: Vec<u64> = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..=401).collect::<Vec<_>>());
    assert_eq!(book.load().version, 401);
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
