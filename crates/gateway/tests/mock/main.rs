//! The mock, as a process of its own, over TCP.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cancels;
mod errors;
mod faults;
mod interfaces;
mod shutdown;

#[path = "../support/cases.rs"]
mod cases;
#[path = "../support/client.rs"]
mod client;
#[path = "../support/server.rs"]
mod server;
