//! From a request to its answer.

use std::future::pending;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body as AnyBody;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::sleep;

use super::Mock;
use super::amounts::Amounts;
use super::asked::{Asked, Wish};
use super::body::{Body, Cut, Ending, Events, Gzip, Padding, Source, gzipped, spoil};
use super::call::{Call, Embeddings, UsageForm};
use super::faults::Fault;
use super::interface::{Interface, Protocol};
use super::request;
use super::served::{Outcome, Ticket};
use super::wire::json;

pub(super) const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream; charset=utf-8";

/// Marks a response that is not to be sent: the connection is to be closed.
#[derive(Clone, Debug)]
pub(super) struct CloseInstead;

/// A piece of an answer's text.
const PIECE: &str = "knot ";
/// The same where the text is not to be UTF-8; see `spoil`.
const SPOILED_PIECE: &str = "kn\u{fffd} ";

/// Numbers of an embedding, and how many there may be; inputs of one request.
const DIMENSIONS: u64 = 8;
const MOST_DIMENSIONS: u64 = 8192;
const MOST_INPUTS: u64 = 2048;

/// A reset throws away what HTTP/2 hasn't written yet, and nothing tells when
/// it has.
const BEFORE_HTTP2_RESET: Duration = Duration::from_millis(50);

/// Why a request gets an error for an answer.
struct Refusal {
    status: u16,
    message: String,
}

impl Refusal {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

/// Answers a request, and counts it.
pub(super) async fn answer(
    mock: &Mock,
    interface: Interface,
    request: Request,
) -> Response<AnyBody> {
    let mut ticket = mock.served.begin();
    let number = mock.requests.fetch_add(1, Ordering::Relaxed);
    let id = format!("req_mock{number:016x}");
    match prepare(mock, interface, number, request, &mut ticket).await {
        Ok(prepared) => prepared.answer(ticket, &id).await,
        Err(refusal) => {
            ticket.settle(Outcome::Error(refusal.status));
            error(interface.protocol(), &id, refusal.status, &refusal.message)
        }
    }
}

/// An error in the protocol's own shape.
pub(super) fn error(protocol: Protocol, id: &str, status: u16, message: &str) -> Response<AnyBody> {
    let mut response = Response::new(AnyBody::from(protocol.error(status, message, id)));
    // All that can be asked for are statuses.
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set_headers(
        response.headers_mut(),
        protocol,
        id,
        HeaderValue::from_static(JSON),
    );
    response
}

/// Seconds since 1970.
pub(super) fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn set_headers(headers: &mut HeaderMap, protocol: Protocol, id: &str, kind: HeaderValue) {
    headers.insert(CONTENT_TYPE, kind);
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static(protocol.id_header()), id);
    }
}

/// A request that was understood.
struct Prepared {
    interface: Interface,
    call: Call,
    is_stream: bool,
    fault: Option<Fault>,
    first: Duration,
    gap: Duration,
    cut: Cut,
    /// Time for what is before a reset to leave.
    before_reset: Duration,
}

async fn prepare(
    mock: &Mock,
    interface: Interface,
    number: u64,
    request: Request,
    ticket: &mut Ticket,
) -> Result<Prepared, Refusal> {
    let settings = &mock.settings;
    let (head, body) = request.into_parts();
    let asked = Asked::read(&head.headers).map_err(|why| Refusal::new(400, why))?;
    let bytes = Limited::new(body, settings.body_bytes).collect().await;
    let bytes = bytes.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Refusal::new(413, "The request's body is too large.")
        } else {
            Refusal::new(400, "The request's body broke off.")
        }
    })?;
    if let Some(key) = &settings.key
        && !has_key(&head.headers, key)
    {
        return Err(Refusal::new(401, "That is not the mock's key."));
    }
    let body: request::Body = serde_json::from_slice(&bytes.to_bytes())
        .map_err(|why| Refusal::new(400, format!("The request's body can't be read: {why}.")))?;
    let Some(model) = &body.model else {
        return Err(Refusal::new(400, "The request names no model."));
    };

    let chunks = asked.chunks.unwrap_or(settings.pace.chunks).get();
    let fault = match &asked.fault {
        Some(Wish::Fault(fault)) => Some(fault.clone()),
        Some(Wish::None) => None,
        None => settings
            .fault
            .clone()
            .or_else(|| settings.dice.fault(number, chunks)),
    };
    let amounts = amounts(interface, &body, &asked, settings.output)?;
    ticket.is_for(model, amounts.kinds());
    if let Some(Fault::Status(status)) = fault {
        return Err(Refusal::new(status, "The mock was told to fail."));
    }
    let is_spoiled = fault == Some(Fault::InvalidUtf8);
    let call = Call {
        number,
        created: seconds(),
        model: model.clone(),
        amounts,
        chunks,
        piece: if is_spoiled { SPOILED_PIECE } else { PIECE },
        usage: match fault {
            Some(Fault::NoUsage) => UsageForm::LeftOut,
            Some(Fault::NullUsage) => UsageForm::Null,
            Some(Fault::Contradiction) => UsageForm::Contradicting,
            _ => UsageForm::Given,
        },
        include_usage: body.wants_usage(),
        embeddings: embeddings(&body)?,
    };
    let is_stream = interface.can_stream() && body.stream == Some(true);
    if matches!(fault, Some(Fault::ErrorAfter(_))) && !is_stream {
        return Err(Refusal::new(500, "The mock was told to fail."));
    }
    let mut cut = Cut {
        bytes: asked.chunk_bytes,
        gap: Duration::ZERO,
    };
    if let Some(Fault::Slow(gap)) = fault {
        cut = Cut {
            bytes: std::num::NonZeroUsize::new(1),
            gap,
        };
    }
    Ok(Prepared {
        interface,
        call,
        is_stream,
        fault,
        first: asked.first.unwrap_or(settings.pace.first),
        gap: asked.gap.unwrap_or(settings.pace.gap),
        cut,
        before_reset: match head.version {
            Version::HTTP_2 => BEFORE_HTTP2_RESET,
            _ => Duration::ZERO,
        },
    })
}

/// Whether the key is there, in either protocol's way.
fn has_key(headers: &HeaderMap, key: &str) -> bool {
    let bearer = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let bearer = bearer.and_then(|value| value.strip_prefix(b"Bearer "));
    let plain = headers.get("x-api-key").map(HeaderValue::as_bytes);
    bearer == Some(key.as_bytes()) || plain == Some(key.as_bytes())
}

fn amounts(
    interface: Interface,
    body: &request::Body,
    asked: &Asked,
    output: u64,
) -> Result<Amounts, Refusal> {
    let output = match asked.output {
        Some(output) => output,
        None if interface.has_output() => body.max_tokens().unwrap_or(output),
        None => 0,
    };
    let amounts = Amounts {
        input: asked.input.unwrap_or_else(|| body.text().tokens()),
        output,
        ..asked.rest
    };
    match interface.cannot_say(&amounts) {
        None => Ok(amounts),
        Some(name) => {
            let path = interface.path();
            let why = format!("{path} has no field for what x-mock-{name} asks for.");
            Err(Refusal::new(400, why))
        }
    }
}

fn embeddings(body: &request::Body) -> Result<Embeddings, Refusal> {
    let asked = Embeddings {
        inputs: body.inputs(),
        dimensions: body.dimensions.unwrap_or(DIMENSIONS),
        is_base64: body.encoding_format.as_deref() == Some("base64"),
    };
    if asked.inputs > MOST_INPUTS || asked.dimensions > MOST_DIMENSIONS {
        let why = format!("At most {MOST_INPUTS} inputs, and {MOST_DIMENSIONS} dimensions.");
        return Err(Refusal::new(400, why));
    }
    Ok(asked)
}

impl Prepared {
    async fn answer(self, ticket: Ticket, id: &str) -> Response<AnyBody> {
        if !self.first.is_zero() {
            sleep(self.first).await;
        }
        match self.fault {
            Some(Fault::Hang) => pending().await,
            Some(Fault::Reset) => {
                ticket.settle(Outcome::Reset);
                let mut response = Response::new(AnyBody::empty());
                response.extensions_mut().insert(CloseInstead);
                return response;
            }
            _ => {}
        }
        let mut kind = HeaderValue::from_static(if self.is_stream { EVENTS } else { JSON });
        if let Some(Fault::WrongType(wrong)) = &self.fault {
            kind = wrong.clone();
        }
        let is_gzipped = matches!(self.fault, Some(Fault::Gzip | Fault::Bomb(_)));
        let (is_stream, protocol) = (self.is_stream, self.interface.protocol());
        let body = self.body(ticket);
        let mut response = Response::new(AnyBody::new(body));
        let headers = response.headers_mut();
        set_headers(headers, protocol, id, kind);
        if is_stream {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        if is_gzipped {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    fn body(self, ticket: Ticket) -> Body {
        match self.fault {
            Some(Fault::Bomb(gib)) => {
                let (head, tail) = self.around_padding();
                self.padded(Padding::gzipped(&head, gib, &tail), ticket)
            }
            Some(Fault::Huge(mib)) => {
                let (head, tail) = self.around_padding();
                self.padded(Padding::plain(head, mib, tail), ticket)
            }
            _ if self.is_stream => self.events(ticket),
            _ => self.plain(ticket),
        }
    }

    fn padded(&self, padding: Padding, ticket: Ticket) -> Body {
        let ending = Ending::Whole(Outcome::Complete);
        Body::new(Source::Padding(padding), self.cut, ending, ticket)
    }

    /// An object with a text that has no end yet, as a body or as an event,
    /// and its end.
    fn around_padding(&self) -> (Vec<u8>, Vec<u8>) {
        let (mut head, mut tail) = (Vec::new(), b"\"}".to_vec());
        if self.is_stream {
            head.extend_from_slice(b"data: ");
            tail.extend_from_slice(b"\n\n");
        }
        head.extend_from_slice(b"{\"model\":");
        json(&mut head, &self.call.model);
        head.extend_from_slice(b",\"padding\":\"");
        (head, tail)
    }

    fn plain(self, ticket: Ticket) -> Body {
        let mut bytes = Vec::new();
        let mut stated = self.interface.plain(&self.call, &mut bytes);
        if self.fault == Some(Fault::InvalidUtf8) {
            spoil(&mut bytes);
        }
        let ending = match self.fault {
            Some(Fault::Truncate) => Ending::Whole(Outcome::Truncated),
            Some(Fault::ResetAfter(_)) => Ending::Reset(self.before_reset),
            Some(Fault::HangAfter(_)) => Ending::Never,
            _ => Ending::Whole(Outcome::Complete),
        };
        if ending != Ending::Whole(Outcome::Complete) {
            // A body has no events to end after; its usage is in the other half.
            bytes.truncate(bytes.len() / 2);
            stated = None;
        }
        if self.fault == Some(Fault::Gzip) {
            bytes = gzipped(&bytes);
        }
        Body::plain(Bytes::from(bytes), stated, ending, ticket).cut(self.cut)
    }

    fn events(self, ticket: Ticket) -> Body {
        let layout = self.interface.layout(&self.call);
        let mut events = Events::new(self.interface, self.call);
        events.gap = self.gap;
        let ending = match self.fault {
            Some(Fault::Truncate) => {
                events.end = layout.text_end();
                Ending::Whole(Outcome::Truncated)
            }
            Some(Fault::ErrorAfter(count)) => {
                events.end = count.min(layout.text_end());
                events.ends_with_error = true;
                Ending::Whole(Outcome::Broken)
            }
            Some(Fault::ResetAfter(count)) => {
                events.end = count.min(layout.events());
                Ending::Reset(self.before_reset)
            }
            Some(Fault::HangAfter(count)) => {
                events.end = count.min(layout.events());
                Ending::Never
            }
            _ => Ending::Whole(Outcome::Complete),
        };
        if self.fault == Some(Fault::Gzip) {
            events.gzip = Some(Gzip::default());
        }
        let is_empty = events.end == 0 && !events.ends_with_error;
        let source = if is_empty {
            Source::Done
        } else {
            Source::Events(Box::new(events))
        };
        Body::new(source, self.cut, ending, ticket)
    }
}
