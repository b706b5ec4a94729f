//! What it costs to read usage out of a body that passes through, and to price
//! it: `cargo bench -p quipu-gateway`.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quipu_gateway::prices::PriceTable;
use quipu_gateway::usage::{Extractor, Tokens, Usage};

/// A chat completion of an ordinary length.
fn chat() -> Vec<u8> {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(40);
    format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":812,"completion_tokens":143,"total_tokens":955,"prompt_tokens_details":{{"cached_tokens":512,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":64,"audio_tokens":0}}}},"service_tier":"default","system_fingerprint":"fp_1"}}"#
    )
    .into()
}

/// One event of a stream of chat completions.
const EVENT: &[u8] = br#"data: {"id":"chatcmpl-ASYMZ4oSykiIFK4lXLReDiKyAjsQl","object":"chat.completion.chunk","created":1731368639,"model":"gpt-4o-2024-08-06","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}],"usage":null}

"#;

/// Embeddings as lists of numbers.
fn embeddings() -> Vec<u8> {
    let mut text = String::from(r#"{"object":"list","data":[{"embedding":["#);
    for number in 0..100_000 {
        write!(text, "{}-0.0{number}", if number == 0 { "" } else { "," }).unwrap();
    }
    text.push_str(
        r#"]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":5,"total_tokens":5}}"#,
    );
    text.into()
}

fn whole(body: &[u8]) -> Usage {
    let mut extractor = Extractor::new();
    extractor.push(black_box(body));
    extractor.finish()
}

fn bodies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("usage");
    for (name, body) in [("chat completion", chat()), ("embeddings", embeddings())] {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| whole(&body)));
    }
    group.throughput(Throughput::Bytes(EVENT.len() as u64));
    let mut extractor = Extractor::new();
    group.bench_function("one event of a stream", |bencher| {
        bencher.iter(|| extractor.push(black_box(EVENT)));
    });
    group.finish();
}

fn prices(criterion: &mut Criterion) {
    let list = r#"
        [[model]]
        provider = "openai"
        name = "gpt-4o"
        input = "2.50"
        output = "10"
        cache_read = "1.25"
    "#;
    let Ok(builder) = PriceTable::builder().own(list) else {
        return;
    };
    let table = builder.build();
    let tokens = Tokens {
        input: Some(300),
        cache_read: Some(512),
        output: Some(79),
        reasoning: Some(64),
        ..Tokens::default()
    };
    criterion.bench_function("price", |bencher| {
        bencher.iter(|| table.cost(black_box("openai"), black_box("gpt-4o"), &tokens, None));
    });
}

criterion_group!(benches, bodies, prices);
criterion_main!(benches);
