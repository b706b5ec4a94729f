//! quipu records the usage of large language models inside gateways.
//!
//! Each finished model call leaves one fixed-size [`UsageRecord`] on a
//! lock-free ring. A single consumer thread drains the ring in bulk into
//! counters by day, model, provider and tenant, commits them to a
//! memory-mapped file and publishes a [`Snapshot`]. [`Recorder::record`] costs
//! nanoseconds and never waits; what it accepted is counted exactly once, also
//! if the process is killed in the next instant.
//!
//! ```
//! use std::time::Duration;
//! use quipu::{Recorder, TokenKind, UsageRecord};
//!
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("usage.quipu");
//! let recorder = Recorder::open(&path)?;
//! let model = recorder.model("openai", "gpt-4o")?;
//! let tenant = recorder.tenant("acme")?;
//! let usage = UsageRecord::new(model)
//!     .tenant(tenant)
//!     .tokens(TokenKind::Input, 812)
//!     .tokens(TokenKind::Output, 143)
//!     .cost_nanos(4_110_000);
//! recorder.record(usage)?;
//!
//! recorder.flush(Duration::from_secs(5))?;
//! assert_eq!(recorder.snapshot().total().requests, 1);
//! recorder.close(Duration::from_secs(5))?;
//!
//! // Any process can read the store, also while a writer is at work.
//! let reader = quipu::Reader::open(&path)?;
//! assert_eq!(reader.snapshot()?.by_tenant()[0].tenant, "acme");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// Loom models a part of the crate, and the rest is unused then.
#![cfg_attr(loom, allow(dead_code, unused_imports, unreachable_pub))]

#[cfg(not(loom))]
mod bucket;
mod consumer;
mod disk;
mod error;
#[cfg(feature = "__fault-points")]
#[doc(hidden)]
pub mod fault;
#[cfg(not(feature = "__fault-points"))]
mod fault;
#[cfg(not(loom))]
mod ledger;
#[cfg(loom)]
#[doc(hidden)]
pub mod model;
mod names;
#[cfg(not(loom))]
mod pricing;
#[cfg(not(loom))]
mod reader;
mod record;
#[cfg(not(loom))]
mod recorder;
mod ring;
#[cfg(not(loom))]
mod snapshot;
#[cfg(not(loom))]
mod stats;
#[cfg(not(loom))]
mod store;
mod sync;
#[cfg(not(loom))]
mod totals;

#[cfg(not(loom))]
pub use bucket::{Bucket, Day, ParseDayError};
#[cfg(not(loom))]
pub use error::{
    CloseError, FlushError, NameError, OpenError, ReadError, RecordError, SalvageError,
};
pub use names::{Label, ModelId, OTHER, TenantId};
#[cfg(not(loom))]
pub use pricing::{Price, PricedModel};
#[cfg(not(loom))]
pub use reader::{Problem, Reader, Status, Verification, Writer, verify};
pub use record::{OUTCOMES, Outcome, TOKEN_KINDS, TokenKind, UsageRecord};
#[cfg(not(loom))]
pub use recorder::{Builder, Durability, Recorder};
#[cfg(not(loom))]
pub use snapshot::{
    By, DayTotals, Group, ModelTotals, ProviderTotals, RollUp, RowTotals, Snapshot, TenantTotals,
};
#[cfg(not(loom))]
pub use stats::Stats;
#[cfg(not(loom))]
pub use store::{Salvage, SetAside, salvage};
#[cfg(not(loom))]
pub use totals::{Field, Histogram, Timing, Totals};

/// The README's example must compile.
#[cfg(all(doctest, not(loom)))]
#[doc = include_str!("../README.md")]
struct Readme;
