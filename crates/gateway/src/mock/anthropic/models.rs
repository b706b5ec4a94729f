//! `GET /v1/models`, asked in Anthropic's way.

use serde::Serialize;

use crate::mock::wire::json;

#[derive(Serialize)]
struct List<'a> {
    data: Vec<Model<'a>>,
    has_more: bool,
    first_id: Option<&'a String>,
    last_id: Option<&'a String>,
}

#[derive(Serialize)]
struct Model<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    display_name: &'a str,
    created_at: &'static str,
}

/// The list.
pub(crate) fn list(models: &[String], out: &mut Vec<u8>) {
    let data = models.iter().map(|id| Model {
        kind: "model",
        id,
        display_name: id,
        created_at: "2026-01-01T00:00:00Z",
    });
    json(
        out,
        &List {
            data: data.collect(),
            has_more: false,
            first_id: models.first(),
            last_id: models.last(),
        },
    );
}
