//! Errors in Anthropic's shape.

use serde::Serialize;

use crate::mock::wire::{json, named_event};

#[derive(Serialize)]
struct Error<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: Detail<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Detail<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
}

fn error<'a>(status: u16, message: &'a str, request_id: Option<&'a str>) -> Error<'a> {
    let kind = match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    Error {
        kind: "error",
        error: Detail { kind, message },
        request_id,
    }
}

/// An error as a body.
pub(crate) fn body(status: u16, message: &str, request_id: &str, out: &mut Vec<u8>) {
    json(out, &error(status, message, Some(request_id)));
}

/// An error in a stream.
pub(crate) fn event(message: &str, out: &mut Vec<u8>) {
    named_event(out, "error", &error(529, message, None));
}
