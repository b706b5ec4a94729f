//! `POST /v1/embeddings`.

use serde::Serialize;

use crate::mock::call::Call;
use crate::mock::wire::{Stated, json};

/// Four numbers in little-endian order make 16 bytes, which no group of
/// base64 ends with; three make 12, which one does.
const GROUP: u64 = 3;

/// Each number is 0.5: its bytes are 00 00 00 3f.
const NUMBER: f32 = 0.5;

/// Three, two and one of them in base64.
const THREE: &str = "AAAAPwAAAD8AAAA/";
const TWO: &str = "AAAAPwAAAD8=";
const ONE: &str = "AAAAPw==";

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Embedding<'a>>,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
}

#[derive(Serialize)]
struct Embedding<'a> {
    object: &'static str,
    index: u64,
    embedding: &'a Vector,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector {
    Numbers(Vec<f32>),
    Base64(String),
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
}

/// The answer, which is always one body.
pub(crate) fn plain(call: &Call, out: &mut Vec<u8>) -> Stated {
    let asked = &call.embeddings;
    let length = usize::try_from(asked.dimensions).unwrap_or(usize::MAX);
    let vector = if asked.is_base64 {
        Vector::Base64(base64(asked.dimensions))
    } else {
        Vector::Numbers(vec![NUMBER; length])
    };
    let data = (0..asked.inputs).map(|index| Embedding {
        object: "embedding",
        index,
        embedding: &vector,
    });
    let prompt = call.amounts.prompt();
    let usage = Usage {
        prompt_tokens: prompt,
        total_tokens: prompt.saturating_add(call.usage.error()),
    };
    json(
        out,
        &List {
            object: "list",
            data: data.collect(),
            model: &call.model,
            usage: call.usage.field(usage),
        },
    );
    call.usage.states().then(|| call.amounts.kinds())
}

/// So many numbers in base64.
fn base64(numbers: u64) -> String {
    let groups = usize::try_from(numbers / GROUP).unwrap_or(usize::MAX);
    let mut text = THREE.repeat(groups);
    text.push_str(match numbers % GROUP {
        0 => "",
        1 => ONE,
        _ => TWO,
    });
    text
}
