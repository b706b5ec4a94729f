//! What calls cost.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::cases::{CHAT, MESSAGES, streamed};
use crate::client::{page, post};
use crate::metrics::check;
use crate::server::wait_for;
use crate::setup::{ROUTE, Setup};

const LIST: &str = r#"
    [[model]]
    provider = "openai"
    name = "gpt-4o"
    input = "2.50"
    output = "10"
    cache_read = "1.25"
    cache_write = "3"
    audio_input = "40"
    audio_output = "80"
    [[model]]
    provider = "anthropic"
    name = "claude-x"
    input = "3"
    output = "15"
    cache_read = "0.30"
    cache_write = "3.75"
    cache_write_1h = "6"
"#;

/// Nano-dollars for `CHAT.asked`: input, cache read, cache write, output and
/// reasoning, audio heard and spoken.
const CHAT_COST: u64 =
    812 * 2500 + 90 * 1250 + 11 * 3000 + (143 + 20) * 10_000 + 5 * 40_000 + 7 * 80_000;

/// The same for `MESSAGES.asked`; four cache writes are for an hour.
const MESSAGES_COST: u64 = 812 * 3000 + 90 * 300 + 11 * 3750 + 4 * 6000 + (143 + 20) * 15_000;

fn priced() -> Setup {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("prices.toml"), LIST).unwrap();
    let config = format!("[prices]\nown = \"DIR/prices.toml\"\nreload_seconds = 3600\n{ROUTE}");
    Setup::in_dir(dir, &[], &config, &[])
}

/// What `/healthz` says of the prices.
fn health(setup: &Setup) -> Value {
    page(&setup.gateway, "/healthz", &[]).json()["prices"].clone()
}

fn version(setup: &Setup) -> Value {
    health(setup)["version"].clone()
}

/// Version of the prices, and whether the lists are refused.
fn metrics(setup: &Setup) -> [String; 2] {
    let page = check(&setup.gateway);
    ["quipu_prices_version", "quipu_prices_refused"].map(|name| page.sum(name).to_string())
}

#[test]
fn costs_are_tokens_times_prices() {
    let mut setup = priced();
    for case in [CHAT, MESSAGES] {
        for body in [case.body.to_owned(), streamed(case.body)] {
            post(&setup.gateway, case.path, case.asked, &body).unwrap();
        }
    }
    // No price is no cost, and not zero.
    let other = CHAT.body.replace("gpt-4o", "own-model");
    post(&setup.gateway, CHAT.path, CHAT.asked, &other).unwrap();
    let total = setup.counted(5);
    assert_eq!(total["priced"], 4);
    assert_eq!(total["cost_nanos"], 2 * (CHAT_COST + MESSAGES_COST));
    let rows = setup.usage("by=model");
    let cost = |model: &str| {
        let mut rows = rows["rows"].as_array().unwrap().iter();
        rows.find(|row| row["model"] == model).unwrap()["cost_nanos"].clone()
    };
    assert_eq!(cost("gpt-4o"), 2 * CHAT_COST);
    assert_eq!(cost("claude-x"), 2 * MESSAGES_COST);
    assert_eq!(cost("own-model"), Value::Null);
    let stored = setup.end().total();
    assert_eq!(stored.cost_nanos, 2 * (CHAT_COST + MESSAGES_COST));
}

#[test]
fn a_hangup_brings_a_changed_list_into_use_and_a_wrong_one_not() {
    let setup = priced();
    let list = setup.dir().join("prices.toml");
    let ask = || post(&setup.gateway, CHAT.path, CHAT.asked, CHAT.body).unwrap();
    ask();
    assert_eq!(setup.counted(1)["cost_nanos"], CHAT_COST);
    assert_eq!(health(&setup), json!({"version": 1, "error": null}));
    assert_eq!(metrics(&setup), ["1", "0"]);

    // Half a list, half a change: nothing of it is used.
    fs::write(&list, &LIST[..LIST.len() - 40]).unwrap();
    setup.gateway.signal(Signal::HUP);
    let said = wait_for("a word about the list", || {
        let said = setup.gateway.said();
        said.contains('\n').then_some(said)
    });
    assert!(said.contains("the prices stay as they were"), "{said}");
    assert!(said.contains("prices.toml"), "{said}");
    let refused = health(&setup);
    assert_eq!(refused["version"], 1);
    let error = refused["error"].as_str().unwrap();
    assert!(
        error.contains("prices.toml") && !error.contains('\n'),
        "{error}"
    );
    assert!(said.contains(error), "{said}");
    assert_eq!(metrics(&setup), ["1", "1"]);
    let status = page(&setup.gateway, "/healthz", &[]).json()["status"].clone();
    assert_eq!(status, "ok");
    ask();
    assert_eq!(setup.counted(2)["cost_nanos"], 2 * CHAT_COST);

    fs::write(&list, LIST.replace("\"2.50\"", "\"5\"")).unwrap();
    setup.gateway.signal(Signal::HUP);
    wait_for("the new list", || (version(&setup) == 2).then_some(()));
    assert_eq!(health(&setup)["error"], Value::Null);
    assert_eq!(metrics(&setup), ["2", "0"]);
    ask();
    let dearer = CHAT_COST + 812 * 2500;
    assert_eq!(setup.counted(3)["cost_nanos"], 2 * CHAT_COST + dearer);

    fs::remove_file(&list).unwrap();
    setup.gateway.signal(Signal::HUP);
    wait_for("a word about the file", || {
        setup
            .gateway
            .said()
            .contains("can't read prices")
            .then_some(())
    });
    ask();
    assert_eq!(setup.counted(4)["cost_nanos"], 2 * CHAT_COST + 2 * dearer);
}

#[test]
fn lists_are_looked_at_from_time_to_time() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("prices.toml");
    fs::write(&list, LIST).unwrap();
    let config = format!("[prices]\nown = \"DIR/prices.toml\"\nreload_seconds = 1\n{ROUTE}");
    let setup = Setup::in_dir(dir, &[], &config, &[]);
    assert_eq!(version(&setup), 1);
    // As an editor does it: another file under the name.
    let other = setup.dir().join("other.toml");
    fs::write(&other, format!("{LIST}# and no more\n")).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(&other, &list).unwrap();
    wait_for("the new list", || (version(&setup) == 2).then_some(()));
}

#[test]
fn a_hangup_without_lists_is_no_reason_to_die() {
    let setup = Setup::new(&[]);
    assert_eq!(health(&setup), Value::Null);
    let page = check(&setup.gateway);
    assert_eq!(page.of("quipu_prices_version").count(), 0);
    setup.gateway.signal(Signal::HUP);
    post(&setup.gateway, CHAT.path, &[], CHAT.body).unwrap();
    assert_eq!(setup.counted(1)["priced"], 0);
}
