//! However a call ends, it is recorded, once, with what it had used by then.

use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use quipu::{Label, Outcome, Recorder};
use quipu_gateway::layer::{Source, UsageLayer};
use tower::layer::Layer;
use tower::{Service, ServiceExt, service_fn};

use super::inner::{
    CHAT, EVENTS, Piece, Pieces, answer, call, chat, only, outcome, recorded, stream, tokens,
};

#[tokio::test]
async fn a_body_that_ends_is_a_call_that_went_well() {
    let recorder = Recorder::in_memory();
    let layer = UsageLayer::new(recorder.clone()).tenant(Source::header("x-tenant"));
    let response = call(
        &layer,
        chat("{}"),
        answer("application/json", Pieces::data(&[CHAT])),
    )
    .await;
    recorded(&recorder, 0);
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), CHAT);
    let row = only(&recorder);
    assert_eq!(outcome(&row), Outcome::Ok);
    assert_eq!(tokens(&row), [Some(6), Some(2), Some(3)]);
    let names = [&row.provider, &row.model, &row.tenant].map(Label::as_str);
    assert_eq!(names, ["openai", "gpt-4o-mini", "acme"]);
    let totals = &row.totals;
    assert_eq!(
        (totals.streamed, totals.estimated, totals.latency.count),
        (0, 0, 1)
    );
    assert_eq!(totals.time_to_first_token.count, 0);
}

#[tokio::test]
async fn a_stream_has_a_time_to_its_first_token() {
    let recorder = Recorder::in_memory();
    let layer = UsageLayer::new(recorder.clone());
    let response = call(&layer, chat("{}"), stream(Pieces::data(&EVENTS))).await;
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), EVENTS.concat());
    let row = only(&recorder);
    assert_eq!(outcome(&row), Outcome::Ok);
    assert_eq!(tokens(&row), [Some(5), None, Some(7)]);
    let totals = &row.totals;
    assert_eq!((totals.streamed, totals.time_to_first_token.count), (1, 1));
    assert!(totals.time_to_first_token.sum_us <= totals.latency.sum_us);
    assert_eq!(
        (row.provider.as_str(), row.tenant.as_str()),
        ("anthropic", "")
    );
}

#[tokio::test]
async fn who_goes_away_has_used_what_was_said_until_then() {
    // Frames that are taken, and what is known then.
    let cases = [
        (0, Outcome::Cancelled, [None, None, None], 0),
        (2, Outcome::Cancelled, [Some(5), None, Some(1)], 1),
        // Nothing is missing but the end itself.
        (3, Outcome::Ok, [Some(5), None, Some(7)], 0),
    ];
    for (frames, ended, used, estimated) in cases {
        let recorder = Recorder::in_memory();
        let layer = UsageLayer::new(recorder.clone());
        let pieces = Pieces::data(&EVENTS[..frames]).then(Piece::Silence);
        let mut body = call(&layer, chat("{}"), stream(pieces)).await.into_body();
        for _ in 0..frames {
            body.frame().await.unwrap().unwrap();
        }
        recorded(&recorder, 0);
        drop(body);
        let row = only(&recorder);
        assert_eq!(outcome(&row), ended, "{frames}");
        assert_eq!(tokens(&row), used, "{frames}");
        assert_eq!(row.totals.estimated, estimated, "{frames}");
    }
}

#[tokio::test]
async fn a_stream_that_fails_or_ends_early_is_the_providers_failure() {
    let cut = Pieces::data(&EVENTS[..2]);
    for (pieces, is_failure) in [(cut.clone().then(Piece::Failure), true), (cut, false)] {
        let recorder = Recorder::in_memory();
        let layer = UsageLayer::new(recorder.clone());
        let response = call(&layer, chat("{}"), stream(pieces)).await;
        let body = response.into_body().collect().await;
        assert_eq!(body.is_err(), is_failure, "the client is told");
        let row = only(&recorder);
        assert_eq!(outcome(&row), Outcome::UpstreamError);
        assert_eq!(tokens(&row), [Some(5), None, Some(1)]);
        assert_eq!(row.totals.estimated, 1);
    }
}

#[tokio::test]
async fn an_error_within_a_stream_is_one() {
    let recorder = Recorder::in_memory();
    let layer = UsageLayer::new(recorder.clone());
    let error =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";
    let pieces = Pieces::data(&[EVENTS[0], error]);
    let response = call(&layer, chat("{}"), stream(pieces)).await;
    let _ = response.into_body().collect().await.unwrap();
    assert_eq!(outcome(&only(&recorder)), Outcome::UpstreamError);
}

#[tokio::test]
async fn the_status_tells_whose_failure_it_is() {
    let cases = [
        (200, Outcome::Ok),
        (201, Outcome::Ok),
        (307, Outcome::Ok),
        (400, Outcome::ClientError),
        (401, Outcome::ClientError),
        (408, Outcome::Timeout),
        (429, Outcome::RateLimited),
        (500, Outcome::UpstreamError),
        (504, Outcome::Timeout),
        (529, Outcome::UpstreamError),
        (600, Outcome::UpstreamError),
        (999, Outcome::UpstreamError),
    ];
    for (status, expected) in cases {
        let recorder = Recorder::in_memory();
        let layer = UsageLayer::new(recorder.clone()).fallback_model(Source::json("model"));
        let mut response = answer("application/json", Pieces::data(&["{}"]));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let response = call(&layer, chat(r#"{"model": "m"}"#), response).await;
        assert_eq!(response.status(), status);
        let _ = response.into_body().collect().await.unwrap();
        let row = only(&recorder);
        assert_eq!(outcome(&row), expected, "{status}");
        assert_eq!(tokens(&row), [None; 3]);
        assert_eq!((row.provider.as_str(), row.model.as_str()), ("openai", "m"));
    }
}

#[tokio::test]
async fn a_call_without_a_response_is_recorded_too() {
    let recorder = Recorder::in_memory();
    let layer = UsageLayer::new(recorder.clone());
    let failing = service_fn(async |_| Err::<Response<Pieces>, _>("no connection"));
    let mut service = layer.layer(failing);
    let error = service.ready().await.unwrap().call(chat("{}")).await;
    assert_eq!(error.unwrap_err(), "no connection");
    let row = only(&recorder);
    assert_eq!(outcome(&row), Outcome::Other);
    assert_eq!(
        (row.provider.as_str(), row.model.as_str()),
        ("openai", "unknown")
    );
}

#[tokio::test]
async fn nobody_waits_for_the_response_any_more() {
    let recorder = Recorder::in_memory();
    let layer = UsageLayer::new(recorder.clone());
    let silent =
        service_fn(async |_| std::future::pending::<Result<Response<Pieces>, &str>>().await);
    let mut service = layer.layer(silent);
    let mut answer = Box::pin(service.ready().await.unwrap().call(chat("{}")));
    assert!(futures_ready(&mut answer).is_none());
    recorded(&recorder, 0);
    drop(answer);
    assert_eq!(outcome(&only(&recorder)), Outcome::Cancelled);
}

/// What a future has now, without waiting.
fn futures_ready<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn a_body_of_known_length_ends_with_its_last_byte() {
    let recorder = Recorder::in_memory();
    let layer = UsageLayer::new(recorder.clone());
    let response = answer("application/json", Full::<bytes::Bytes>::from(CHAT));
    let mut body = call(&layer, chat("{}"), response).await.into_body();
    // As a server does, which counts the bytes and asks no more.
    body.frame().await.unwrap().unwrap();
    assert_eq!(outcome(&only(&recorder)), Outcome::Ok);
    drop(body);
    recorded(&recorder, 1);

    let response = answer("application/json", Full::<bytes::Bytes>::from(""));
    let body = call(&layer, chat("{}"), response).await.into_body();
    recorded(&recorder, 2);
    drop(body);
    recorded(&recorder, 2);
}

#[tokio::test]
async fn a_closed_recorder_is_nobodys_failure() {
    let recorder = Recorder::in_memory();
    let layer = UsageLayer::new(recorder.clone()).tenant(Source::header("x-tenant"));
    recorder.close(std::time::Duration::from_secs(30)).unwrap();
    let response = call(
        &layer,
        chat("{}"),
        answer("application/json", Pieces::data(&[CHAT])),
    )
    .await;
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        CHAT
    );
    let stats = recorder.stats();
    assert_eq!((stats.committed, stats.rejected), (0, 1));
}

#[tokio::test]
async fn a_service_that_panics_has_had_one_call() {
    let recorder = Recorder::in_memory();
    let layer = UsageLayer::new(recorder.clone());
    let mut service = layer.layer(service_fn(async |_| -> Result<Response<Pieces>, &str> {
        panic!("in the service")
    }));
    let call = tokio::spawn(async move { service.call(chat("{}")).await.map(drop) });
    assert!(call.await.unwrap_err().is_panic());
    assert_eq!(outcome(&only(&recorder)), Outcome::Cancelled);
}
