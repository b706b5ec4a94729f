//! The way of a request to its response.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::UsageBody;
use super::call::Call;

pin_project! {
    /// What a [`UsageService`](super::UsageService) answers with. A call whose
    /// response nobody waits for any more is recorded as cancelled.
    #[derive(Debug)]
    pub struct UsageFuture<F> {
        #[pin]
        inner: F,
        call: Option<Box<Call>>,
    }
}

impl<F> UsageFuture<F> {
    pub(super) const fn new(inner: F, call: Option<Box<Call>>) -> Self {
        Self { inner, call }
    }
}

impl<F, B, E> Future for UsageFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<UsageBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(cx));
        let mut call = this.call.take();
        Poll::Ready(match outcome {
            Ok(response) => {
                let (mut head, body) = response.into_parts();
                if let Some(call) = &mut call {
                    call.answered(&mut head);
                }
                Ok(Response::from_parts(head, UsageBody::new(body, call)))
            }
            Err(error) => {
                if let Some(call) = call {
                    call.unanswered();
                }
                Err(error)
            }
        })
    }
}
