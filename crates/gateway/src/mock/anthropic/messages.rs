//! `POST /v1/messages`.

use serde::Serialize;

use super::usage::{Usage, first_kinds};
use crate::mock::call::Call;
use crate::mock::wire::{Layout, Place, Stated, json, named_event};

#[derive(Serialize)]
struct Message<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: &'a [Block<'a>],
    stop_reason: Option<&'static str>,
    stop_sequence: Option<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
}

#[derive(Clone, Copy, Serialize)]
struct Block<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
}

/// An event; which fields it has goes by its type.
#[derive(Default, Serialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_block: Option<Block<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<Delta<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Delta<'a> {
    Text(Block<'a>),
    Stop {
        stop_reason: &'static str,
        stop_sequence: Option<()>,
    },
}

fn message<'a>(
    call: &'a Call,
    id: &'a str,
    content: &'a [Block<'a>],
    stop_reason: Option<&'static str>,
    usage: Usage,
) -> Message<'a> {
    Message {
        id,
        kind: "message",
        role: "assistant",
        model: &call.model,
        content,
        stop_reason,
        stop_sequence: None,
        usage: call.usage.field(usage),
    }
}

fn id(call: &Call) -> String {
    format!("msg_mock{:016x}", call.number)
}

fn block(text: &str) -> Block<'_> {
    Block { kind: "text", text }
}

/// The answer as one body.
pub(crate) fn plain(call: &Call, out: &mut Vec<u8>) -> Stated {
    let text = call.text();
    let content = [block(&text)];
    let usage = Usage::of(call);
    json(
        out,
        &message(call, &id(call), &content, Some("end_turn"), usage),
    );
    call.usage.states().then(|| call.amounts.kinds())
}

/// The message and its block begin, a ping; pieces; the block ends, the usage,
/// the message ends.
pub(crate) fn layout(call: &Call) -> Layout {
    Layout {
        head: 3,
        pieces: call.chunks,
        tail: 3,
    }
}

/// One event of the stream.
pub(crate) fn write(call: &Call, place: Place, out: &mut Vec<u8>) -> Stated {
    let id = id(call);
    let mut stated = None;
    let event = match place {
        Place::Head(0) => {
            stated = Some(first_kinds(&call.amounts));
            Event {
                kind: "message_start",
                message: Some(message(call, &id, &[], None, Usage::at_start(call))),
                ..Event::default()
            }
        }
        Place::Head(1) => Event {
            kind: "content_block_start",
            index: Some(0),
            content_block: Some(block("")),
            ..Event::default()
        },
        Place::Head(_) => Event {
            kind: "ping",
            ..Event::default()
        },
        Place::Piece => Event {
            kind: "content_block_delta",
            index: Some(0),
            delta: Some(Delta::Text(Block {
                kind: "text_delta",
                text: call.piece,
            })),
            ..Event::default()
        },
        Place::Tail(0) => Event {
            kind: "content_block_stop",
            index: Some(0),
            ..Event::default()
        },
        Place::Tail(1) => {
            stated = Some(call.amounts.kinds());
            Event {
                kind: "message_delta",
                delta: Some(Delta::Stop {
                    stop_reason: "end_turn",
                    stop_sequence: None,
                }),
                usage: call.usage.field(Usage::of(call)),
                ..Event::default()
            }
        }
        Place::Tail(_) => Event {
            kind: "message_stop",
            ..Event::default()
        },
    };
    named_event(out, event.kind, &event);
    stated.filter(|_| call.usage.states())
}
