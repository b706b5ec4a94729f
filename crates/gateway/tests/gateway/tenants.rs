//! Whose calls they are.

use std::collections::BTreeMap;

use crate::cases::{CHAT, MESSAGES, streamed};
use crate::client::{Headers, post};
use crate::setup::{ROUTE, Setup};

/// Requests by tenant.
fn by_tenant(setup: &Setup, calls: u64) -> BTreeMap<String, u64> {
    setup.counted(calls);
    let usage = setup.usage("by=tenant");
    let rows = usage["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        let name = row["tenant"].as_str().unwrap().to_owned();
        (name, row["requests"].as_u64().unwrap())
    })
    .collect()
}

fn of<const N: usize>(expected: [(&str, u64); N]) -> BTreeMap<String, u64> {
    expected
        .map(|(name, calls)| (name.to_owned(), calls))
        .into()
}

#[test]
fn the_first_place_that_has_a_tenant_decides() {
    let places = r#"tenant = [
        { header = "x-tenant" }, { json = "metadata.user_id" }, { key_hash = true },
        { fixed = "nobody" },
    ]"#;
    let mut setup = Setup::with(&[], &format!("{places}\n{ROUTE}"));
    let with_user = MESSAGES
        .body
        .replacen('{', r#"{"metadata":{"user_id":"üser"},"#, 1);
    let calls: [(Headers<'_>, &str); 7] = [
        (&[("x-tenant", "acme")], MESSAGES.body),
        (&[("x-tenant", "acme"), ("x-api-key", "sk-123")], &with_user),
        (&[("x-tenant", " "), ("x-api-key", "sk-123")], &with_user),
        // echo -n sk-123 | sha256sum
        (&[("x-api-key", "sk-123")], MESSAGES.body),
        (&[("authorization", "Bearer sk-123")], MESSAGES.body),
        (&[("authorization", "Bearer sk-124")], MESSAGES.body),
        (&[], MESSAGES.body),
    ];
    for (headers, body) in calls {
        let answer = post(&setup.gateway, MESSAGES.path, headers, body).unwrap();
        assert_eq!(answer.status, 200);
    }
    let mut tenants = by_tenant(&setup, 7);
    assert_eq!(tenants.remove("key-acb42a4fa3d3621a"), Some(2));
    let other = tenants
        .keys()
        .find(|name| name.starts_with("key-"))
        .cloned();
    assert_eq!(tenants.remove(&other.unwrap()), Some(1));
    assert_eq!(tenants, of([("acme", 2), ("üser", 1), ("nobody", 1)]));
    // No key is anywhere in the store.
    let snapshot = setup.end();
    for file in std::fs::read_dir(setup.store()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|it| it == b"sk-123"));
    }
    assert_eq!(snapshot.by_tenant().len(), 5);
}

#[test]
fn a_tenant_can_be_in_the_path_that_is_left_out_on_the_way() {
    let config = r#"
        tenant = [{ path_segment = 1 }]
        [[route]]
        path = "/t/red"
        upstream = "UPSTREAM"
        strip = true
        [[route]]
        path = "/t/blue/"
        upstream = "UPSTREAM/"
        strip = true
        provider_name = "our cluster"
        [[route]]
        path = "/v1"
        upstream = "UPSTREAM"
    "#;
    let setup = Setup::with(&[], config);
    for prefix in ["/t/red", "/t/blue", "/t/blue", ""] {
        let path = format!("{prefix}{}?beta=true", CHAT.path);
        let answer = post(&setup.gateway, &path, &[], &streamed(CHAT.body)).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let expected = of([("red", 1), ("blue", 2), ("chat", 1)]);
    assert_eq!(by_tenant(&setup, 4), expected);
    let providers = setup.usage("by=provider");
    assert_eq!(providers["rows"][1]["provider"], "our cluster");
    assert_eq!(providers["rows"][1]["requests"], 2);
}

#[test]
fn tenants_and_models_beyond_the_limits_are_counted_together() {
    let limits = "max_models = 5\nmax_tenants = 5\ntenant = [{ header = \"x-tenant\" }]\n";
    let setup = Setup::with(&[], &format!("{limits}{ROUTE}"));
    let long = "n".repeat(5000);
    let names = (0..12).map(|n| format!("name-{n}"));
    let names: Vec<_> = names.chain(["__other__".to_owned(), long]).collect();
    for name in &names {
        let body = CHAT.body.replace("gpt-4o", name);
        let headers = [("x-tenant", &**name)];
        let answer = post(&setup.gateway, CHAT.path, &headers, &body).unwrap();
        assert_eq!(answer.status, 200);
    }
    let calls = names.len() as u64;
    let tenants = by_tenant(&setup, calls);
    assert!(tenants.len() <= 6, "{tenants:?}");
    assert_eq!(tenants["name-0"], 1);
    assert!(tenants["__other__"] >= 9, "{tenants:?}");
    let models = setup.usage("by=model");
    let models = models["rows"].as_array().unwrap();
    assert!(models.len() <= 6);
    let of_all = models.iter().map(|row| row["requests"].as_u64().unwrap());
    assert_eq!(of_all.sum::<u64>(), calls);
    // The page stays right when such names are in it.
    crate::metrics::check(&setup.gateway);
}
