//! Services for the layer to go around, and what was recorded of their calls.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use quipu::{Outcome, Recorder, RowTotals, Snapshot, TokenKind};
use quipu_gateway::layer::{RequestBody, UsageBody, UsageLayer};
use tower::layer::Layer;
use tower::{Service, ServiceExt, service_fn};

/// OpenAI's answer: 8 tokens of input, 2 of them cached, and 3 of output.
pub(crate) const CHAT: &str = r#"{"id":"x","object":"chat.completion","model":"gpt-4o-mini",
    "choices":[{"index":0,"message":{"role":"assistant","content":"hé"},"finish_reason":"stop"}],
    "usage":{"prompt_tokens":8,"completion_tokens":3,"total_tokens":11,
    "prompt_tokens_details":{"cached_tokens":2}}}"#;

/// Anthropic's events: 5 tokens of input, and 1, then 7 of output.
pub(crate) const EVENTS: [&str; 4] = [
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-x\",\
     \"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\
     \"end_turn\"},\"usage\":{\"output_tokens\":7}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
];

/// What a body is made of, frame by frame.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Data(&'static [u8]),
    Trailers(HeaderMap),
    Failure,
    /// Nothing comes, for ever.
    Silence,
}

/// A body of pieces, of unknown length.
#[derive(Clone, Debug)]
pub(crate) struct Pieces(VecDeque<Piece>);

impl Pieces {
    pub(crate) fn new(pieces: impl IntoIterator<Item = Piece>) -> Self {
        Self(pieces.into_iter().collect())
    }

    pub(crate) fn data(pieces: &[&'static str]) -> Self {
        Self::new(pieces.iter().map(|piece| Piece::Data(piece.as_bytes())))
    }

    pub(crate) fn then(mut self, piece: Piece) -> Self {
        self.0.push_back(piece);
        self
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        if let Some(Piece::Silence) = self.0.front() {
            return Poll::Pending;
        }
        Poll::Ready(self.0.pop_front().map(|piece| match piece {
            Piece::Data(bytes) => Ok(Frame::data(Bytes::from_static(bytes))),
            Piece::Trailers(trailers) => Ok(Frame::trailers(trailers)),
            Piece::Failure => Err("reset"),
            Piece::Silence => unreachable!(),
        }))
    }
}

pub(crate) type Text = Full<Bytes>;

/// A request to OpenAI's chat completions.
pub(crate) fn chat(body: &'static str) -> Request<Text> {
    Request::post("http://gateway/v1/chat/completions")
        .header("x-tenant", "acme")
        .header("accept-encoding", "gzip, br")
        .body(Full::from(body))
        .unwrap()
}

/// A response with this content type.
pub(crate) fn answer<B>(kind: &str, body: B) -> Response<B> {
    let response = Response::builder().header("content-type", kind);
    response.body(body).unwrap()
}

pub(crate) fn stream(body: Pieces) -> Response<Pieces> {
    answer("text/event-stream; charset=utf-8", body)
}

/// Calls a service through the layer. The service reads all of the request's
/// body first, as a client does.
pub(crate) async fn call<B: Body<Data = Bytes> + Clone>(
    layer: &UsageLayer,
    request: Request<Text>,
    response: Response<B>,
) -> Response<UsageBody<B>> {
    let inner = service_fn(move |request: Request<RequestBody<Text>>| {
        let response = response.clone();
        async move {
            let _ = request.into_body().collect().await.unwrap();
            Ok::<_, Infallible>(response)
        }
    });
    let mut service = layer.layer(inner);
    service.ready().await.unwrap().call(request).await.unwrap()
}

/// All calls that were recorded, of which there must be so many.
pub(crate) fn recorded(recorder: &Recorder, calls: u64) -> Arc<Snapshot> {
    recorder.flush(Duration::from_secs(30)).unwrap();
    let stats = recorder.stats();
    assert_eq!((stats.committed, stats.rejected), (calls, 0));
    recorder.snapshot()
}

/// The only call that was recorded.
pub(crate) fn only(recorder: &Recorder) -> RowTotals {
    let rows = recorded(recorder, 1).rows();
    let [row] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    row.clone()
}

/// How a call that was the only one ended.
pub(crate) fn outcome(row: &RowTotals) -> Outcome {
    let outcomes = Outcome::ALL.into_iter().zip(row.totals.outcomes);
    let counted: Vec<_> = outcomes.filter(|(_, calls)| *calls > 0).collect();
    let [(outcome, 1)] = counted.as_slice() else {
        panic!("{counted:?}");
    };
    *outcome
}

/// Input, cache reads and output, and whether each was reported.
pub(crate) fn tokens(row: &RowTotals) -> [Option<u64>; 3] {
    let kinds = [TokenKind::Input, TokenKind::CacheRead, TokenKind::Output];
    kinds.map(|kind| {
        let is_reported = row.totals.reported[kind.index()] > 0;
        is_reported.then(|| row.totals.token(kind))
    })
}
