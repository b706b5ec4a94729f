//! Ollama's own format.

use super::Row;
use crate::usage::counts::{Kind, Shape};
use crate::usage::fields::action::Action::{Count, Is, True};
use crate::usage::fields::action::Mark;

pub(super) const OLLAMA: &[Row] = &[
    ("prompt_eval_count", Count(Shape::Ollama, Kind::Input)),
    ("eval_count", Count(Shape::Ollama, Kind::Output)),
    ("eval_count", Is(Mark::OfOllama)),
    ("prompt_eval_count", Is(Mark::OfOllama)),
    ("eval_duration", Is(Mark::OfOllama)),
    ("done", True(Mark::Ended)),
];
