//! Answers of the gateway's own: in a shape that the clients of OpenAI and of
//! Anthropic both understand.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

/// Why the gateway doesn't pass a request or its answer on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No route takes the path.
    NoRoute,
    /// The request's body is too long.
    TooLong { most: u64 },
    /// The upstream can't be reached, or broke off.
    Unreachable(String),
    /// It doesn't answer.
    Timeout,
    /// The request can't be put to the upstream.
    Unsendable(String),
    /// The request's body broke off, or isn't one.
    BrokenBody(String),
    /// Methods that concern a proxy itself, or would show what it adds.
    Method,
}

impl Refusal {
    const fn status(&self) -> StatusCode {
        match self {
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreachable(_) => StatusCode::BAD_GATEWAY,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Unsendable(_) | Self::BrokenBody(_) => StatusCode::BAD_REQUEST,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::NoRoute => "not_found_error",
            Self::TooLong { .. } => "request_too_large",
            Self::Unreachable(_) => "upstream_unreachable",
            Self::Timeout => "timeout_error",
            Self::Unsendable(_) | Self::BrokenBody(_) | Self::Method => "invalid_request_error",
        }
    }

    fn message(&self) -> String {
        match self {
            Self::NoRoute => "the gateway has no route for this path".into(),
            Self::TooLong { most } => format!("the body is longer than {most} bytes"),
            Self::Unreachable(why) => {
                format!("the upstream can't be reached, or gives no answer that is one: {why}")
            }
            Self::Timeout => "the upstream didn't answer in time".into(),
            Self::Unsendable(why) => format!("the request can't be sent on: {why}"),
            Self::BrokenBody(why) => format!("the request's body can't be read: {why}"),
            Self::Method => "the gateway passes neither CONNECT nor TRACE on".into(),
        }
    }

    pub(super) fn answer(&self) -> Response<Full<Bytes>> {
        let error = serde_json::json!({
            "type": "error",
            "error": {"type": self.kind(), "message": self.message()},
        });
        let mut response = Response::new(Full::from(error.to_string()));
        *response.status_mut() = self.status();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}
