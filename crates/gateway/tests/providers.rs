//! Formats that the recorded responses don't have, as the providers document
//! them, each small.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use quipu::{Recorder, TokenKind, UsageRecord};
use quipu_gateway::usage::{Extractor, Provider, Tokens, Usage, UsageState};
use support::{read, read_whole};

/// Input, cache read, cache write, output, reasoning, audio.
fn kinds(tokens: &Tokens) -> [Option<u64>; 6] {
    TokenKind::ALL.map(|kind| tokens.get(kind))
}

fn events(events: &[&str]) -> String {
    events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect()
}

fn complete(body: &str) -> Usage {
    let usage = read_whole(body.as_bytes());
    assert_eq!(
        usage.state,
        UsageState::Complete,
        "{body}: {:?}",
        usage.findings
    );
    assert!(!usage.estimated, "{body}: {:?}", usage.findings);
    usage
}

#[test]
fn anthropic_says_how_long_written_cache_lives() {
    let usage = complete(
        r#"{"id":"msg_1","type":"message","model":"claude-opus-4-5","content":[],"stop_reason":"end_turn",
            "usage":{"input_tokens":5,"cache_creation_input_tokens":700,"cache_read_input_tokens":40,
            "cache_creation":{"ephemeral_5m_input_tokens":200,"ephemeral_1h_input_tokens":500},
            "output_tokens":9,"service_tier":"priority"}}"#,
    );
    assert_eq!(usage.provider, Some(Provider::Anthropic));
    assert_eq!(
        kinds(&usage.tokens),
        [Some(5), Some(40), Some(700), Some(9), None, None]
    );
    assert_eq!(usage.tokens.parts.cache_write_1h, Some(500));
    assert_eq!(usage.service_tier.as_deref(), Some("priority"));
}

#[test]
fn anthropic_bodies_through_others_are_read_alike() {
    let body = |id: &str| {
        format!(
            r#"{{"id":"{id}","type":"message","model":"claude-haiku-4-5","usage":{{"input_tokens":5,"cache_read_input_tokens":40,"output_tokens":9}}}}"#
        )
    };
    for (id, provider) in [
        ("msg_1", Provider::Anthropic),
        ("msg_bdrk_1", Provider::Bedrock),
        ("msg_vrtx_1", Provider::Vertex),
    ] {
        let usage = complete(&body(id));
        assert_eq!(usage.provider, Some(provider));
        assert_eq!(
            kinds(&usage.tokens),
            [Some(5), Some(40), None, Some(9), None, None]
        );
    }
    // DeepSeek has an interface in Anthropic's manner.
    let extractor = Extractor::new().request(Some("api.deepseek.com"), "/anthropic/v1/messages");
    let usage = read(extractor, body("x").as_bytes(), 10);
    assert_eq!(usage.provider, Some(Provider::DeepSeek));
    assert_eq!(usage.tokens.input, Some(5));
}

#[test]
fn openai_responses_end_in_several_ways() {
    for (end, is_error) in [
        ("completed", false),
        ("incomplete", false),
        ("failed", true),
    ] {
        let error = if is_error {
            r#"{"code":"server_error"}"#
        } else {
            "null"
        };
        let body = events(&[
            r#"{"type":"response.created","response":{"object":"response","model":"gpt-5","usage":null,"error":null}}"#,
            &format!(
                r#"{{"type":"response.{end}","response":{{"object":"response","model":"gpt-5","error":{error},"service_tier":"flex","usage":{{"input_tokens":30,"input_tokens_details":{{"cached_tokens":10,"cache_write_tokens":4}},"output_tokens":8,"output_tokens_details":{{"reasoning_tokens":6}},"total_tokens":38}}}}}}"#
            ),
        ]);
        let usage = complete(&body);
        assert_eq!(usage.provider, Some(Provider::OpenAi));
        assert_eq!(
            kinds(&usage.tokens),
            [Some(16), Some(10), Some(4), Some(2), Some(6), None]
        );
        assert_eq!(usage.service_tier.as_deref(), Some("flex"));
        assert_eq!(usage.is_error, is_error);
    }
}

#[test]
fn openai_audio_goes_in_both_directions() {
    let usage = complete(
        r#"{"object":"chat.completion","model":"gpt-4o-audio-preview","usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
            "prompt_tokens_details":{"cached_tokens":30,"audio_tokens":60,"cached_tokens_details":{"audio_tokens":20,"text_tokens":10}},
            "completion_tokens_details":{"audio_tokens":35,"reasoning_tokens":0}}}"#,
    );
    // Audio that was cached is cached, not audio.
    assert_eq!(
        kinds(&usage.tokens),
        [Some(30), Some(30), None, Some(15), Some(0), Some(75)]
    );
    assert_eq!(usage.tokens.parts.audio_output, Some(35));
    assert_eq!(usage.tokens.parts.cache_read_audio, Some(20));
    assert_eq!(usage.tokens.total(), 150);
    // Speech, in a stream.
    let usage = complete(&events(&[
        r#"{"type":"speech.audio.delta","audio":"AAAA"}"#,
        r#"{"type":"speech.audio.done","usage":{"input_tokens":14,"output_tokens":101,"total_tokens":115}}"#,
    ]));
    assert_eq!(
        kinds(&usage.tokens),
        [Some(14), None, None, Some(101), None, None]
    );
}

#[test]
fn images_are_parts_of_input_and_output() {
    let usage = complete(
        r#"{"created":1,"data":[{"b64_json":"AAAA"}],"usage":{"input_tokens":50,"output_tokens":4160,"total_tokens":4210,
            "input_tokens_details":{"text_tokens":10,"image_tokens":40},"output_tokens_details":{"image_tokens":4160,"text_tokens":0}}}"#,
    );
    assert_eq!(
        kinds(&usage.tokens),
        [Some(50), None, None, Some(4160), None, None]
    );
    assert_eq!(usage.tokens.parts.image_input, Some(40));
    assert_eq!(usage.tokens.parts.image_output, Some(4160));
}

#[test]
fn gemini_counts_modalities_and_tools() {
    let usage = complete(
        r#"{"candidates":[{"finishReason":"STOP"}],"modelVersion":"gemini-2.5-flash","usageMetadata":{
            "promptTokenCount":300,"candidatesTokenCount":20,"totalTokenCount":365,"cachedContentTokenCount":100,
            "thoughtsTokenCount":30,"toolUsePromptTokenCount":15,
            "promptTokensDetails":[{"tokenCount":120,"modality":"AUDIO"},{"modality":"TEXT","tokenCount":150},{"modality":"IMAGE","tokenCount":30}],
            "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":80},{"modality":"TEXT","tokenCount":20}],
            "candidatesTokensDetails":[{"modality":"TEXT","tokenCount":12},{"modality":"AUDIO","tokenCount":8}]}}"#,
    );
    assert_eq!(usage.provider, Some(Provider::Gemini));
    assert_eq!(
        kinds(&usage.tokens),
        [
            Some(300 - 100 - 40 + 15),
            Some(100),
            None,
            Some(12),
            Some(30),
            Some(48)
        ]
    );
    assert_eq!(usage.tokens.total(), 365);
    assert_eq!(usage.tokens.parts.image_input, Some(30));
    // The details of a later chunk replace those of the first.
    let chunk = |audio: u64| {
        format!(
            r#"{{"candidates":[{{"finishReason":"STOP"}}],"usageMetadata":{{"promptTokenCount":50,"candidatesTokenCount":1,"promptTokensDetails":[{{"modality":"AUDIO","tokenCount":{audio}}}]}}}}"#
        )
    };
    let usage = complete(&events(&[&chunk(10), &chunk(20)]));
    assert_eq!(
        (usage.tokens.input, usage.tokens.audio),
        (Some(30), Some(20))
    );
    // Also where they don't name the modality any more.
    let plain = chunk(10).replace("AUDIO", "TEXT");
    let usage = complete(&events(&[&chunk(10), &plain]));
    assert_eq!((usage.tokens.input, usage.tokens.audio), (Some(50), None));
    // An element without a name or without a count says nothing.
    let list = r#"[{"modality":"AUDIO","tokenCount":4},{"tokenCount":5},{"modality":"AUDIO"}]"#;
    let body =
        format!(r#"{{"usageMetadata":{{"promptTokenCount":50,"promptTokensDetails":{list}}}}}"#);
    assert_eq!(complete(&body).tokens.audio, Some(4));
}

#[test]
fn a_prompt_that_gemini_blocked_is_counted() {
    let body = events(&[
        r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7},"modelVersion":"gemini-2.5-flash"}"#,
    ]);
    assert_eq!(
        kinds(&complete(&body).tokens),
        [Some(7), None, None, None, None, None]
    );
}

#[test]
fn gemini_interactions_have_other_names() {
    let usage = complete(
        r#"{"id":"v1_x","object":"interaction","model":"gemini-2.5-pro","usage":{"total_tokens":38,"total_input_tokens":11,"total_cached_tokens":4,"total_output_tokens":20,"total_tool_use_tokens":2,"total_thought_tokens":5}}"#,
    );
    assert_eq!(usage.provider, Some(Provider::Gemini));
    assert_eq!(
        kinds(&usage.tokens),
        [Some(9), Some(4), None, Some(20), Some(5), None]
    );
}

#[test]
fn bedrock_headers_count_where_the_body_does_not() {
    let path = "/model/cohere.embed-v4%3A0/invoke";
    let mut extractor = Extractor::new().path(path);
    extractor.header("X-Amzn-Bedrock-Input-Token-Count", b"21");
    extractor.header("x-amzn-bedrock-output-token-count", b"0");
    extractor.header("x-amzn-bedrock-cache-read-input-token-count", b"3");
    extractor.header("x-amzn-bedrock-cache-write-input-token-count", b"4");
    extractor.header("content-length", b"99");
    extractor.push(br#"{"embeddings":[[0.1,0.2]]}"#);
    let usage = extractor.finish();
    assert_eq!(usage.provider, Some(Provider::Bedrock));
    assert_eq!(usage.model.as_deref(), Some("cohere.embed-v4:0"));
    assert_eq!(usage.state, UsageState::Complete);
    assert_eq!(
        kinds(&usage.tokens),
        [Some(21), Some(3), Some(4), Some(0), None, None]
    );
    // The body goes before.
    let mut extractor = Extractor::new();
    extractor.header("x-amzn-bedrock-input-token-count", b"21");
    extractor.push(br#"{"prompt_token_count":8,"generation_token_count":5}"#);
    assert_eq!(extractor.finish().tokens.input, Some(8));
    // What is no count.
    let mut extractor = Extractor::new();
    extractor.header("x-amzn-bedrock-input-token-count", b"many");
    extractor.push(b"{}");
    assert_eq!(extractor.finish().state, UsageState::Missing);
}

#[test]
fn bedrock_converse_says_how_long_written_cache_lives() {
    let usage = complete(
        r#"{"usage":{"inputTokens":3,"outputTokens":2,"totalTokens":905,"cacheReadInputTokens":100,"cacheWriteInputTokens":800,
            "cacheDetails":[{"ttl":"5m","inputTokens":300},{"inputTokens":500,"ttl":"1h"}]}}"#,
    );
    assert_eq!(usage.provider, Some(Provider::Bedrock));
    assert_eq!(
        kinds(&usage.tokens),
        [Some(3), Some(100), Some(800), Some(2), None, None]
    );
    assert_eq!(usage.tokens.parts.cache_write_1h, Some(500));
}

#[test]
fn llama_on_bedrock_counts_up_in_its_stream() {
    let body = "{\"generation\":\"a\",\"prompt_token_count\":8,\"generation_token_count\":1,\"stop_reason\":null}\n\
                {\"generation\":\"b\",\"prompt_token_count\":null,\"generation_token_count\":2,\"stop_reason\":\"stop\"}\n";
    assert_eq!(
        kinds(&complete(body).tokens),
        [Some(8), None, None, Some(2), None, None]
    );
}

#[test]
fn vllm_is_told_by_fields_of_its_own() {
    let usage = complete(
        r#"{"id":"chatcmpl-1","object":"chat.completion","model":"Qwen/Qwen3-8B","choices":[{"index":0,"finish_reason":"stop","stop_reason":null}],
            "usage":{"prompt_tokens":30,"total_tokens":40,"completion_tokens":10,"prompt_tokens_details":{"cached_tokens":16}},"prompt_logprobs":null,"kv_transfer_params":null}"#,
    );
    assert_eq!(usage.provider, Some(Provider::Vllm));
    assert_eq!(
        kinds(&usage.tokens),
        [Some(14), Some(16), None, Some(10), None, None]
    );
}

#[test]
fn xai_leaves_reasoning_beside_the_completion() {
    let usage = complete(
        r#"{"object":"chat.completion","model":"grok-4","usage":{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,
            "prompt_tokens_details":{"text_tokens":32,"audio_tokens":0,"image_tokens":0,"cached_tokens":6},
            "completion_tokens_details":{"reasoning_tokens":94,"audio_tokens":0},"num_sources_used":0}}"#,
    );
    assert_eq!(usage.provider, Some(Provider::Xai));
    assert_eq!(
        kinds(&usage.tokens),
        [Some(26), Some(6), None, Some(9), Some(94), Some(0)]
    );
    assert_eq!(usage.tokens.total(), 135);
}

#[test]
fn cohere_embeddings_have_billed_units_only() {
    let usage = complete(
        r#"{"id":"1","embeddings":{"float":[[0.1]]},"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":6}}}"#,
    );
    assert_eq!(usage.provider, Some(Provider::Cohere));
    assert_eq!(
        kinds(&usage.tokens),
        [Some(6), None, None, None, None, None]
    );
}

#[test]
fn ollama_ends_its_lines_with_done() {
    let body = "{\"model\":\"llama3\",\"message\":{\"content\":\"a\"},\"done\":false}\n\
                {\"model\":\"llama3\",\"message\":{\"content\":\"\"},\"done\":true,\"prompt_eval_count\":12,\"eval_count\":3}\n";
    let usage = complete(body);
    assert_eq!(usage.provider, Some(Provider::Ollama));
    assert_eq!(
        kinds(&usage.tokens),
        [Some(12), None, None, Some(3), None, None]
    );
}

#[test]
fn many_formats_that_copy_openai_stay_without_a_provider() {
    let usage = complete(
        r#"{"id":"chatcmpl-9","object":"chat.completion","model":"meta-llama/Llama-3.3-70B","usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}"#,
    );
    assert_eq!(usage.provider, None);
    let told = Extractor::new()
        .provider(Provider::HuggingFace)
        .path("/v1/chat/completions");
    assert_eq!(read(told, b"{}", 1).provider, Some(Provider::HuggingFace));
}

#[test]
fn what_was_said_goes_into_a_record_and_nothing_else() {
    let model = Recorder::in_memory().model("openai", "gpt-4o").unwrap();
    let usage = complete(
        r#"{"model":"gpt-4o","usage":{"prompt_tokens":12,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":0}}}"#,
    );
    let record = usage.put_into(UsageRecord::new(model));
    assert_eq!(record.reported(TokenKind::Input), Some(12));
    assert_eq!(record.reported(TokenKind::CacheRead), Some(0));
    assert_eq!(record.reported(TokenKind::Reasoning), None);
    assert_eq!(record, record.estimated(false));
    // What is partial is marked.
    let usage = read_whole(br#"{"usage":{"prompt_tokens":12,"#);
    let record = usage.put_into(UsageRecord::new(model));
    assert_eq!(record, record.estimated(true));
}

#[test]
fn a_gateway_that_adds_anthropics_fields_is_read_by_its_total() {
    let usage = |total: u64| {
        complete(&format!(
            r#"{{"object":"chat.completion","model":"claude-opus-4-5","usage":{{"prompt_tokens":100,"completion_tokens":5,"total_tokens":{total},"cache_read_input_tokens":60,"cache_creation_input_tokens":30}}}}"#
        ))
    };
    assert_eq!(
        kinds(&usage(105).tokens),
        [Some(10), Some(60), Some(30), Some(5), None, None]
    );
    assert_eq!(
        kinds(&usage(195).tokens),
        [Some(100), Some(60), Some(30), Some(5), None, None]
    );
}

#[test]
fn mistral_may_have_cached_audio() {
    // Of 380 tokens of prompt 368 were cached: text first, then audio.
    let usage = complete(
        r#"{"object":"chat.completion","model":"voxtral-mini-latest","usage":{"prompt_audio_seconds":5,"prompt_tokens":5,"total_tokens":404,"completion_tokens":24,"prompt_tokens_details":{"cached_tokens":368}}}"#,
    );
    assert_eq!(usage.provider, Some(Provider::Mistral));
    assert_eq!(
        kinds(&usage.tokens),
        [Some(0), Some(368), None, Some(24), None, Some(12)]
    );
    assert_eq!(usage.tokens.total(), 404);
}

#[test]
fn parts_are_at_most_as_large_as_their_kind() {
    let usage = complete(
        r#"{"usage":{"prompt_tokens":10,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":8,"image_tokens":6,
            "cached_tokens_details":{"image_tokens":1}},"completion_tokens_details":{"reasoning_tokens":3,"image_tokens":2}}}"#,
    );
    assert_eq!(usage.tokens.input, Some(2));
    assert_eq!(usage.tokens.parts.image_input, Some(2));
    assert_eq!(usage.tokens.parts.cache_read_image, Some(1));
    assert_eq!(usage.tokens.parts.image_output, Some(1));
}

#[test]
fn headers_count_for_a_body_that_is_cut() {
    let mut extractor = Extractor::new();
    extractor.header("x-amzn-bedrock-input-token-count", b"21");
    extractor.push(br#"{"embeddings":[[0.1,"#);
    let usage = extractor.finish();
    assert_eq!(
        (usage.state, usage.tokens.input),
        (UsageState::Complete, Some(21))
    );
}

#[test]
fn open_models_have_no_provider_of_their_own_but_a_path_has() {
    let body = br#"{"object":"chat.completion","model":"gpt-oss-20b","usage":{"prompt_tokens":4}}"#;
    assert_eq!(read_whole(body).provider, None);
    let routed = Extractor::new().path("/v1/chat/completions");
    assert_eq!(read(routed, body, 9).provider, Some(Provider::OpenAi));
}
