//! The layer and its services.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use quipu::Recorder;
use tower_layer::Layer;
use tower_service::Service;

use super::body::UsageBody;
use super::call::Call;
use super::future::UsageFuture;
use super::request::RequestBody;
use super::settings::Settings;
use super::source::Source;
use crate::prices::PriceBook;
use crate::usage::Provider;

/// Records each model call that passes through a service, exactly once: when
/// the response's body ends, when it fails, or when whoever waits for it goes
/// away.
///
/// | what happens | [`Outcome`](quipu::Outcome) |
/// |---|---|
/// | the body ends, or is dropped after its final counts | `Ok` |
/// | 429; 408 and 504; any other 4xx; any other from 500 on | `RateLimited`; `Timeout`; `ClientError`; `UpstreamError` |
/// | the body fails, holds an error, or is a stream that ends between its first and its final counts | `UpstreamError` |
/// | future or body is dropped before | `Cancelled` |
/// | the service fails without a response | `Other` |
///
/// A body that ends as HTTP wants it and is cut all the same, such as half a JSON
/// text or a stream without its end marker, is `Ok` if none of this applies: not
/// all providers have such a mark, and not all streams have usage. Its tokens are
/// missing, or estimated.
///
/// Latency is the time until the body's end, time to first token that until
/// the first bytes of an event stream. What the body said until then is
/// recorded, whatever happened.
///
/// The client's bytes are passed on as they are, when they are there. The layer
/// asks for bodies that aren't compressed (`accept-encoding: identity`); one
/// that comes compressed all the same is passed on, and its call recorded
/// without usage.
///
/// Adds some microseconds to a call and a few nanoseconds to each byte of its
/// body, in the thread that passes it on; docs/gateway.md has the figures.
///
/// ```
/// use quipu::Recorder;
/// use quipu_gateway::layer::{Source, UsageLayer};
///
/// let recorder = Recorder::in_memory();
/// let layer = UsageLayer::new(recorder.clone())
///     .tenant(Source::header("x-tenant").or(Source::key_hash()))
///     .fallback_model(Source::json("model"));
/// # let _ = layer;
/// ```
#[derive(Clone, Debug)]
pub struct UsageLayer {
    settings: Arc<Settings>,
}

impl UsageLayer {
    /// A layer that records with this recorder. Calls have no tenant, and the
    /// model that the response names.
    #[must_use]
    pub fn new(recorder: Recorder) -> Self {
        Self {
            settings: Arc::new(Settings::new(recorder)),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        let settings = Arc::make_mut(&mut self.settings);
        change(settings);
        settings.look_at_sources();
        self
    }

    /// Where the tenant is taken from; [`Labels`](super::Labels) go before.
    /// Names come from clients: their number is limited by
    /// [`max_tenants`](quipu::Builder::max_tenants).
    #[must_use]
    pub fn tenant(self, source: Source) -> Self {
        self.with(|it| it.tenant = Some(source))
    }

    /// Where the model's name is taken from, in place of what the response
    /// says. Prices go by it, unless they are told at once: see
    /// [`prices`](Self::prices).
    #[must_use]
    pub fn model(self, source: Source) -> Self {
        self.with(|it| it.model = Some(source))
    }

    /// Where the model's name is taken from when the response names none, as
    /// with errors. Without it such calls are of the model `unknown`.
    #[must_use]
    pub fn fallback_model(self, source: Source) -> Self {
        self.with(|it| it.fallback_model = Some(source))
    }

    /// Who answers. Without it that is told by the request's host and path, and
    /// by the response's body.
    #[must_use]
    pub fn provider(self, provider: Provider) -> Self {
        self.with(|it| it.provider = Some(provider))
    }

    /// Prices calls at once whose price depends on what a record can't hold:
    /// [`must_be_priced_at_once`](crate::prices::must_be_priced_at_once). All
    /// others are left to the recorder's [`Pricer`](crate::prices::Pricer).
    #[must_use]
    pub fn prices(self, book: Arc<PriceBook>) -> Self {
        self.with(|it| it.prices = Some(book))
    }

    /// Which requests are model calls; without it those with the method POST,
    /// but for what only counts tokens. All others pass unrecorded.
    #[must_use]
    pub fn only(self, is_call: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.with(|it| it.filter = Some(Arc::new(is_call)))
    }

    /// Leaves `accept-encoding` as the client sent it: where bodies are
    /// compressed on the way out only, outside of this layer.
    #[must_use]
    pub fn keep_accept_encoding(self) -> Self {
        self.with(|it| it.keeps_encoding = true)
    }
}

impl<S> Layer<S> for UsageLayer {
    type Service = UsageService<S>;

    fn layer(&self, inner: S) -> UsageService<S> {
        UsageService {
            inner,
            settings: Arc::clone(&self.settings),
        }
    }
}

/// A service whose calls are recorded; see [`UsageLayer`].
#[derive(Clone, Debug)]
pub struct UsageService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S, B, R> Service<Request<B>> for UsageService<S>
where
    S: Service<Request<RequestBody<B>>, Response = Response<R>>,
    B: Body<Data = Bytes>,
    R: Body<Data = Bytes>,
{
    type Response = Response<UsageBody<R>>;
    type Error = S::Error;
    type Future = UsageFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        if !self.settings.is_call(&head) {
            let request = Request::from_parts(head, RequestBody::new(body, None));
            return UsageFuture::new(self.inner.call(request), None);
        }
        if !self.settings.keeps_encoding {
            let identity = HeaderValue::from_static("identity");
            head.headers.insert(ACCEPT_ENCODING, identity);
        }
        let (call, reader) = Call::begin(&self.settings, &head);
        let request = Request::from_parts(head, RequestBody::new(body, reader));
        UsageFuture::new(self.inner.call(request), Some(call))
    }
}
