//! `POST /v1/completions`, the older interface.

use serde::Serialize;

use super::DONE;
use super::chat::has_usage_chunk;
use super::usage::ChatUsage;
use crate::mock::call::Call;
use crate::mock::wire::{Layout, Place, Stated, event, json};

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<ChatUsage>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    text: &'a str,
    index: u64,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

fn id(call: &Call) -> String {
    format!("cmpl-mock{:016x}", call.number)
}

/// The answer as one body.
pub(crate) fn plain(call: &Call, out: &mut Vec<u8>) -> Stated {
    let usage = call.usage.field(ChatUsage::of(call));
    completion(call, &call.text(), Some("stop"), usage, |completion| {
        json(out, completion);
    });
    call.usage.states().then(|| call.amounts.kinds())
}

/// Pieces; the reason for the end, the usage where it is wanted, and the end.
pub(crate) fn layout(call: &Call) -> Layout {
    Layout {
        head: 0,
        pieces: call.chunks,
        tail: 2 + u64::from(has_usage_chunk(call)),
    }
}

/// One event of the stream.
pub(crate) fn write(call: &Call, place: Place, out: &mut Vec<u8>) -> Stated {
    let null = has_usage_chunk(call).then_some(None);
    match place {
        Place::Head(_) | Place::Piece => {
            completion(call, call.piece, None, null, |it| event(out, it));
        }
        Place::Tail(0) => completion(call, "", Some("stop"), null, |it| event(out, it)),
        Place::Tail(1) if has_usage_chunk(call) => {
            let chunk = Completion {
                id: &id(call),
                object: "text_completion",
                created: call.created,
                model: &call.model,
                choices: &[],
                usage: call.usage.field(ChatUsage::of(call)),
            };
            event(out, &chunk);
            return call.usage.states().then(|| call.amounts.kinds());
        }
        Place::Tail(_) => out.extend_from_slice(DONE),
    }
    None
}

fn completion(
    call: &Call,
    text: &str,
    finish_reason: Option<&'static str>,
    usage: Option<Option<ChatUsage>>,
    write: impl FnOnce(&Completion<'_>),
) {
    let choice = Choice {
        text,
        index: 0,
        logprobs: None,
        finish_reason,
    };
    write(&Completion {
        id: &id(call),
        object: "text_completion",
        created: call.created,
        model: &call.model,
        choices: &[choice],
        usage,
    });
}
