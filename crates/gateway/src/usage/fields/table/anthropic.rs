//! Anthropic's messages.

use super::Row;
use crate::usage::counts::{Kind, Shape};
use crate::usage::fields::action::Action::{
    Add, Count, Is, Model, Restart, Says, ServiceTier, Starts,
};
use crate::usage::fields::action::Mark;

const PASSES: &[Kind] = &[
    Kind::Input,
    Kind::Output,
    Kind::CacheRead,
    Kind::CacheWrite,
    Kind::CacheWrite1h,
    Kind::CacheWrite5m,
];

/// Anthropic's messages: `message.usage` at the start of a stream, `usage` in
/// its `message_delta` and in plain bodies.
pub(super) const ANTHROPIC: &[Row] = &[
    (
        "usage.cache_read_input_tokens",
        Count(Shape::InputOutput, Kind::CacheRead),
    ),
    ("usage.cache_read_input_tokens", Is(Mark::Anthropic)),
    (
        "usage.cache_creation_input_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite),
    ),
    ("usage.cache_creation_input_tokens", Is(Mark::Anthropic)),
    (
        "usage.cache_creation.ephemeral_5m_input_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite5m),
    ),
    (
        "usage.cache_creation.ephemeral_1h_input_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite1h),
    ),
    (
        "usage.output_tokens_details.thinking_tokens",
        Count(Shape::InputOutput, Kind::Reasoning),
    ),
    ("usage.iterations", Restart(Shape::Passes, PASSES)),
    (
        "usage.iterations.[].input_tokens",
        Add(Shape::Passes, Kind::Input),
    ),
    (
        "usage.iterations.[].output_tokens",
        Add(Shape::Passes, Kind::Output),
    ),
    (
        "usage.iterations.[].cache_read_input_tokens",
        Add(Shape::Passes, Kind::CacheRead),
    ),
    (
        "usage.iterations.[].cache_creation_input_tokens",
        Add(Shape::Passes, Kind::CacheWrite),
    ),
    (
        "usage.iterations.[].cache_creation.ephemeral_1h_input_tokens",
        Add(Shape::Passes, Kind::CacheWrite1h),
    ),
    (
        "usage.iterations.[].cache_creation.ephemeral_5m_input_tokens",
        Add(Shape::Passes, Kind::CacheWrite5m),
    ),
    (
        "message.usage.input_tokens",
        Count(Shape::InputOutput, Kind::Input),
    ),
    (
        "message.usage.output_tokens",
        Count(Shape::InputOutput, Kind::Output),
    ),
    (
        "message.usage.cache_read_input_tokens",
        Count(Shape::InputOutput, Kind::CacheRead),
    ),
    (
        "message.usage.cache_creation_input_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite),
    ),
    (
        "message.usage.cache_creation.ephemeral_5m_input_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite5m),
    ),
    (
        "message.usage.cache_creation.ephemeral_1h_input_tokens",
        Count(Shape::InputOutput, Kind::CacheWrite1h),
    ),
    (
        "message.usage.output_tokens_details.thinking_tokens",
        Count(Shape::InputOutput, Kind::Reasoning),
    ),
    ("message.usage.service_tier", ServiceTier),
    ("message.model", Model),
    ("message.id", Starts("msg_bdrk_", Mark::OfBedrock)),
    ("message.id", Starts("msg_vrtx_", Mark::OfVertex)),
    ("id", Starts("msg_bdrk_", Mark::OfBedrock)),
    ("id", Starts("msg_vrtx_", Mark::OfVertex)),
    ("type", Says("message", Mark::Anthropic)),
    ("type", Says("completion", Mark::Anthropic)),
    ("type", Says("message_start", Mark::Anthropic)),
    ("type", Says("message_delta", Mark::Anthropic)),
    ("type", Says("message_stop", Mark::Ended)),
    ("delta.stop_reason", Is(Mark::Finished)),
];
