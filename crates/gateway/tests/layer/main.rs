//! Calls that pass through the tower layer: each recorded once, whatever
//! becomes of it, and its bytes as they were.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attempts;
mod bodies;
mod endings;
mod frameworks;
mod inner;
mod labels;
