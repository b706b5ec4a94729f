//! The reference gateway: a reverse proxy that counts the calls which pass.
//!
//! ```text
//!  client ──► app ──► entry ──► UsageLayer ──► forward ──► upstream
//!             own     route,    counts and     headers,
//!             pages   limits    prices         connections
//!               │
//!               └── /healthz, /usage, /metrics ◄── snapshots of the store
//! ```

mod app;
mod config;
mod entry;
mod forward;
mod headers;
mod metrics;
mod prices;
mod refusal;
mod routes;
mod trouble;
mod usage;

pub(crate) use app::{Gateway, pages};
pub(crate) use config::{Config, ConfigError};
pub(crate) use prices::{PriceLists, keep_fresh};
pub(crate) use routes::Routes;
pub(crate) use trouble::keep_telling;
