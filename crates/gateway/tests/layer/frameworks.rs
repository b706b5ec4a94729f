//! The layer in axum.

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use http::Request;
use http_body_util::BodyExt;
use quipu::Recorder;
use quipu_gateway::layer::{Source, UsageLayer};
use tower::ServiceExt;

use super::inner::{CHAT, only};

#[tokio::test]
async fn axum_takes_it_for_a_router() {
    let recorder = Recorder::in_memory();
    let layer = UsageLayer::new(recorder.clone()).tenant(Source::path_segment(0));
    let echo = async |body: String| format!("{CHAT}{}", &body[..0]);
    let router: Router = Router::new()
        .route("/{team}/v1/chat/completions", post(echo))
        .layer(layer);
    let request = Request::post("/red/v1/chat/completions").body(Body::from("{}"));
    let response = router.oneshot(request.unwrap()).await.unwrap();
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), CHAT);
    let row = only(&recorder);
    assert_eq!((row.tenant.as_str(), row.totals.requests), ("red", 1));
}
