//! The formats of price lists: what is read, and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use quipu_gateway::prices::{PriceError, PriceTable, Unpriced};
use quipu_gateway::usage::{Parts, Tokens};
use support::tokens;

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
        "search": {"tiered_pricing": [{"max_results_range": [0, 25], "input_cost_per_query": 0.005}]},
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
fn what_goes_before_what_is_no_accident() {
    let litellm = r#"{
        "azure_ai/m": {"litellm_provider": "azure_ai", "input_cost_per_token": 9e-06},
        "azure/m": {"litellm_provider": "azure", "input_cost_per_token": 1e-06},
        "g": {"litellm_provider": "gemini", "input_cost_per_token": 9e-06},
        "gemini/g": {"litellm_provider": "gemini", "input_cost_per_token": 2e-06},
        "deepseek/d": {
            "litellm_provider": "deepseek", "input_cost_per_token": 1e-06,
            "cache_read_input_token_cost": 3e-06, "input_cost_per_token_cache_hit": 9e-06
        }
    }"#;
    let cached = Tokens {
        cache_read: Some(1),
        ..Tokens::default()
    };
    // The order in which entries and fields are gone through is another each
    // time.
    for _ in 0..50 {
        let table = PriceTable::builder().litellm(litellm).unwrap().build();
        let cost = |provider, model| table.cost(provider, model, &tokens(1, 0), None);
        assert_eq!(cost("azure_openai", "m"), Ok(1_000));
        assert_eq!(cost("gemini", "g"), Ok(2_000));
        assert_eq!(table.cost("deepseek", "d", &cached, None), Ok(3_000));
    }
}
