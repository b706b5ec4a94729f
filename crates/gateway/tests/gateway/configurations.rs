//! What is wrong with a configuration is said, and ends the command with 1.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::server::command;
use crate::setup::{ROUTE, Setup};

/// What the command says of a configuration, which it must refuse.
#[track_caller]
fn refused(dir: &Path, config: &str) -> String {
    let path = dir.join("gateway.toml");
    fs::write(&path, config.replace("DIR", dir.to_str().unwrap())).unwrap();
    let store = dir.join("usage.quipu");
    let mut args = vec!["run".as_ref(), path.as_os_str()];
    if !config.contains("store = ") {
        args.extend(["--store".as_ref(), store.as_os_str()]);
    }
    refused_args(&args)
}

#[track_caller]
fn refused_args(args: &[&std::ffi::OsStr]) -> String {
    let output = command().args(args).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("quipu-gateway: "), "{said}");
    assert_eq!(output.stdout, b"", "{said}");
    said
}

#[test]
fn the_ring_goes_where_the_configuration_says() {
    let dir = tempfile::tempdir().unwrap();
    let config =
        |ring: &str| format!("ring_dir = \"DIR/{ring}\"\n[[route]]\nupstream = \"http://x\"\n");
    let said = refused(dir.path(), &config("nowhere"));
    assert!(said.contains("nowhere"), "{said}");
    fs::create_dir(dir.path().join("ring")).unwrap();
    let setup = Setup::in_dir(dir, &[], &config("ring"), &[]);
    let rings = fs::read_dir(setup.dir().join("ring")).unwrap();
    assert_eq!(rings.count(), 1);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let route = |rest: &str| format!("[[route]]\nupstream = \"http://x\"\n{rest}");
    let top = |line: &str| format!("{line}\n{}", route(""));
    let cases = [
        (String::new(), "[[route]]"),
        ("listen = ".to_owned(), "listen"),
        (top("colour = 1"), "colour"),
        (top("listen = \"nowhere\""), "listen"),
        (top("admin = 5"), "admin"),
        (top("max_models = -1"), "max_models"),
        (top("max_models = 70000"), "max_models"),
        (top("max_tenants = \"many\""), "max_tenants"),
        (top("connections = 0"), "connections"),
        (top("max_body_bytes = 0"), "max_body_bytes"),
        (top("max_header_bytes = 8191"), "from 8192 to 4294967295"),
        (
            top("max_header_bytes = 4294967296"),
            "from 8192 to 4294967295",
        ),
        (top("checkpoint_seconds = 0"), "from 1 to 86400"),
        (top("checkpoint_seconds = 86401"), "from 1 to 86400"),
        (top("idle_seconds = 0"), "idle_seconds"),
        (top("tenant = [{ header = \"x y\" }]"), "x y"),
        (top("tenant = [{ json = \"\" }]"), "tenant"),
        (route("timeout_seconds = 0"), "timeout_seconds"),
        (route("provider_name = \"\""), "provider_name"),
        (top("grace_seconds = 1.5"), "grace_seconds"),
        (top("record = \"no\""), "record"),
        (top("tenant = [{ cookie = \"x\" }]"), "cookie"),
        (top("tenant = \"acme\""), "tenant"),
        (top("[prices]\nopenai = \"x\""), "openai"),
        ("[[route]]\npath = \"/\"".to_owned(), "upstream"),
        (route("path = \"v1\""), "\"v1\""),
        (route("provider = \"nobody\""), "nobody"),
        (route("key_env = \"QUIPU_NOT_SET\""), "QUIPU_NOT_SET"),
        (route("timeout_seconds = -1"), "timeout_seconds"),
        (route("verify = false"), "verify"),
        (format!("{}{}", route(""), route("")), "\"/\""),
    ];
    for (config, part) in cases {
        let said = refused(dir.path(), &config);
        assert!(said.contains(part), "{config}\n{said}");
        assert!(said.contains("gateway.toml"), "{config}\n{said}");
    }
    for upstream in ["ftp://x", "x.example", "http://x/?y", "https:///", ""] {
        let said = refused(dir.path(), &format!("[[route]]\nupstream = \"{upstream}\""));
        assert!(said.contains("upstream"), "{upstream}: {said}");
        let is_named = said.contains(&format!("{upstream:?}")) || said.contains(upstream);
        assert!(
            is_named && said.contains("gateway.toml"),
            "{upstream}: {said}"
        );
    }
    // None of them left a store behind.
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn files_that_can_not_be_read_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.toml");
    let said = refused_args(&["run".as_ref(), missing.as_os_str()]);
    assert!(said.contains("missing.toml"), "{said}");
    let lists = [
        ("own", "absent.toml", None, "absent.toml"),
        ("litellm", "absent.json", None, "absent.json"),
        ("own", "own.toml", Some("[[model]]\nname = 5"), "own.toml"),
        ("litellm", "list.json", Some("[]"), "list.json"),
    ];
    for (setting, name, text, part) in lists {
        if let Some(text) = text {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let config = format!(
            "store = \"DIR/usage.quipu\"\n[prices]\n{setting} = \"DIR/{name}\"\n[[route]]\nupstream = \"http://x\"\n"
        );
        let said = refused(dir.path(), &config);
        assert!(said.contains(part), "{said}");
        assert!(!dir.path().join("usage.quipu").exists());
    }
}

#[test]
fn stores_and_addresses_that_are_taken_are_said() {
    let setup = Setup::new(&[]);
    let config = setup.dir().join("gateway.toml");
    let store = setup.store();
    let args = ["run", "--listen", "127.0.0.1:0", "--store"];
    let mut args = args.map(std::ffi::OsStr::new).to_vec();
    args.extend([store.as_os_str(), config.as_os_str()]);
    let said = refused_args(&args);
    assert!(said.contains("usage.quipu"), "{said}");
    let first = setup.gateway.pid().as_raw_nonzero().to_string();
    assert!(said.contains(&first), "{said}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    for setting in ["listen", "admin"] {
        let free = if setting == "admin" {
            "listen = \"127.0.0.1:0\"\n"
        } else {
            ""
        };
        let config = format!("{free}{setting} = \"{taken}\"\nstore = \"DIR/s.quipu\"\n{ROUTE}");
        let said = refused(dir.path(), &config.replace("UPSTREAM", "http://x"));
        assert!(said.contains(&taken), "{said}");
    }
    fs::write(dir.path().join("file"), "no store").unwrap();
    let config = format!("listen = \"127.0.0.1:0\"\nstore = \"DIR/file\"\n{ROUTE}");
    let said = refused(dir.path(), &config.replace("UPSTREAM", "http://x"));
    assert!(said.contains("/file"), "{said}");
}

#[test]
fn the_command_line_alone_is_enough() {
    let said = command().args(["run"]).output().unwrap();
    assert_eq!(said.status.code(), Some(2));
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("--upstream <URL>"), "{said}");
    assert!(said.contains("CONFIG"), "{said}");
    let both = ["run", "--upstream", "http://x", "gateway.toml"];
    assert_eq!(
        command().args(both).output().unwrap().status.code(),
        Some(2)
    );
    let upstream = ["run", "--upstream", "ftp://x"].map(std::ffi::OsStr::new);
    let said = refused_args(&upstream);
    assert!(said.contains("ftp://x"), "{said}");
}
