//! Which request goes where.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Response, Uri};
use axum::routing::{get, post};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::service::TowerToHyperService;

use super::Mock;
use super::answer::{self, CloseInstead, JSON, seconds};
use super::body::Closed;
use super::interface::{Interface, Protocol};
use super::served::Outcome;
use super::wire::json;
use super::{anthropic, openai};
use crate::serve::BoxError;

/// The mock as a service; it fails where the connection is to be closed.
pub(crate) fn service(
    mock: Arc<Mock>,
) -> impl Service<
    hyper::Request<Incoming>,
    Response = Response<Body>,
    Error = BoxError,
    Future: Send + 'static,
> + Clone
+ Send
+ 'static {
    let router = TowerToHyperService::new(router(mock));
    service_fn(move |request| {
        let response = router.call(request);
        async move {
            let response = response.await?;
            match response.extensions().get::<CloseInstead>() {
                Some(_) => Err(BoxError::from(Closed)),
                None => Ok(response),
            }
        }
    })
}

fn router(mock: Arc<Mock>) -> Router {
    let mut router = Router::new()
        .route("/v1/models", get(models))
        .route("/served", get(served))
        .route("/served/reset", post(reset))
        .fallback(not_found);
    for interface in Interface::ALL {
        let handler = move |State(mock): State<Arc<Mock>>, request: Request| async move {
            answer::answer(&mock, interface, request).await
        };
        router = router.route(interface.path(), post(handler));
    }
    // Only routes that are there by now have it.
    router
        .method_not_allowed_fallback(wrong_method)
        .with_state(mock)
}

async fn models(State(mock): State<Arc<Mock>>, headers: HeaderMap) -> Response<Body> {
    let mut out = Vec::new();
    let models = &mock.settings.models;
    if headers.contains_key("anthropic-version") {
        anthropic::models::list(models, &mut out);
    } else {
        openai::models::list(models, seconds(), &mut out);
    }
    in_json(out)
}

async fn served(State(mock): State<Arc<Mock>>) -> Response<Body> {
    let mut out = Vec::new();
    json(&mut out, &mock.served.report());
    in_json(out)
}

async fn reset(State(mock): State<Arc<Mock>>) -> Response<Body> {
    mock.served.reset();
    in_json(b"{}".to_vec())
}

async fn not_found(State(mock): State<Arc<Mock>>, uri: Uri) -> Response<Body> {
    let message = format!("The mock has nothing at {}.", uri.path());
    refuse(&mock, &uri, 404, &message)
}

async fn wrong_method(State(mock): State<Arc<Mock>>, uri: Uri) -> Response<Body> {
    let message = format!("{} takes another method.", uri.path());
    refuse(&mock, &uri, 405, &message)
}

fn refuse(mock: &Mock, uri: &Uri, status: u16, message: &str) -> Response<Body> {
    let protocol = if uri.path().starts_with("/v1/messages") {
        Protocol::Anthropic
    } else {
        Protocol::OpenAi
    };
    mock.served.begin().settle(Outcome::Error(status));
    answer::error(protocol, "req_mock", status, message)
}

fn in_json(body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}
