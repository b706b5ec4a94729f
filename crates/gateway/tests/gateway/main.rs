//! The gateway in front of the mock, both as processes of their own: what one
//! counts is what the other served.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod configurations;
mod connections;
mod endings;
mod exposition;
mod keys;
mod kills;
mod limits;
mod metrics;
mod odd_bodies;
mod pages;
mod prices;
mod setup;
mod shutdown;
mod tenants;
mod totals;

#[path = "../support/cases.rs"]
mod cases;
#[path = "../support/client.rs"]
mod client;
#[path = "../support/server.rs"]
mod server;
