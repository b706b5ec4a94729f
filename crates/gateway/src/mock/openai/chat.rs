//! `POST /v1/chat/completions`.

use serde::Serialize;

use super::DONE;
use super::usage::ChatUsage;
use crate::mock::call::Call;
use crate::mock::wire::{Layout, Place, Stated, event, json};

#[derive(Serialize)]
struct Completion<'a, C> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [C],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<ChatUsage>>,
    service_tier: &'static str,
    system_fingerprint: Option<&'static str>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u64,
    message: Message<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    refusal: Option<()>,
    annotations: [(); 0],
}

#[derive(Serialize)]
struct Piece<'a> {
    index: u64,
    delta: Delta<'a>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Option<()>>,
}

fn id(call: &Call) -> String {
    format!("chatcmpl-mock{:016x}", call.number)
}

fn stated(call: &Call) -> Stated {
    call.usage.states().then(|| call.amounts.kinds())
}

/// The answer as one body.
pub(crate) fn plain(call: &Call, out: &mut Vec<u8>) -> Stated {
    let choice = Choice {
        index: 0,
        message: Message {
            role: "assistant",
            content: &call.text(),
            refusal: None,
            annotations: [],
        },
        logprobs: None,
        finish_reason: "stop",
    };
    json(
        out,
        &Completion {
            id: &id(call),
            object: "chat.completion",
            created: call.created,
            model: &call.model,
            choices: &[choice],
            usage: call.usage.field(ChatUsage::of(call)),
            service_tier: "default",
            system_fingerprint: None,
        },
    );
    stated(call)
}

/// Whether a stream ends with a chunk for the usage.
pub(super) fn has_usage_chunk(call: &Call) -> bool {
    call.include_usage && call.usage.field(()).is_some()
}

/// The role; pieces; the reason for the end, the usage where it is wanted,
/// and the end.
pub(crate) fn layout(call: &Call) -> Layout {
    Layout {
        head: 1,
        pieces: call.chunks,
        tail: 2 + u64::from(has_usage_chunk(call)),
    }
}

/// One event of the stream.
pub(crate) fn write(call: &Call, place: Place, out: &mut Vec<u8>) -> Stated {
    let is_usage = place == Place::Tail(1) && has_usage_chunk(call);
    let delta = match place {
        Place::Head(_) => Delta {
            role: Some("assistant"),
            content: Some(""),
            refusal: Some(None),
        },
        Place::Piece => Delta {
            content: Some(call.piece),
            ..Delta::default()
        },
        Place::Tail(0) => Delta::default(),
        Place::Tail(_) if is_usage => Delta::default(),
        Place::Tail(_) => {
            out.extend_from_slice(DONE);
            return None;
        }
    };
    let piece = [Piece {
        index: 0,
        delta,
        logprobs: None,
        finish_reason: (place == Place::Tail(0)).then_some("stop"),
    }];
    let usage = if is_usage {
        call.usage.field(ChatUsage::of(call))
    } else {
        // Null, for a stream that will have it.
        has_usage_chunk(call).then_some(None)
    };
    event(
        out,
        &Completion {
            id: &id(call),
            object: "chat.completion.chunk",
            created: call.created,
            model: &call.model,
            choices: if is_usage { &[] } else { &piece },
            usage,
            service_tier: "default",
            system_fingerprint: None,
        },
    );
    is_usage.then(|| stated(call)).flatten()
}
