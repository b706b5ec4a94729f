//! What a layer was told, shared by its services and calls.

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use quipu::Recorder;

use super::fields::Fields;
use super::source::Source;
use crate::prices::PriceBook;
use crate::usage::Provider;

type Filter = dyn Fn(&Parts) -> bool + Send + Sync;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) recorder: Recorder,
    pub(super) tenant: Option<Source>,
    pub(super) model: Option<Source>,
    pub(super) fallback_model: Option<Source>,
    pub(super) provider: Option<Provider>,
    pub(super) prices: Option<Arc<PriceBook>>,
    pub(super) filter: Option<Arc<Filter>>,
    /// Whether bodies may come compressed, which nobody reads.
    pub(super) keeps_encoding: bool,
    /// What the sources ask of bodies.
    pub(super) fields: Arc<Fields>,
}

impl Settings {
    pub(super) fn new(recorder: Recorder) -> Self {
        Self {
            recorder,
            tenant: None,
            model: None,
            fallback_model: None,
            provider: None,
            prices: None,
            filter: None,
            keeps_encoding: false,
            fields: Arc::default(),
        }
    }

    /// Finds out again what the sources ask of bodies.
    pub(super) fn look_at_sources(&mut self) {
        let sources = [&self.tenant, &self.model, &self.fallback_model];
        self.fields = Arc::new(Fields::of(sources.into_iter().flatten()));
    }

    /// Whether a request is a model call.
    pub(super) fn is_call(&self, head: &Parts) -> bool {
        match &self.filter {
            Some(filter) => filter(head),
            None => is_post_of_a_call(head),
        }
    }
}

/// What is posted, but for what only counts tokens.
fn is_post_of_a_call(head: &Parts) -> bool {
    const COUNTERS: [&str; 3] = ["/count_tokens", ":countTokens", "/input_tokens"];
    let path = head.uri.path();
    head.method == http::Method::POST && !COUNTERS.iter().any(|end| path.ends_with(end))
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("tenant", &self.tenant)
            .field("model", &self.model)
            .field("fallback_model", &self.fallback_model)
            .field("provider", &self.provider)
            .field("keeps_encoding", &self.keeps_encoding)
            .finish_non_exhaustive()
    }
}
