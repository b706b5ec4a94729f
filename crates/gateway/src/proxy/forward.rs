//! The way to the upstream and back.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{Either, Full, LengthLimitError};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

use super::headers::{for_upstream, leave_hop};
use super::refusal::Refusal;
use super::routes::{Route, Routes};

/// Time to open a connection to an upstream.
const CONNECT: Duration = Duration::from_secs(10);

/// Time that an unused connection is kept.
const IDLE: Duration = Duration::from_secs(60);

/// What the upstream said, or the gateway in its place.
pub(super) type Answer = Either<Incoming, Full<Bytes>>;

/// Sends requests to the upstream of the [`Route`] in their extensions, over
/// connections that are kept.
#[derive(Clone, Debug)]
pub(super) struct Forward {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    most_body: u64,
}

impl Forward {
    /// One for these routes. The system's certificates are read only where
    /// somebody needs them.
    pub(super) fn new(routes: &Routes, most_body: u64) -> io::Result<Self> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT));
        http.set_keepalive(Some(IDLE));
        let https = HttpsConnectorBuilder::new();
        let https = if routes.need_certificates() {
            https.with_native_roots()?
        } else {
            let config = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
            https.with_tls_config(config.with_no_client_auth())
        };
        let https = https
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(https);
        Ok(Self { client, most_body })
    }

    /// Sends a request; gives what its client is to get.
    pub(super) async fn pass<B>(self, request: Request<B>) -> Response<Answer>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        match self.send(request.map(Body::new)).await {
            Ok(response) => response.map(Either::Left),
            Err(refusal) => refusal.answer().map(Either::Right),
        }
    }

    async fn send(self, request: Request<Body>) -> Result<Response<Incoming>, Refusal> {
        let (mut head, body) = request.into_parts();
        let route = head
            .extensions
            .remove::<Arc<Route>>()
            .ok_or(Refusal::NoRoute)?;
        let unsendable = |error: http::Error| Refusal::Unsendable(error.to_string());
        head.uri = route.target(&head.uri).map_err(unsendable)?;
        // What the client speaks is no matter of the upstream's.
        head.version = Version::HTTP_11;
        for_upstream(&mut head.headers, route.key.as_ref());
        let request = Request::from_parts(head, body);
        let answer = tokio::time::timeout(route.timeout, self.client.request(request));
        let response = match answer.await {
            Err(_) => return Err(Refusal::Timeout),
            Ok(Err(error)) if is_too_long(&error) => {
                return Err(Refusal::TooLong {
                    most: self.most_body,
                });
            }
            Ok(Err(error)) if is_of_body(&error) => {
                return Err(Refusal::BrokenBody(reason(&error)));
            }
            Ok(Err(error)) => return Err(Refusal::Unreachable(reason(&error))),
            Ok(Ok(response)) => response,
        };
        let (mut head, body) = response.into_parts();
        leave_hop(&mut head.headers);
        head.version = Version::HTTP_11;
        Ok(Response::from_parts(head, body))
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(<dyn Error>::is::<LengthLimitError>)
}

/// Whether it is the client's body that failed, not the upstream.
fn is_of_body(error: &(dyn Error + 'static)) -> bool {
    let mut causes = causes(error).filter_map(|cause| cause.downcast_ref::<hyper::Error>());
    causes.any(hyper::Error::is_user)
}

/// The last cause says most.
fn reason(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

impl<B> Service<Request<B>> for Forward
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let passed = self.clone().pass(request);
        Box::pin(async move { Ok(passed.await) })
    }
}
