//! Keys of the gateway's own, in place of the clients'.

use crate::cases::{CHAT, Case, MESSAGES};
use crate::client::{Headers, post};
use crate::setup::{ROUTE, Setup};

const CLIENT: Headers<'static> = &[("authorization", "Bearer client"), ("x-api-key", "client")];

fn status(setup: &Setup, case: &Case, headers: Headers<'_>) -> u16 {
    post(&setup.gateway, case.path, headers, case.body)
        .unwrap()
        .status
}

#[test]
fn the_gateways_key_stands_in_for_the_clients() {
    let config = r#"
        tenant = [{ key_hash = true }]
        [[route]]
        path = "/v1/messages"
        upstream = "UPSTREAM"
        provider = "anthropic"
        key_env = "QUIPU_TEST_KEY"
        [[route]]
        upstream = "UPSTREAM"
        key_env = "QUIPU_TEST_KEY"
    "#;
    let envs = [("QUIPU_TEST_KEY", "sesame")];
    let setup = Setup::with_envs(&["--key", "sesame"], config, &envs);
    for case in [&CHAT, &MESSAGES] {
        assert_eq!(status(&setup, case, CLIENT), 200);
        assert_eq!(status(&setup, case, &[]), 200);
    }
    setup.counted(4);
    // Tenants are by what the client sent.
    let tenants = setup.usage("by=tenant");
    let tenants = tenants["rows"].as_array().unwrap();
    assert_eq!(tenants.len(), 2);
    assert!(tenants.iter().all(|row| row["requests"] == 2));
}

#[test]
fn without_one_the_clients_key_is_sent() {
    let setup = Setup::with(&["--key", "sesame"], ROUTE);
    assert_eq!(status(&setup, &CHAT, CLIENT), 401);
    assert_eq!(
        status(&setup, &CHAT, &[("authorization", "Bearer sesame")]),
        200
    );
    assert_eq!(status(&setup, &MESSAGES, &[("x-api-key", "sesame")]), 200);
    assert_eq!(setup.counted(3)["errors_client_error"], 1);
}
