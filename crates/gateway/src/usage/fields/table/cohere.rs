//! Cohere's formats.

use super::Row;
use crate::usage::counts::{Kind, Shape};
use crate::usage::fields::action::Action::{Count, Is, Says};
use crate::usage::fields::action::Mark;

/// Cohere: version 2, its stream, version 1, its stream.
pub(super) const COHERE: &[Row] = &[
    (
        "usage.tokens.input_tokens",
        Count(Shape::Cohere, Kind::Input),
    ),
    (
        "usage.tokens.output_tokens",
        Count(Shape::Cohere, Kind::Output),
    ),
    // `usage.cached_tokens` is in the table of chat completions.
    ("usage.cached_tokens", Count(Shape::Cohere, Kind::CacheRead)),
    (
        "usage.billed_units.input_tokens",
        Count(Shape::CohereBilled, Kind::Input),
    ),
    (
        "usage.billed_units.output_tokens",
        Count(Shape::CohereBilled, Kind::Output),
    ),
    ("usage.billed_units", Is(Mark::OfCohere)),
    (
        "delta.usage.tokens.input_tokens",
        Count(Shape::Cohere, Kind::Input),
    ),
    (
        "delta.usage.tokens.output_tokens",
        Count(Shape::Cohere, Kind::Output),
    ),
    (
        "delta.usage.cached_tokens",
        Count(Shape::Cohere, Kind::CacheRead),
    ),
    (
        "delta.usage.billed_units.input_tokens",
        Count(Shape::CohereBilled, Kind::Input),
    ),
    (
        "delta.usage.billed_units.output_tokens",
        Count(Shape::CohereBilled, Kind::Output),
    ),
    ("delta.usage.billed_units", Is(Mark::OfCohere)),
    ("type", Says("message-start", Mark::OfCohere)),
    ("type", Says("message-end", Mark::Ended)),
    (
        "meta.tokens.input_tokens",
        Count(Shape::Cohere, Kind::Input),
    ),
    (
        "meta.tokens.output_tokens",
        Count(Shape::Cohere, Kind::Output),
    ),
    ("meta.cached_tokens", Count(Shape::Cohere, Kind::CacheRead)),
    (
        "meta.billed_units.input_tokens",
        Count(Shape::CohereBilled, Kind::Input),
    ),
    (
        "meta.billed_units.output_tokens",
        Count(Shape::CohereBilled, Kind::Output),
    ),
    ("meta.billed_units", Is(Mark::OfCohere)),
    (
        "response.meta.tokens.input_tokens",
        Count(Shape::Cohere, Kind::Input),
    ),
    (
        "response.meta.tokens.output_tokens",
        Count(Shape::Cohere, Kind::Output),
    ),
    (
        "response.meta.cached_tokens",
        Count(Shape::Cohere, Kind::CacheRead),
    ),
    (
        "response.meta.billed_units.input_tokens",
        Count(Shape::CohereBilled, Kind::Input),
    ),
    (
        "response.meta.billed_units.output_tokens",
        Count(Shape::CohereBilled, Kind::Output),
    ),
    ("response.meta.billed_units", Is(Mark::OfCohere)),
    ("event_type", Says("stream-start", Mark::OfCohere)),
    ("event_type", Says("stream-end", Mark::Ended)),
];
