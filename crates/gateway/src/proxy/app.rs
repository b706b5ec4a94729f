//! The gateway as one service, with pages of its own.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use quipu::Recorder;
use quipu_gateway::layer::{Source, UsageLayer};

use super::config::Config;
use super::entry::Entry;
use super::forward::Forward;
use super::metrics;
use super::prices::PriceLists;
use super::routes::Routes;
use super::usage;

/// Everything that the gateway's pages tell of.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    pub(crate) recorder: Recorder,
    pub(crate) prices: Option<Arc<PriceLists>>,
    pub(crate) metrics_by_tenant: bool,
}

impl Gateway {
    /// What passes clients' requests on; with the gateway's own pages where
    /// those have no address of their own.
    ///
    /// # Errors
    /// The system's certificates can't be read.
    pub(crate) fn service(&self, config: &Config, routes: Routes) -> io::Result<Router> {
        let most_body = config.max_body_bytes;
        let forward = Forward::new(&routes, most_body)?;
        let layer = config.record.then(|| self.layer(config));
        let entry = Entry::new(routes, most_body, forward, layer.as_ref());
        let own = match config.admin {
            Some(_) => Router::new(),
            None => pages(self.clone()),
        };
        Ok(own.fallback_service(entry))
    }

    fn layer(&self, config: &Config) -> UsageLayer {
        let mut layer =
            UsageLayer::new(self.recorder.clone()).fallback_model(Source::json("model"));
        if let Some(tenant) = config.tenant() {
            layer = layer.tenant(tenant);
        }
        if let Some(lists) = &self.prices {
            layer = layer.prices(Arc::clone(lists.book()));
        }
        layer
    }
}

/// `/healthz`, `/usage` and `/metrics`.
pub(crate) fn pages(gateway: Gateway) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/usage", get(show_usage))
        .route("/metrics", get(show_metrics))
        .with_state(gateway)
}

fn json(status: StatusCode, value: &impl serde::Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => (status, [(CONTENT_TYPE, "application/json")], text + "\n").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Fine as long as calls pass, which they do in any trouble of the store or of
/// price lists: that is told, not failed for.
async fn health(State(gateway): State<Gateway>) -> Response {
    let degraded = gateway.recorder.stats().degraded;
    let status = if degraded.is_some() { "degraded" } else { "ok" };
    let prices = gateway.prices.as_ref().map(|lists| {
        let error = lists.refused();
        serde_json::json!({"version": lists.version(), "error": error.as_deref()})
    });
    let health = serde_json::json!({
        "status": status,
        "degraded": degraded,
        "prices": prices,
    });
    json(StatusCode::OK, &health)
}

async fn show_usage(State(gateway): State<Gateway>, RawQuery(query): RawQuery) -> Response {
    match usage::Question::parse(query.as_deref().unwrap_or_default()) {
        Ok(question) => {
            let recorder = &gateway.recorder;
            let answer = usage::answer(&question, &recorder.snapshot(), &recorder.stats());
            json(StatusCode::OK, &answer)
        }
        Err(what) => {
            let error = serde_json::json!({"error": {"type": "bad_query", "message": what}});
            json(StatusCode::BAD_REQUEST, &error)
        }
    }
}

async fn show_metrics(State(gateway): State<Gateway>, headers: HeaderMap) -> Response {
    let accept = headers.get_all(ACCEPT).into_iter();
    let format = metrics::accepted(accept.filter_map(|value| value.to_str().ok()));
    let recorder = &gateway.recorder;
    let text = metrics::text(
        format,
        &recorder.snapshot(),
        &recorder.stats(),
        gateway.prices.as_deref(),
        gateway.metrics_by_tenant,
    );
    ([(CONTENT_TYPE, format.content_type())], text).into_response()
}
