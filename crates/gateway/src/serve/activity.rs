//! What is under way on a connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use hyper::Response;
use hyper::body::{Body, Frame, SizeHint};
use hyper::service::Service;
use pin_project_lite::pin_project;

/// Connections of a server with requests under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Busy(Arc<AtomicUsize>);

impl Busy {
    /// How many.
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// A connection that nothing has come over yet.
    pub(super) fn connection(&self) -> Activity {
        Activity(Arc::new(Counts {
            begun: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
            busy: self.clone(),
        }))
    }
}

/// Counts the requests of one connection. A request is under way from its
/// headers until its answer's body has been taken over whole.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    begun: AtomicU64,
    under_way: AtomicUsize,
    busy: Busy,
}

impl Activity {
    /// The same service, whose requests are counted here.
    pub(super) fn watch<S>(&self, service: S) -> Watched<S> {
        Watched {
            service,
            activity: self.clone(),
        }
    }

    /// Requests that have come so far.
    pub(super) fn begun(&self) -> u64 {
        self.0.begun.load(Ordering::Acquire)
    }

    /// Whether none is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.0.under_way.load(Ordering::Acquire) == 0
    }

    fn begin(&self) -> UnderWay {
        let counts = &self.0;
        counts.begun.fetch_add(1, Ordering::AcqRel);
        if counts.under_way.fetch_add(1, Ordering::AcqRel) == 0 {
            counts.busy.0.fetch_add(1, Ordering::AcqRel);
        }
        UnderWay(self.clone())
    }
}

/// One request under way; it has ended when this is dropped.
#[derive(Debug)]
struct UnderWay(Activity);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Activity(counts) = &self.0;
        if counts.under_way.fetch_sub(1, Ordering::AcqRel) == 1 {
            counts.busy.0.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// A service whose requests are counted.
#[derive(Clone, Debug)]
pub(super) struct Watched<S> {
    service: S,
    activity: Activity,
}

impl<R, B, S: Service<R, Response = Response<B>>> Service<R> for Watched<S> {
    type Response = Response<WatchedBody<B>>;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    fn call(&self, request: R) -> Self::Future {
        let under_way = Some(self.activity.begin());
        Answer {
            answer: self.service.call(request),
            under_way,
        }
    }
}

pin_project! {
    /// An answer to come.
    #[derive(Debug)]
    pub(super) struct Answer<F> {
        #[pin]
        answer: F,
        under_way: Option<UnderWay>,
    }
}

impl<F, B, E> Future for Answer<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<WatchedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx));
        let under_way = this.under_way.take();
        Poll::Ready(answer.map(|response| response.map(|body| WatchedBody { body, under_way })))
    }
}

pin_project! {
    /// A body of an answer that is under way.
    #[derive(Debug)]
    pub(super) struct WatchedBody<B> {
        #[pin]
        body: B,
        under_way: Option<UnderWay>,
    }
}

impl<B: Body> Body for WatchedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
