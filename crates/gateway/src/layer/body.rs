//! The response's body on its way out.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::call::Call;

pin_project! {
    /// A response's body, unchanged and never held up. The call is recorded
    /// when it ends, fails or is dropped.
    #[derive(Debug)]
    pub struct UsageBody<B> {
        #[pin]
        inner: B,
        // Gone when it is recorded, or where nothing is to be.
        call: Option<Box<Call>>,
    }
}

impl<B: Body> UsageBody<B> {
    pub(super) fn new(inner: B, mut call: Option<Box<Call>>) -> Self {
        if is_at_end(&inner)
            && let Some(call) = call.take()
        {
            call.ended();
        }
        Self { inner, call }
    }
}

/// Whether nothing more comes: whoever knows the length of a body doesn't ask
/// it for its end.
fn is_at_end<B: Body>(body: &B) -> bool {
    body.is_end_stream() || body.size_hint().exact() == Some(0)
}

impl<B: Body<Data = Bytes>> Body for UsageBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        let Some(call) = this.call else {
            return Poll::Ready(frame);
        };
        match &frame {
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    call.push(bytes);
                }
                if is_at_end(this.inner.as_ref().get_ref()) {
                    end(this.call, Call::ended);
                }
            }
            Some(Err(_)) => end(this.call, Call::failed),
            None => end(this.call, Call::ended),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn end(call: &mut Option<Box<Call>>, how: fn(Box<Call>)) {
    if let Some(call) = call.take() {
        how(call);
    }
}
