//! Where requests come in that are not for the gateway itself.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response};
use http_body_util::Limited;
use quipu_gateway::layer::{UsageLayer, UsageService};
use tower_layer::Layer;
use tower_service::Service;

use super::forward::Forward;
use super::refusal::Refusal;
use super::routes::Routes;

/// Finds a request's route, and sends it on its way.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    routes: Routes,
    most_body: u64,
    forward: Forward,
    /// `None` where calls are not recorded.
    counted: Option<UsageService<Forward>>,
}

impl Entry {
    pub(super) fn new(
        routes: Routes,
        most_body: u64,
        forward: Forward,
        layer: Option<&UsageLayer>,
    ) -> Self {
        Self {
            routes,
            most_body,
            counted: layer.map(|layer| layer.layer(forward.clone())),
            forward,
        }
    }

    /// The request with its route, or why it doesn't go anywhere.
    fn admit(&self, mut request: Request<Body>) -> Result<Request<Limited<Body>>, Refusal> {
        if [Method::CONNECT, Method::TRACE].contains(request.method()) {
            return Err(Refusal::Method);
        }
        if climbs(request.uri().path()) {
            let why = "its path has segments of dots".to_owned();
            return Err(Refusal::Unsendable(why));
        }
        let route = self
            .routes
            .find(request.uri().path())
            .ok_or(Refusal::NoRoute)?;
        let length = request.headers().get(CONTENT_LENGTH);
        let length: Option<u64> = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let most = self.most_body;
        if length.is_some_and(|length| length > most) {
            return Err(Refusal::TooLong { most });
        }
        let extensions = request.extensions_mut();
        extensions.insert(route.labels.clone());
        extensions.insert(Arc::clone(route));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Ok(request.map(|body| Limited::new(body, most)))
    }
}

/// Whether a path would lead out of its route once somebody resolves it.
fn climbs(path: &str) -> bool {
    // Nearly all paths have neither.
    if !path.contains(['.', '%']) {
        return false;
    }
    path.split(['/', '\\']).any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        let plain = plain.split("%2f").flat_map(|part| part.split("%5c"));
        plain.into_iter().any(|part| part == "." || part == "..")
    })
}

impl Service<Request<Body>> for Entry {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let request = match self.admit(request) {
            Ok(request) => request,
            Err(refusal) => {
                let answer = refusal.answer().map(Body::new);
                return Box::pin(std::future::ready(Ok(answer)));
            }
        };
        match &mut self.counted {
            Some(counted) => {
                let answer = counted.call(request);
                Box::pin(async move { answer.await.map(|response| response.map(Body::new)) })
            }
            None => {
                let answer = self.forward.clone().pass(request);
                Box::pin(async move { Ok(answer.await.map(Body::new)) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_dots_are_told_from_dots_in_names() {
        for path in [
            "/v1/../x",
            "/..",
            "/./v1",
            "/v1/%2e%2E/x",
            "/a%2f..%2fb",
            "/a\\..",
            "/v1/.%2e",
        ] {
            assert!(climbs(path), "{path}");
        }
        for path in [
            "/",
            "//",
            "/v1/models/gpt-4.1",
            "/a..b/.hidden",
            "/v1beta/models/x:y",
        ] {
            assert!(!climbs(path), "{path}");
        }
    }
}
