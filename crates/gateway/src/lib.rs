//! What a gateway needs between a provider's response and a committed count in
//! [quipu]: the usage that the response holds, and what it costs.
//!
//! - [`usage`] reads tokens out of bodies and event streams of thirteen
//!   providers and of whoever copies their formats;
//! - [`prices`] turns tokens into integer nano-dollars, by LiteLLM's list or one
//!   of your own.

#![forbid(unsafe_code)]

pub mod prices;
pub mod usage;
