//! A gateway, a mock behind it, and a store between tests' own directories.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quipu::{Reader, Snapshot, TokenKind, verify};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{page, served, served_at_rest};
use crate::server::{Server, command, wait_for};

/// One route to the mock, for everything.
pub(crate) const ROUTE: &str = "[[route]]\nupstream = \"UPSTREAM\"\n";

/// So long that nothing comes after it.
pub(crate) const HOUR: &str = "3600000";

pub(crate) struct Setup {
    // Before the directory, which must outlive it.
    pub(crate) gateway: Server,
    pub(crate) mock: Server,
    config: PathBuf,
    envs: Vec<(&'static str, &'static str)>,
    dir: TempDir,
}

impl Setup {
    /// A mock with these arguments, and a gateway with a route to it.
    pub(crate) fn new(mock: &[&str]) -> Self {
        Self::with(mock, ROUTE)
    }

    /// The same with this configuration, in which `UPSTREAM` is the mock's
    /// address, and `DIR` the directory.
    pub(crate) fn with(mock: &[&str], config: &str) -> Self {
        Self::with_envs(mock, config, &[])
    }

    /// The same, the gateway with these variables.
    pub(crate) fn with_envs(
        mock: &[&str],
        config: &str,
        envs: &[(&'static str, &'static str)],
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::in_dir(dir, mock, config, envs)
    }

    /// The same in a directory that has something in it.
    pub(crate) fn in_dir(
        dir: TempDir,
        mock: &[&str],
        config: &str,
        envs: &[(&'static str, &'static str)],
    ) -> Self {
        let mock = Server::mock(mock);
        let path = dir.path().join("gateway.toml");
        let text = config
            .replace("UPSTREAM", &format!("http://{}", mock.address))
            .replace("DIR", dir.path().to_str().unwrap());
        fs::write(&path, text).unwrap();
        let gateway = start(&path, &dir.path().join("usage.quipu"), envs);
        Self {
            gateway,
            mock,
            config: path,
            envs: envs.to_vec(),
            dir,
        }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.dir.path().join("usage.quipu")
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts the gateway again, which must have ended.
    pub(crate) fn restart(&mut self) {
        self.gateway = start(&self.config, &self.store(), &self.envs);
    }

    /// What `GET /usage` says.
    pub(crate) fn usage(&self, query: &str) -> Value {
        page(&self.gateway, &format!("/usage?{query}"), &[]).json()
    }

    /// The total once so many calls are counted.
    pub(crate) fn counted(&self, requests: u64) -> Value {
        wait_for("calls that are counted", || {
            let total = self.usage("")["total"].clone();
            let now = total["requests"].as_u64().unwrap();
            assert!(now <= requests, "{total}");
            (now == requests).then_some(total)
        })
    }

    /// The mock's counts once nothing runs any more.
    pub(crate) fn served(&self) -> Value {
        served_at_rest(&self.mock)
    }

    /// Waits until the mock is at work on so many requests.
    pub(crate) fn wait_until_running(&self, requests: u64) {
        wait_for("requests that run", || {
            (served(&self.mock)["running"] == requests).then_some(())
        });
    }

    /// Ends the gateway; what the store has then.
    pub(crate) fn end(&mut self) -> Arc<Snapshot> {
        assert!(self.gateway.end().success(), "{}", self.gateway.said());
        self.stored()
    }

    /// What the store has, which must be sound.
    pub(crate) fn stored(&self) -> Arc<Snapshot> {
        let found = verify(self.store()).unwrap();
        assert!(found.is_sound(), "{:?}", found.problems);
        Reader::open(self.store()).unwrap().snapshot().unwrap()
    }
}

fn start(config: &Path, store: &Path, envs: &[(&str, &str)]) -> Server {
    let has_pages = fs::read_to_string(config).unwrap().contains("admin = ");
    let mut gateway = command();
    gateway
        .args(["run", "--listen", "127.0.0.1:0", "--store"])
        .args([store, config])
        .envs(envs.iter().copied());
    Server::spawn(gateway, if has_pages { 2 } else { 1 })
}

/// Tokens by kind in a row or total of `/usage`.
pub(crate) fn tokens(row: &Value) -> [u64; 6] {
    TokenKind::ALL.map(|kind| row[kind.name()].as_u64().unwrap_or(0))
}

/// All requests of the mock's counts, however they ended.
pub(crate) fn requests(counts: &Value) -> u64 {
    let requests = &counts["requests"];
    let ended = ["complete", "cancelled", "truncated", "broken", "resets"];
    let ended = ended.iter().map(|how| requests[how].as_u64().unwrap());
    let errors = requests["errors"].as_object().unwrap().values();
    ended.sum::<u64>() + errors.map(|it| it.as_u64().unwrap()).sum::<u64>()
}

/// Tokens of the mock's counts that were stated, by kind.
pub(crate) fn stated(counts: &Value) -> [u64; 6] {
    let of = |fate: &str| crate::cases::of_json(&counts["tokens"][fate]);
    let (served, cut) = (of("served"), of("cut"));
    std::array::from_fn(|kind| served[kind] + cut[kind])
}
