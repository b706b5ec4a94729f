//! A gateway under many requests of every kind, most of them wrong, killed
//! again and again: `tools/abuse`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calls;
mod plan;
mod run;
mod tally;

#[path = "../support/cases.rs"]
mod cases;
#[path = "../support/client.rs"]
mod client;
#[path = "../support/server.rs"]
mod server;

/// A number from the environment.
fn setting(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text}")),
        Err(_) => otherwise,
    }
}

#[test]
#[ignore = "takes minutes: tools/abuse runs it"]
fn totals_hold_under_abuse() {
    run::run(&run::Settings {
        requests: setting("QUIPU_ABUSE_REQUESTS", 20_000),
        kills: setting("QUIPU_ABUSE_KILLS", 5),
        clients: setting("QUIPU_ABUSE_CLIENTS", 32),
        seed: setting("QUIPU_ABUSE_SEED", 1),
    });
}

/// The same, in the time that a test may take.
#[test]
fn totals_hold_under_a_little_abuse() {
    run::run(&run::Settings {
        requests: 600,
        kills: 1,
        clients: 8,
        seed: setting("QUIPU_ABUSE_SEED", 7),
    });
}
