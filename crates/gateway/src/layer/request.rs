//! The request's body on its way in.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::fields::FieldReader;

pin_project! {
    /// A request's body, unchanged; fields that tenants or models are taken
    /// from are read while it passes.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        // Gone when nothing more is looked for.
        reader: Option<FieldReader>,
    }
}

impl<B> RequestBody<B> {
    pub(super) const fn new(inner: B, reader: Option<FieldReader>) -> Self {
        Self { inner, reader }
    }
}

impl<B: Body<Data = Bytes>> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        if let (Some(reader), Some(Ok(frame))) = (this.reader.as_ref(), &frame)
            && let Some(bytes) = frame.data_ref()
            && !reader.push(bytes)
        {
            *this.reader = None;
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
