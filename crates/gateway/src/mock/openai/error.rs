//! Errors in OpenAI's shape.

use serde::Serialize;

use crate::mock::wire::{event, json, named_event};

#[derive(Serialize)]
struct Error<'a> {
    error: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<()>,
    code: Option<&'static str>,
}

impl<'a> Error<'a> {
    fn new(status: u16, message: &'a str) -> Self {
        let (kind, code) = match status {
            401 => ("invalid_request_error", Some("invalid_api_key")),
            404 => ("invalid_request_error", Some("model_not_found")),
            429 => ("requests", Some("rate_limit_exceeded")),
            500.. => ("server_error", None),
            _ => ("invalid_request_error", None),
        };
        Self {
            error: Detail {
                message,
                kind,
                param: None,
                code,
            },
        }
    }
}

/// An error as a body.
pub(crate) fn body(status: u16, message: &str, out: &mut Vec<u8>) {
    json(out, &Error::new(status, message));
}

/// An error in a stream of chat completions or completions.
pub(crate) fn chunk(message: &str, out: &mut Vec<u8>) {
    event(out, &Error::new(500, message));
}

/// An error in a stream of a response.
pub(crate) fn response_event(message: &str, index: u64, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Event<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        code: &'static str,
        message: &'a str,
        param: Option<()>,
        sequence_number: u64,
    }
    let error = Event {
        kind: "error",
        code: "server_error",
        message,
        param: None,
        sequence_number: index,
    };
    named_event(out, error.kind, &error);
}
