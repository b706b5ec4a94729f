//! Bedrock's formats.

use super::Row;
use crate::usage::counts::{Kind, Shape};
use crate::usage::fields::action::Action::{
    Add, Count, Is, Item, ItemCount, ItemName, Payload, Restart, ServiceTier, TakeItem,
};
use crate::usage::fields::action::Mark;

/// Bedrock: Converse and Nova (`metadata.usage` in an invoke stream), then
/// Llama, Titan, and Bedrock's own counts of an invoked model.
pub(super) const BEDROCK: &[Row] = &[
    ("bytes", Payload),
    ("usage.inputTokens", Count(Shape::Converse, Kind::Input)),
    ("usage.inputTokens", Is(Mark::OfBedrock)),
    ("usage.outputTokens", Count(Shape::Converse, Kind::Output)),
    ("usage.totalTokens", Count(Shape::Converse, Kind::Total)),
    (
        "usage.cacheReadInputTokens",
        Count(Shape::Converse, Kind::CacheRead),
    ),
    (
        "usage.cacheReadInputTokenCount",
        Count(Shape::Converse, Kind::CacheRead),
    ),
    (
        "usage.cacheWriteInputTokens",
        Count(Shape::Converse, Kind::CacheWrite),
    ),
    (
        "usage.cacheWriteInputTokenCount",
        Count(Shape::Converse, Kind::CacheWrite),
    ),
    (
        "usage.cacheDetails",
        Restart(Shape::Converse, &[Kind::CacheWrite1h, Kind::CacheWrite5m]),
    ),
    ("usage.cacheDetails.[]", Item),
    ("usage.cacheDetails.[].ttl", ItemName),
    ("usage.cacheDetails.[].inputTokens", ItemCount),
    (
        "usage.cacheDetails.[]",
        TakeItem("1h", Shape::Converse, Kind::CacheWrite1h),
    ),
    (
        "usage.cacheDetails.[]",
        TakeItem("5m", Shape::Converse, Kind::CacheWrite5m),
    ),
    ("serviceTier.type", ServiceTier),
    (
        "metadata.usage.inputTokens",
        Count(Shape::Converse, Kind::Input),
    ),
    ("metadata.usage.inputTokens", Is(Mark::OfBedrock)),
    ("metadata.usage.inputTokens", Is(Mark::Ended)),
    (
        "metadata.usage.outputTokens",
        Count(Shape::Converse, Kind::Output),
    ),
    (
        "metadata.usage.totalTokens",
        Count(Shape::Converse, Kind::Total),
    ),
    (
        "metadata.usage.cacheReadInputTokenCount",
        Count(Shape::Converse, Kind::CacheRead),
    ),
    (
        "metadata.usage.cacheWriteInputTokenCount",
        Count(Shape::Converse, Kind::CacheWrite),
    ),
    ("prompt_token_count", Count(Shape::Llama, Kind::Input)),
    ("prompt_token_count", Is(Mark::OfBedrock)),
    ("generation_token_count", Count(Shape::Llama, Kind::Output)),
    ("generation_token_count", Is(Mark::OfBedrock)),
    ("stop_reason", Is(Mark::Finished)),
    ("inputTextTokenCount", Count(Shape::Titan, Kind::Input)),
    ("inputTextTokenCount", Is(Mark::OfBedrock)),
    (
        "totalOutputTextTokenCount",
        Count(Shape::Titan, Kind::Output),
    ),
    ("results", Restart(Shape::Titan, &[Kind::Output])),
    ("results.[].tokenCount", Add(Shape::Titan, Kind::Output)),
    ("completionReason", Is(Mark::Finished)),
    ("amazon-bedrock-invocationMetrics", Is(Mark::OfBedrock)),
    ("amazon-bedrock-invocationMetrics", Is(Mark::Ended)),
    (
        "amazon-bedrock-invocationMetrics.inputTokenCount",
        Count(Shape::Invocation, Kind::Input),
    ),
    (
        "amazon-bedrock-invocationMetrics.outputTokenCount",
        Count(Shape::Invocation, Kind::Output),
    ),
    (
        "amazon-bedrock-invocationMetrics.cacheReadInputTokenCount",
        Count(Shape::Invocation, Kind::CacheRead),
    ),
    (
        "amazon-bedrock-invocationMetrics.cacheWriteInputTokenCount",
        Count(Shape::Invocation, Kind::CacheWrite),
    ),
];
