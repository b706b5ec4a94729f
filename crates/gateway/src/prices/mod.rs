//! What calls cost: exact, in integers, and never guessed.
//!
//! ```text
//!  LiteLLM's list ─┐
//!                  ├─► PriceTable ──► PriceBook ──► cost in nano-dollars
//!  a list of own ──┘   per token,     exchanged      or why there is none
//!                      by tiers       while read
//! ```
//!
//! docs/prices.md has the rules: which entry a name means, how costs are
//! rounded, what stays unpriced.

mod book;
mod cost;
mod decimal;
mod error;
mod load;
mod names;
mod pricer;
mod rates;
mod table;

pub use book::{PriceBook, PriceFiles, Prices};
pub use cost::Unpriced;
pub use decimal::{Rate, RateError};
pub use error::PriceError;
pub use load::Skipped;
pub use pricer::{Pricer, must_be_priced_at_once};
pub use rates::{ModelPrice, RateKind, Rates, Tiers};
pub use table::{PriceTable, PriceTableBuilder};
