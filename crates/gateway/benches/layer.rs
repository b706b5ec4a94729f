//! What the layer adds to a call: the same service with and without it, in
//! turns of one run.
//!
//! `cargo bench -p quipu-gateway --bench layer`

#![allow(missing_docs, clippy::unwrap_used)]

use std::convert::Infallible;
use std::future::ready;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use http::{Request, Response};
use http_body::{Body, Frame};
use quipu::Recorder;
use quipu_gateway::layer::{Source, UsageLayer};
use tower::{Layer, Service, service_fn};

const CHAT: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1795690083,"model":"gpt-4o",
"choices":[{"index":0,"message":{"role":"assistant","content":"A knot for each call, and a cord for each day: so a
quipu keeps count. The main cord sums what the pendants hold.","refusal":null},"logprobs":null,"finish_reason":"stop"}],
"usage":{"prompt_tokens":812,"completion_tokens":64,"total_tokens":876,"prompt_tokens_details":{"cached_tokens":512,
"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,
"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_1"}"#;

/// One piece of text, and an event that brings it.
const WORDS: [&str; 4] = [" knot", " for each", " call,", "\\n\\nA cord"];

fn event(word: &str) -> Bytes {
    let event = format!(
        "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1795690083,\
         \"model\":\"gpt-4o\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}},\
         \"finish_reason\":null}}],\"usage\":null}}\n\n"
    );
    event.into()
}

const LAST: &str = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1795690083,\
\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":812,\"completion_tokens\":64,\
\"total_tokens\":876}}\n\ndata: [DONE]\n\n";

/// A body of frames that are all there.
#[derive(Clone)]
struct Frames(std::vec::IntoIter<Bytes>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|bytes| Ok(Frame::data(bytes))))
    }
}

fn bodies() -> [(&'static str, &'static str, Vec<Bytes>); 2] {
    let mut events: Vec<_> = WORDS.into_iter().cycle().take(64).map(event).collect();
    events.push(Bytes::from_static(LAST.as_bytes()));
    [
        (
            "a body",
            "application/json",
            vec![Bytes::from_static(CHAT.as_bytes())],
        ),
        ("a stream of 65 events", "text/event-stream", events),
    ]
}

fn request() -> Request<Frames> {
    Request::post("http://gateway/v1/chat/completions")
        .header("content-type", "application/json")
        .header(
            "authorization",
            "Bearer sk-0123456789abcdef0123456789abcdef",
        )
        .header("x-tenant", "acme")
        .body(Frames(Vec::new().into_iter()))
        .unwrap()
}

/// One call, whose future and body are always ready.
fn call<S, B>(service: &mut S) -> usize
where
    S: Service<Request<Frames>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    let mut answer = pin!(service.call(black_box(request())));
    let Poll::Ready(Ok(response)) = answer.as_mut().poll(&mut context) else {
        panic!("it is ready");
    };
    let mut body = pin!(response.into_body());
    let mut bytes = 0;
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut context) {
        bytes += frame.data_ref().map_or(0, Bytes::len);
    }
    bytes
}

fn layer(c: &mut Criterion) {
    for (name, kind, frames) in bodies() {
        let answer = move |_: &()| {
            let response = Response::builder().header("content-type", kind);
            let frames = Frames(frames.clone().into_iter());
            ready(Ok::<_, Infallible>(response.body(frames).unwrap()))
        };
        let bytes: usize = answer_len(&answer);
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(bytes as u64));
        let bare = answer.clone();
        let mut bare = service_fn(move |request: Request<Frames>| {
            black_box(&request);
            bare(&())
        });
        group.bench_function(BenchmarkId::from_parameter("without"), |b| {
            b.iter(|| call(&mut bare));
        });
        let recorder = Recorder::in_memory();
        for (which, tenant) in [
            ("with", Source::header("x-tenant")),
            ("with, by the key's hash", Source::key_hash()),
        ] {
            let inner = answer.clone();
            let mut counted = UsageLayer::new(recorder.clone())
                .tenant(tenant)
                .layer(service_fn(move |request| {
                    black_box(&request);
                    inner(&())
                }));
            group.bench_function(BenchmarkId::from_parameter(which), |b| {
                b.iter(|| call(&mut counted));
            });
        }
        group.finish();
    }
}

fn answer_len<F: Future<Output = Result<Response<Frames>, Infallible>>>(
    answer: &impl Fn(&()) -> F,
) -> usize {
    let mut service = service_fn(|_: Request<Frames>| answer(&()));
    call(&mut service)
}

criterion_group!(benches, layer);
criterion_main!(benches);
