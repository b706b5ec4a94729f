//! Below a layer that retries, each attempt is a call.

use std::future::{Ready, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use quipu::{Outcome, Recorder};
use quipu_gateway::layer::UsageLayer;
use tower::layer::Layer;
use tower::retry::{Policy, Retry};
use tower::{Service, ServiceExt, service_fn};

use super::inner::{CHAT, answer, recorded};

/// Retries what the provider refused.
#[derive(Clone)]
struct Again;

type Sent = Request<Full<Bytes>>;

impl<B> Policy<Sent, Response<B>, &'static str> for Again {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Sent,
        result: &mut Result<Response<B>, &'static str>,
    ) -> Option<Ready<()>> {
        let is_refused = !matches!(result, Ok(response) if response.status().is_success());
        is_refused.then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Sent) -> Option<Sent> {
        Some(request.clone())
    }
}

#[tokio::test]
async fn every_attempt_is_counted_with_its_own_outcome() {
    let recorder = Recorder::in_memory();
    let mut attempts = 0;
    let inner = service_fn(move |_| {
        attempts += 1;
        let mut response = answer("application/json", Full::<Bytes>::from(CHAT));
        ready(match attempts {
            1 => Err("no connection"),
            2 => {
                *response.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
                Ok(response)
            }
            _ => Ok(response),
        })
    });
    let counted = UsageLayer::new(recorder.clone()).layer(tower::util::BoxService::new(inner));
    let counted = tower::util::BoxService::new(counted);
    // A service that can be cloned, for the retries.
    let counted = std::sync::Arc::new(tokio::sync::Mutex::new(counted));
    let shared = service_fn(move |request: Sent| {
        let counted = std::sync::Arc::clone(&counted);
        async move { counted.lock().await.ready().await?.call(request).await }
    });
    let mut service = Retry::new(Again, shared);
    let request = Request::post("/v1/chat/completions")
        .body(Full::from("{}"))
        .unwrap();
    let response = service.ready().await.unwrap().call(request).await.unwrap();
    let _ = response.into_body().collect().await.unwrap();
    let total = recorded(&recorder, 3).total();
    for outcome in [Outcome::Other, Outcome::RateLimited, Outcome::Ok] {
        assert_eq!(total.outcomes[outcome.index()], 1, "{outcome:?}");
    }
}
