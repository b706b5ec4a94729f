//! `POST /v1/messages/count_tokens`.

use serde::Serialize;

use crate::mock::call::Call;
use crate::mock::wire::{Stated, json};

#[derive(Serialize)]
struct Count {
    input_tokens: u64,
}

/// The count, which is no usage: nothing was used.
pub(crate) fn plain(call: &Call, out: &mut Vec<u8>) -> Stated {
    let input_tokens = call.amounts.prompt();
    json(out, &Count { input_tokens });
    None
}
