//! A tower layer that records each model call that passes.
//!
//! ```text
//!  request ──► who, which model ──► inner service ──► response ──► to the client
//!              (headers, path,                           │ bytes, as they pass
//!               fields of the body)                      ▼
//!                                            Extractor ──► one record, when the
//!                                                          body ends, fails or is dropped
//! ```
//!
//! [`UsageLayer`] goes around any `tower::Service` of HTTP requests: axum's
//! routes, a client of hyper's, a stack with retries, where it counts each
//! attempt if it is below them.

mod body;
mod call;
mod fields;
mod future;
mod labels;
mod request;
mod service;
mod settings;
mod source;

pub use body::UsageBody;
pub use future::UsageFuture;
pub use labels::Labels;
pub use request::RequestBody;
pub use service::{UsageLayer, UsageService};
pub use source::Source;
