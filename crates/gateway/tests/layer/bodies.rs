//! Bodies pass as they are, frame by frame; what isn't a call passes unseen.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use quipu::{Outcome, Recorder};
use quipu_gateway::layer::UsageLayer;
use tower::layer::Layer;
use tower::{Service, ServiceExt, service_fn};

use super::inner::{
    CHAT, EVENTS, Piece, Pieces, answer, call, chat, only, outcome, recorded, stream, tokens,
};

#[tokio::test]
async fn frames_and_trailers_are_the_same_and_come_at_once() {
    let recorder = Recorder::in_memory();
    let layer = UsageLayer::new(recorder.clone());
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let pieces = Pieces::data(&EVENTS).then(Piece::Trailers(trailers.clone()));
    let mut body = call(&layer, chat("{}"), stream(pieces)).await.into_body();
    for event in EVENTS {
        // Nothing waits for what comes later.
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), event);
    }
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_trailers().unwrap(), trailers);
    assert!(body.frame().await.is_none());
    assert_eq!(outcome(&only(&recorder)), Outcome::Ok);
}

#[tokio::test]
async fn lengths_are_still_known() {
    let layer = UsageLayer::new(Recorder::in_memory());
    let response = answer("application/json", Full::<Bytes>::from(CHAT));
    let body = call(&layer, chat("{}"), response).await.into_body();
    assert_eq!(body.size_hint().exact(), Some(CHAT.len() as u64));
    assert!(!body.is_end_stream());
}

#[tokio::test]
async fn bodies_cut_anywhere_are_read() {
    let whole = EVENTS.concat().leak().as_bytes();
    for size in [1, 2, 3, 7, 64] {
        let recorder = Recorder::in_memory();
        let layer = UsageLayer::new(recorder.clone());
        let pieces = Pieces::new(whole.chunks(size).map(Piece::Data));
        let body = call(&layer, chat("{}"), stream(pieces)).await.into_body();
        assert_eq!(body.collect().await.unwrap().to_bytes(), whole);
        assert_eq!(tokens(&only(&recorder)), [Some(5), None, Some(7)]);
    }
}

#[tokio::test]
async fn a_compressed_body_passes_and_is_recorded_without_usage() {
    let recorder = Recorder::in_memory();
    let layer = UsageLayer::new(recorder.clone());
    let gzip = Pieces::new([Piece::Data(b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x02\x03")]);
    let mut response = answer("application/json", gzip);
    let encoding = HeaderValue::from_static("gzip");
    response.headers_mut().insert("content-encoding", encoding);
    let response = call(&layer, chat("{}"), response).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&body[..4], b"\x1f\x8b\x08\0");
    let row = only(&recorder);
    assert_eq!((outcome(&row), tokens(&row)), (Outcome::Ok, [None; 3]));
}

/// Answers with the request's `accept-encoding` and body.
async fn asked_for(layer: &UsageLayer) -> (String, Bytes) {
    let inner = service_fn(async |request: Request<_>| {
        let asked = request.headers()["accept-encoding"].clone();
        let body: quipu_gateway::layer::RequestBody<Full<Bytes>> = request.into_body();
        let body = body.collect().await.unwrap().to_bytes();
        let response = Response::builder().header("asked", asked);
        Ok::<_, http::Error>(response.body(Full::from(body)).unwrap())
    });
    let mut service = layer.layer(inner);
    let answer = service
        .ready()
        .await
        .unwrap()
        .call(chat("{\"a\": 1}"))
        .await;
    let answer = answer.unwrap();
    let asked = answer.headers()["asked"].to_str().unwrap().to_owned();
    (
        asked,
        answer.into_body().collect().await.unwrap().to_bytes(),
    )
}

#[tokio::test]
async fn bodies_are_asked_for_uncompressed_unless_told_otherwise() {
    let layer = UsageLayer::new(Recorder::in_memory());
    assert_eq!(
        asked_for(&layer).await,
        ("identity".into(), "{\"a\": 1}".into())
    );
    let layer = layer.keep_accept_encoding();
    assert_eq!(asked_for(&layer).await.0, "gzip, br");
}

#[tokio::test]
async fn only_calls_are_recorded() {
    let recorder = Recorder::in_memory();
    let layer = UsageLayer::new(recorder.clone());
    let send = async |layer: &UsageLayer, method: Method, path: &str| {
        let mut request = chat("{}");
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        let response = answer("application/json", Pieces::data(&[CHAT]));
        let response = call(layer, request, response).await;
        let body = response.into_body().collect().await.unwrap();
        assert_eq!(body.to_bytes(), CHAT, "{path}");
    };
    for (method, path) in [
        (Method::GET, "/v1/models"),
        (Method::DELETE, "/v1/responses/1"),
        (Method::POST, "/v1/messages/count_tokens"),
        (Method::POST, "/v1beta/models/gemini:countTokens"),
        (Method::POST, "/v1/responses/input_tokens"),
    ] {
        send(&layer, method, path).await;
    }
    recorded(&recorder, 0);
    send(&layer, Method::POST, "/v1/chat/completions").await;
    recorded(&recorder, 1);
    let layer = layer.only(|head| head.uri.path().starts_with("/llm/"));
    send(&layer, Method::POST, "/v1/chat/completions").await;
    recorded(&recorder, 1);
    send(&layer, Method::PUT, "/llm/x").await;
    recorded(&recorder, 2);
}
