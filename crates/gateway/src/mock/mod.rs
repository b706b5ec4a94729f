//! A provider to try gateways on: speaks OpenAI's and Anthropic's protocols,
//! fails as it is told to, and counts what it served.
//!
//! ```text
//!  request ──► asked ──► call ──► interface ──► body ──────► connection
//!  headers,    exact     tokens,  chat,         events,         │
//!  body        amounts,  text     responses,    cut, paced,     ▼
//!              faults             messages, …   counted ──► served
//! ```

mod amounts;
mod answer;
mod anthropic;
mod asked;
mod body;
mod call;
mod faults;
mod interface;
mod openai;
mod pace;
mod prompt;
mod request;
mod routes;
mod served;
mod wire;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub(crate) use faults::{Dice, FAULTS, Fault};
pub(crate) use pace::Pace;
pub(crate) use routes::service;
pub(crate) use served::Served;

/// How the mock behaves where a request asks for nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) pace: Pace,
    /// Tokens of an answer whose request doesn't limit it.
    pub(crate) output: u64,
    /// The key that requests must have.
    pub(crate) key: Option<String>,
    /// Names that the list of models has.
    pub(crate) models: Vec<String>,
    /// What happens to every request.
    pub(crate) fault: Option<Fault>,
    /// What happens to some.
    pub(crate) dice: Dice,
    /// Bytes that a request's body may have.
    pub(crate) body_bytes: usize,
}

/// A mock that runs.
#[derive(Debug)]
pub(crate) struct Mock {
    settings: Settings,
    served: Arc<Served>,
    /// Requests that have come.
    requests: AtomicU64,
}

impl Mock {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            served: Arc::default(),
            requests: AtomicU64::new(0),
        }
    }

    /// What it has served.
    pub(crate) const fn served(&self) -> &Arc<Served> {
        &self.served
    }
}
