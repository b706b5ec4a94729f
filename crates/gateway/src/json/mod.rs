//! A push scanner for JSON that keeps only what is asked for.
//!
//! Bytes go in as they arrive, cut anywhere. Whatever no path
//! asks for is skipped without being kept, at any depth and of any size, so
//! that memory doesn't depend on the body. It reads, it doesn't validate: what
//! is skipped is not checked beyond its strings and brackets.

mod bare;
mod keys;
mod node;
mod paths;
mod scanner;
mod sink;
mod skip;
mod string;
mod text;
mod unread;
mod whole;

pub(crate) use bare::{Bare, count};
pub(crate) use node::Node;
pub(crate) use paths::Paths;
pub(crate) use scanner::Scanner;
pub(crate) use sink::Sink;
pub(crate) use text::Text;
pub(crate) use unread::Unread;
