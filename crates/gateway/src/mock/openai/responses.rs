//! `POST /v1/responses`.

use serde::Serialize;

use super::usage::ResponseUsage;
use crate::mock::call::Call;
use crate::mock::wire::{Layout, Place, Stated, json, named_event};

/// Events before the first piece of text.
const HEAD: u64 = 4;

#[derive(Serialize)]
struct Response<'a> {
    id: &'a str,
    object: &'static str,
    created_at: u64,
    status: &'static str,
    error: Option<()>,
    incomplete_details: Option<()>,
    instructions: Option<()>,
    max_output_tokens: Option<()>,
    metadata: Nothing,
    model: &'a str,
    output: &'a [Item<'a>],
    parallel_tool_calls: bool,
    previous_response_id: Option<()>,
    reasoning: Reasoning,
    service_tier: &'static str,
    store: bool,
    temperature: f64,
    text: TextFormat,
    tool_choice: &'static str,
    tools: [(); 0],
    top_p: f64,
    truncation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<ResponseUsage>>,
    user: Option<()>,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Reasoning {
    effort: Option<()>,
    summary: Option<()>,
}

#[derive(Serialize)]
struct TextFormat {
    format: Format,
}

#[derive(Serialize)]
struct Format {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    role: &'static str,
    content: &'a [Part<'a>],
}

#[derive(Clone, Copy, Serialize)]
struct Part<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    annotations: [(); 0],
    logprobs: [(); 0],
    text: &'a str,
}

impl<'a> Part<'a> {
    const fn new(text: &'a str) -> Self {
        Self {
            kind: "output_text",
            annotations: [],
            logprobs: [],
            text,
        }
    }
}

/// An event; which fields it has goes by its type.
#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    sequence_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Response<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Item<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Part<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<[(); 0]>,
}

impl<'a> Event<'a> {
    const fn new(kind: &'static str, sequence_number: u64) -> Self {
        Self {
            kind,
            sequence_number,
            response: None,
            output_index: None,
            item: None,
            item_id: None,
            content_index: None,
            part: None,
            delta: None,
            text: None,
            logprobs: None,
        }
    }

    fn with_response(self, response: Response<'a>) -> Self {
        Self {
            response: Some(response),
            ..self
        }
    }

    fn with_item(self, item: Item<'a>) -> Self {
        Self {
            output_index: Some(0),
            item: Some(item),
            ..self
        }
    }

    /// About the one part of the one item.
    fn within(self, item_id: &'a str) -> Self {
        Self {
            output_index: Some(0),
            content_index: Some(0),
            item_id: Some(item_id),
            ..self
        }
    }
}

fn id(call: &Call) -> String {
    format!("resp_mock{:016x}", call.number)
}

fn item_id(call: &Call) -> String {
    format!("msg_mock{:016x}", call.number)
}

fn stated(call: &Call) -> Stated {
    call.usage.states().then(|| call.amounts.kinds())
}

fn item<'a>(id: &'a str, status: &'static str, content: &'a [Part<'a>]) -> Item<'a> {
    Item {
        id,
        kind: "message",
        status,
        role: "assistant",
        content,
    }
}

fn response<'a>(
    call: &'a Call,
    id: &'a str,
    status: &'static str,
    output: &'a [Item<'a>],
) -> Response<'a> {
    let usage = match status {
        "completed" => call.usage.field(ResponseUsage::of(call)),
        _ => Some(None),
    };
    Response {
        id,
        object: "response",
        created_at: call.created,
        status,
        error: None,
        incomplete_details: None,
        instructions: None,
        max_output_tokens: None,
        metadata: Nothing {},
        model: &call.model,
        output,
        parallel_tool_calls: true,
        previous_response_id: None,
        reasoning: Reasoning {
            effort: None,
            summary: None,
        },
        service_tier: "default",
        store: false,
        temperature: 1.0,
        text: TextFormat {
            format: Format { kind: "text" },
        },
        tool_choice: "auto",
        tools: [],
        top_p: 1.0,
        truncation: "disabled",
        usage,
        user: None,
    }
}

/// The answer as one body.
pub(crate) fn plain(call: &Call, out: &mut Vec<u8>) -> Stated {
    let (text, item_id) = (call.text(), item_id(call));
    let content = [Part::new(&text)];
    let output = [item(&item_id, "completed", &content)];
    json(out, &response(call, &id(call), "completed", &output));
    stated(call)
}

/// The response, its item and its part begin; pieces; the same end.
pub(crate) fn layout(call: &Call) -> Layout {
    Layout {
        head: HEAD,
        pieces: call.chunks,
        tail: 4,
    }
}

/// One event of the stream, which is the `index`-th of all.
pub(crate) fn write(call: &Call, place: Place, index: u64, out: &mut Vec<u8>) -> Stated {
    let (id, item_id) = (id(call), item_id(call));
    if place == Place::Piece {
        let event = Event {
            delta: Some(call.piece),
            logprobs: Some([]),
            ..Event::new("response.output_text.delta", index).within(&item_id)
        };
        named_event(out, event.kind, &event);
        return None;
    }
    let text = match place {
        Place::Tail(_) => call.text(),
        Place::Head(_) | Place::Piece => String::new(),
    };
    let content = [Part::new(&text)];
    let output = [item(&item_id, "completed", &content)];
    let event = match place {
        Place::Head(0) => Event::new("response.created", index).with_response(response(
            call,
            &id,
            "in_progress",
            &[],
        )),
        Place::Head(1) => Event::new("response.in_progress", index).with_response(response(
            call,
            &id,
            "in_progress",
            &[],
        )),
        Place::Head(2) => Event::new("response.output_item.added", index).with_item(item(
            &item_id,
            "in_progress",
            &[],
        )),
        Place::Head(_) | Place::Piece => Event {
            part: Some(Part::new("")),
            ..Event::new("response.content_part.added", index).within(&item_id)
        },
        Place::Tail(0) => Event {
            text: Some(&text),
            logprobs: Some([]),
            ..Event::new("response.output_text.done", index).within(&item_id)
        },
        Place::Tail(1) => Event {
            part: Some(Part::new(&text)),
            ..Event::new("response.content_part.done", index).within(&item_id)
        },
        Place::Tail(2) => Event::new("response.output_item.done", index).with_item(item(
            &item_id,
            "completed",
            &content,
        )),
        Place::Tail(_) => Event::new("response.completed", index).with_response(response(
            call,
            &id,
            "completed",
            &output,
        )),
    };
    named_event(out, event.kind, &event);
    match place {
        Place::Tail(3) => stated(call),
        _ => None,
    }
}
