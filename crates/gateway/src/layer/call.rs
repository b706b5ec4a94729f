//! One attempt of a call, from its request to its record.

use std::fmt;
use std::mem::take;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode, request, response};
use quipu::{ModelId, Outcome, RecordError, TenantId, UsageRecord};

use super::fields::FieldReader;
use super::labels::Labels;
use super::settings::Settings;
use super::source::{Found, Source};
use crate::prices::must_be_priced_at_once;
use crate::usage::{Extractor, Provider, Usage, UsageState};

/// Stands for a provider or a model that nobody named.
const UNKNOWN: &str = "unknown";

/// Content types of streams, up to their parameters.
const STREAMS: [&str; 4] = [
    "text/event-stream",
    "application/vnd.amazon.eventstream",
    "application/x-ndjson",
    "application/stream+json",
];

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Whoever waited for it went away.
    Dropped,
    /// The body came to its end.
    Whole,
    /// The body failed.
    Failed,
    /// There was no response.
    None,
}

/// A call under way. It is recorded when it is dropped, and so exactly once.
pub(super) struct Call {
    settings: Arc<Settings>,
    /// Until it is recorded.
    extractor: Option<Extractor>,
    labels: Labels,
    tenant: Found,
    model: Found,
    fallback_model: Found,
    /// What reads the request's body.
    reader: Option<FieldReader>,
    started: Instant,
    first_bytes: Option<Instant>,
    status: Option<StatusCode>,
    is_stream: bool,
    ending: Ending,
}

impl Call {
    /// Begins a call; gives what must read its request's body, if anything.
    pub(super) fn begin(
        settings: &Arc<Settings>,
        head: &request::Parts,
    ) -> (Box<Self>, Option<FieldReader>) {
        let started = Instant::now();
        let labels = head.extensions.get::<Labels>().cloned().unwrap_or_default();
        let fields = &settings.fields;
        let find = |source: &Option<Source>| {
            let number = |path: &str| fields.number(path);
            source
                .as_ref()
                .map_or_else(Found::default, |it| it.find(head, number))
        };
        let (tenant, model, fallback_model) = (
            find(&settings.tenant),
            find(&settings.model),
            find(&settings.fallback_model),
        );
        let reader = [&tenant, &model, &fallback_model]
            .into_iter()
            .any(|found| !found.fields.is_empty())
            .then(|| fields.reader());
        let host = head.uri.host().or_else(|| {
            let host = head.headers.get(http::header::HOST);
            host.and_then(|host| host.to_str().ok())
        });
        let mut extractor = Extractor::new().request(host, head.uri.path());
        if let Some(provider) = labels.provider.or(settings.provider) {
            extractor = extractor.provider(provider);
        }
        let call = Self {
            settings: Arc::clone(settings),
            extractor: Some(extractor),
            labels,
            tenant,
            model,
            fallback_model,
            reader: reader.clone(),
            started,
            first_bytes: None,
            status: None,
            is_stream: false,
            ending: Ending::Dropped,
        };
        (Box::new(call), reader)
    }

    /// The response's head is there.
    pub(super) fn answered(&mut self, head: &mut response::Parts) {
        self.status = Some(head.status);
        self.is_stream = is_stream(&head.headers);
        if let Some(extractor) = &mut self.extractor {
            for (name, value) in &head.headers {
                extractor.header(name.as_str(), value.as_bytes());
            }
        }
        if let Some(labels) = head.extensions.remove::<Labels>() {
            if let Some(provider) = labels.provider {
                let told = |extractor: Extractor| extractor.provider(provider);
                self.extractor = self.extractor.take().map(told);
            }
            self.labels = labels.or(take(&mut self.labels));
        }
    }

    /// The next bytes of the body are there.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.first_bytes.is_none() && self.is_stream && !bytes.is_empty() {
            self.first_bytes = Some(Instant::now());
        }
        if let Some(extractor) = &mut self.extractor {
            extractor.push(bytes);
        }
    }

    /// The body came to its end.
    pub(super) fn ended(mut self: Box<Self>) {
        self.ending = Ending::Whole;
    }

    /// The body failed.
    pub(super) fn failed(mut self: Box<Self>) {
        self.ending = Ending::Failed;
    }

    /// There is no response.
    pub(super) fn unanswered(mut self: Box<Self>) {
        self.ending = Ending::None;
    }

    fn outcome(&self, usage: &Usage) -> Outcome {
        match self.status {
            _ if self.ending == Ending::None => Outcome::Other,
            None => Outcome::Cancelled,
            Some(StatusCode::TOO_MANY_REQUESTS) => Outcome::RateLimited,
            Some(StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT) => Outcome::Timeout,
            Some(status) if status.is_client_error() => Outcome::ClientError,
            // Those beyond 599, too, which no standard has.
            Some(status) if status.as_u16() >= 500 => Outcome::UpstreamError,
            _ if usage.is_error || self.ending == Ending::Failed => Outcome::UpstreamError,
            _ if usage.state == UsageState::Complete => Outcome::Ok,
            _ if self.ending == Ending::Dropped => Outcome::Cancelled,
            _ if self.is_stream && usage.state == UsageState::Partial => Outcome::UpstreamError,
            _ => Outcome::Ok,
        }
    }

    /// What the first that has a name says.
    fn name(&self, found: Found) -> Option<String> {
        let reader = self.reader.as_ref();
        let mut fields = found.fields.into_iter();
        let field = reader.and_then(|reader| fields.find_map(|number| reader.value(number)));
        field.or(found.name)
    }

    fn record(&mut self) -> Result<(), RecordError> {
        let usage = self.extractor.take().unwrap_or_default().finish();
        let labels = take(&mut self.labels);
        let [tenant, model, fallback_model] =
            [&mut self.tenant, &mut self.model, &mut self.fallback_model].map(take);
        let recorder = &self.settings.recorder;
        let provider = labels.provider_name.as_deref();
        let known = usage.provider.map(Provider::name);
        let provider = provider.or(known).unwrap_or(UNKNOWN);
        let named = labels.model.or_else(|| self.name(model));
        let is_renamed = named.is_some() || labels.provider_name.is_some();
        let model = named
            .or_else(|| usage.model.clone())
            .or_else(|| self.name(fallback_model));
        let model = model.as_deref().unwrap_or(UNKNOWN);
        let tenant = labels.tenant.or_else(|| self.name(tenant));

        // A recorder that is closed refuses the record, too, and counts that.
        let model = recorder.model(provider, model).unwrap_or(ModelId::OTHER);
        let tenant = tenant.map_or(Ok(TenantId::NONE), |tenant| recorder.tenant(&tenant));
        let mut record = usage
            .put_into(UsageRecord::new(model))
            .tenant(tenant.unwrap_or(TenantId::OTHER))
            .outcome(self.outcome(&usage))
            .streamed(self.is_stream)
            .latency(self.started.elapsed())
            .at(SystemTime::now());
        if let Some(first) = self.first_bytes {
            record = record.time_to_first_token(first - self.started);
        }
        if let Some(nanos) = self.price_at_once(&usage, is_renamed) {
            record = record.cost_nanos(nanos);
        }
        recorder.record(record)
    }

    /// The cost, where the recorder couldn't tell from the record.
    fn price_at_once(&self, usage: &Usage, is_renamed: bool) -> Option<u64> {
        let book = self.settings.prices.as_ref()?;
        let is_by_path = usage.path_model.is_some();
        let at_once = is_renamed || is_by_path || must_be_priced_at_once(usage);
        at_once.then(|| book.load().table.cost_of(usage).ok())?
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // What the recorder doesn't take, it counts as rejected.
        let _ = self.record();
    }
}

fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let kind = kind.and_then(|kind| kind.split(|byte| *byte == b';').next());
    let kind = kind.unwrap_or_default().trim_ascii();
    STREAMS
        .iter()
        .any(|stream| kind.eq_ignore_ascii_case(stream.as_bytes()))
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("status", &self.status)
            .field("ending", &self.ending)
            .finish_non_exhaustive()
    }
}
