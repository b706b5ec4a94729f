//! An answer's body: from events to bytes, cut and paced as it is asked for,
//! and what of it has been handed over.

mod gzip;
mod padding;
mod source;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

pub(super) use gzip::{Gzip, gzipped};
pub(super) use padding::Padding;
pub(super) use source::{Events, Source, spoil};

use super::amounts::Kinds;
use super::served::{Outcome, Ticket};

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// As bodies do.
    Whole(Outcome),
    /// The connection is closed, so long after the last byte was handed over.
    Reset(Duration),
    /// It doesn't, until the client leaves.
    Never,
}

/// The mock closes the connection here.
#[derive(Debug)]
pub(super) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the mock was told to close the connection here")
    }
}

impl std::error::Error for Closed {}

/// How the bytes are handed over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cut {
    /// So many at a time, wherever that cuts.
    pub(super) bytes: Option<NonZeroUsize>,
    /// Time between two of these.
    pub(super) gap: Duration,
}

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Body {
    source: Source,
    /// What was written and not handed over yet.
    pending: Bytes,
    cut: Cut,
    wait: Option<Pin<Box<Sleep>>>,
    ending: Ending,
    written: u64,
    handed: u64,
    /// Counts that were written, with where the bytes that state them end.
    statements: VecDeque<(u64, Kinds)>,
    is_flushed: bool,
    /// Gone with the end of the body.
    ticket: Option<Ticket>,
}

impl Body {
    /// A body of these bytes, which state these counts.
    pub(super) fn plain(
        bytes: Bytes,
        stated: Option<Kinds>,
        ending: Ending,
        ticket: Ticket,
    ) -> Self {
        let mut body = Self::new(Source::Done, Cut::default(), ending, ticket);
        body.pending = bytes;
        body.written = body.pending.len() as u64;
        body.statements = stated
            .map(|kinds| (body.written, kinds))
            .into_iter()
            .collect();
        body
    }

    /// A body that is written while it is handed over.
    pub(super) fn new(source: Source, cut: Cut, ending: Ending, ticket: Ticket) -> Self {
        Self {
            source,
            pending: Bytes::new(),
            cut,
            wait: None,
            ending,
            written: 0,
            handed: 0,
            statements: VecDeque::new(),
            is_flushed: false,
            ticket: Some(ticket),
        }
    }

    pub(super) fn cut(mut self, cut: Cut) -> Self {
        self.cut = cut;
        self
    }

    /// The next bytes for the client, if enough are written.
    fn hand_over(&mut self) -> Option<Bytes> {
        let is_last = self.source.is_done();
        let whole = self.pending.len();
        let length = match self.cut.bytes {
            Some(bytes) if is_last => bytes.get().min(whole),
            Some(bytes) => bytes.get(),
            None => whole,
        };
        if length == 0 || length > whole {
            return None;
        }
        let bytes = self.pending.split_to(length);
        self.handed += bytes.len() as u64;
        while let Some((end, kinds)) = self.statements.front()
            && *end <= self.handed
        {
            if let Some(ticket) = &mut self.ticket {
                ticket.states(*kinds);
            }
            self.statements.pop_front();
        }
        if is_last && self.pending.is_empty() {
            // Whoever asks whether this was the end doesn't ask for more.
            if let Ending::Whole(outcome) = self.ending {
                self.settle(outcome);
            }
        } else if !self.cut.gap.is_zero() {
            self.wait = Some(Box::pin(sleep(self.cut.gap)));
        }
        Some(bytes)
    }

    /// Takes what the source writes next.
    fn take(&mut self, bytes: Bytes, stated: Option<Kinds>) {
        self.written += bytes.len() as u64;
        self.pending = if self.pending.is_empty() {
            bytes
        } else {
            let mut both = BytesMut::with_capacity(self.pending.len() + bytes.len());
            both.extend_from_slice(&self.pending);
            both.extend_from_slice(&bytes);
            both.freeze()
        };
        if let Some(kinds) = stated {
            self.statements.push_back((self.written, kinds));
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        if let Some(ticket) = self.ticket.take() {
            ticket.settle(outcome);
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        loop {
            if self.ticket.is_none() {
                return Poll::Ready(None);
            }
            if let Some(wait) = &mut self.wait {
                ready!(wait.as_mut().poll(context));
                self.wait = None;
            }
            if let Some(bytes) = self.hand_over() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if self.source.is_done() {
                return self.end(context);
            }
            match self.source.pause() {
                Some(pause) => self.wait = Some(Box::pin(sleep(pause))),
                None => {
                    let (bytes, stated) = self.source.next();
                    self.take(bytes, stated);
                }
            }
        }
    }

    fn end(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        match self.ending {
            Ending::Whole(outcome) => {
                self.settle(outcome);
                Poll::Ready(None)
            }
            // What was handed over is to leave before the connection closes: the
            // server writes it out when there is nothing more to take.
            Ending::Reset(after) if !self.is_flushed => {
                self.is_flushed = true;
                if after.is_zero() {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                self.wait = Some(Box::pin(sleep(after)));
                self.poll(context)
            }
            Ending::Reset(_) => {
                self.settle(Outcome::Reset);
                Poll::Ready(Some(Err(Closed)))
            }
            // The server drops the body when the client leaves.
            Ending::Never => Poll::Pending,
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        self.get_mut().poll(context)
    }

    fn is_end_stream(&self) -> bool {
        self.ticket.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (self.source.is_done(), self.ending) {
            (true, Ending::Whole(Outcome::Truncated)) => SizeHint::default(),
            (true, Ending::Whole(_)) => SizeHint::with_exact(self.pending.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
