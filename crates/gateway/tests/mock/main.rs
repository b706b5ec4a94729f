//! The mock, as a process of its own, over TCP.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cancels;
mod client;
mod errors;
mod faults;
mod interfaces;
mod server;
mod shutdown;
