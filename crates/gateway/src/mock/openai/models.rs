//! `GET /v1/models`.

use serde::Serialize;

use crate::mock::wire::json;

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
}

#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

/// The list.
pub(crate) fn list(models: &[String], created: u64, out: &mut Vec<u8>) {
    let data = models.iter().map(|id| Model {
        id,
        object: "model",
        created,
        owned_by: "mock",
    });
    json(
        out,
        &List {
            object: "list",
            data: data.collect(),
        },
    );
}
