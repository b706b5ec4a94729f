//! The table: path of a field, and what it means. docs/providers.md says the
//! same in words.
//!
//! All formats are read at once: their paths differ, and where two share one
//! (`usage.input_tokens`), other fields tell them apart. `[]` stands for the
//! elements of an array.

mod anthropic;
mod bedrock;
mod cohere;
mod gemini;
mod ollama;
mod openai;
mod whose;

use super::action::Action;

/// The path of a field, and one thing that it means.
type Row = (&'static str, Action);

/// All rows.
pub(super) fn rows() -> Vec<Row> {
    let parts: [&[Row]; 9] = [
        openai::CHAT,
        openai::USAGE,
        openai::RESPONSES,
        anthropic::ANTHROPIC,
        gemini::GEMINI,
        bedrock::BEDROCK,
        cohere::COHERE,
        ollama::OLLAMA,
        whose::WHOSE,
    ];
    parts.concat()
}
