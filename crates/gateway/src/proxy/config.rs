//! The configuration file.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Uri;
use quipu_gateway::layer::Source;
use quipu_gateway::prices::PriceFiles;
use quipu_gateway::usage::Provider;
use serde::Deserialize;

/// What the gateway does. All but the routes has defaults.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The file that this was read from.
    #[serde(skip)]
    file: Option<PathBuf>,
    /// Where clients call.
    #[serde(default = "listen")]
    pub(crate) listen: SocketAddr,
    /// Where `/usage`, `/metrics` and `/healthz` are, if not where clients
    /// call.
    pub(crate) admin: Option<SocketAddr>,
    /// The directory of the store.
    #[serde(default = "store")]
    pub(crate) store: PathBuf,
    /// The directory of the ring's file, if not shared memory.
    pub(crate) ring_dir: Option<PathBuf>,
    /// Whether calls are recorded.
    #[serde(default = "yes")]
    pub(crate) record: bool,
    /// Whether buckets are hours.
    #[serde(default)]
    pub(crate) hours: bool,
    /// Seconds between checkpoints, which survive a power cut.
    pub(crate) checkpoint_seconds: Option<u64>,
    /// Models with a name of their own.
    pub(crate) max_models: Option<u16>,
    /// Tenants with a name of their own.
    pub(crate) max_tenants: Option<u32>,
    /// Whether metrics tell tenants apart.
    #[serde(default = "yes")]
    pub(crate) metrics_by_tenant: bool,
    /// Seconds that running answers have to end when the gateway stops.
    #[serde(default = "grace")]
    pub(crate) grace_seconds: u64,
    /// Connections of clients at once. Idle ones make room for more, which
    /// wait else.
    pub(crate) connections: Option<NonZeroUsize>,
    /// Seconds that a client's connection may be without a request.
    #[serde(default = "idle")]
    pub(crate) idle_seconds: u64,
    /// Bytes of a request's body.
    #[serde(default = "max_body_bytes")]
    pub(crate) max_body_bytes: u64,
    /// Bytes of a request's headers.
    #[serde(default = "max_header_bytes")]
    pub(crate) max_header_bytes: usize,
    /// Where the tenant is taken from.
    #[serde(default)]
    tenant: Vec<Where>,
    #[serde(default)]
    pub(crate) prices: Prices,
    /// Where requests go, the longest path first.
    #[serde(default, rename = "route")]
    pub(crate) routes: Vec<RouteConfig>,
}

/// Price lists.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prices {
    /// LiteLLM's list.
    litellm: Option<PathBuf>,
    /// A list of quipu's own format, which goes before.
    own: Option<PathBuf>,
    /// Seconds between looks whether a list changed.
    reload_seconds: Option<u64>,
}

/// One route.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteConfig {
    /// What paths begin with.
    #[serde(default = "root")]
    pub(crate) path: String,
    /// Where they go: scheme, host, and what comes before the path.
    #[serde(deserialize_with = "uri")]
    pub(crate) upstream: Uri,
    /// Whether `path` is left out on the way.
    #[serde(default)]
    pub(crate) strip: bool,
    /// Who answers.
    #[serde(default, deserialize_with = "provider")]
    pub(crate) provider: Option<Provider>,
    /// The name that is recorded for who answers.
    pub(crate) provider_name: Option<String>,
    /// The variable of the environment with the key to send in place of the
    /// client's.
    pub(crate) key_env: Option<String>,
    /// Seconds until the answer must begin.
    #[serde(default = "timeout")]
    pub(crate) timeout_seconds: u64,
}

/// One place to look for a tenant.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Where {
    Header(String),
    KeyHash(bool),
    PathSegment(usize),
    Json(String),
    Fixed(String),
}

const fn listen() -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8400)
}

fn store() -> PathBuf {
    "usage.quipu".into()
}

fn root() -> String {
    "/".into()
}

const fn yes() -> bool {
    true
}

const fn grace() -> u64 {
    30
}

const fn idle() -> u64 {
    60
}

const fn timeout() -> u64 {
    600
}

const fn max_body_bytes() -> u64 {
    64 << 20
}

const fn max_header_bytes() -> usize {
    64 << 10
}

/// What HTTP/1 is read into is never smaller, and HTTP/2 has no word for more.
const HEADER_BYTES: RangeInclusive<usize> = 8192..=u32::MAX as usize;

/// What the recorder takes; the longest is a day.
const CHECKPOINT_SECONDS: RangeInclusive<u64> = 1..=86_400;

fn uri<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Uri, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map_err(|error| serde::de::Error::custom(format!("{text:?} is no URL ({error})")))
}

fn provider<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Provider>, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map(Some).map_err(serde::de::Error::custom)
}

fn out_of<T: fmt::Display>(name: &str, value: T, range: &RangeInclusive<T>) -> String {
    let (least, most) = (range.start(), range.end());
    format!("{name} is {value}: it must be from {least} to {most}")
}

impl Config {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            what: error.to_string(),
        })?;
        config.file = Some(path.to_owned());
        config.check()?;
        Ok(config)
    }

    /// Everything goes to one upstream.
    pub(crate) fn of_upstream(upstream: Uri) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str("").map_err(|error| ConfigError::Setting {
            path: None,
            what: error.to_string(),
        })?;
        config.routes.push(RouteConfig {
            path: root(),
            upstream,
            strip: false,
            provider: None,
            provider_name: None,
            key_env: None,
            timeout_seconds: timeout(),
        });
        config.check()?;
        Ok(config)
    }

    /// A setting that makes no sense.
    pub(super) fn wrong(&self, what: String) -> ConfigError {
        ConfigError::Setting {
            path: self.file.clone(),
            what,
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let setting = |what: String| Err(self.wrong(what));
        if self.routes.is_empty() {
            return setting("there is no [[route]]: say where requests go".into());
        }
        for (at, route) in self.routes.iter().enumerate() {
            let RouteConfig { path, upstream, .. } = route;
            if !path.starts_with('/') {
                return setting(format!("the route's path {path:?} doesn't begin with /"));
            }
            let is_http = matches!(upstream.scheme_str(), Some("http" | "https"));
            if !is_http || upstream.authority().is_none() || upstream.query().is_some() {
                let what =
                    format!("the upstream {upstream} must be http:// or https:// and a host");
                return setting(what);
            }
            if route.timeout_seconds == 0 {
                return setting(format!(
                    "timeout_seconds of the route {path:?} is 0: no answer is that quick"
                ));
            }
            if route.provider_name.as_deref() == Some("") {
                return setting(format!("provider_name of the route {path:?} is empty"));
            }
            if self.routes.iter().take(at).any(|other| other.path == *path) {
                return setting(format!("two routes have the path {path:?}"));
            }
        }
        if self.max_body_bytes == 0 {
            return setting("max_body_bytes is 0: no call has so short a body".into());
        }
        if !HEADER_BYTES.contains(&self.max_header_bytes) {
            return setting(out_of(
                "max_header_bytes",
                self.max_header_bytes,
                &HEADER_BYTES,
            ));
        }
        if let Some(seconds) = self.checkpoint_seconds
            && !CHECKPOINT_SECONDS.contains(&seconds)
        {
            let what = out_of("checkpoint_seconds", seconds, &CHECKPOINT_SECONDS);
            return setting(format!("{what}; leave it out for none"));
        }
        if self.idle_seconds == 0 {
            return setting("idle_seconds is 0: it must be at least 1".into());
        }
        let is_name = |place: &Where| match place {
            Where::Header(name) => name.parse::<http::HeaderName>().is_ok(),
            Where::Json(name) | Where::Fixed(name) => !name.is_empty(),
            Where::KeyHash(_) | Where::PathSegment(_) => true,
        };
        match self.tenant.iter().find(|place| !is_name(place)) {
            Some(place) => setting(format!("tenant: {place:?} is nothing that there can be")),
            None => Ok(()),
        }
    }

    /// Where the tenant is taken from, the first that has one.
    pub(crate) fn tenant(&self) -> Option<Source> {
        let sources = self.tenant.iter().filter_map(|place| match place {
            Where::Header(name) => Some(Source::header(name)),
            Where::KeyHash(is_wanted) => is_wanted.then(Source::key_hash),
            Where::PathSegment(segment) => Some(Source::path_segment(*segment)),
            Where::Json(path) => Some(Source::json(path)),
            Where::Fixed(name) => Some(Source::fixed(name)),
        });
        sources.reduce(Source::or)
    }
}

impl Prices {
    /// The lists, if there are any.
    pub(crate) fn files(&self) -> Option<PriceFiles> {
        let has_any = self.litellm.is_some() || self.own.is_some();
        has_any.then(|| PriceFiles {
            litellm: self.litellm.clone(),
            own: self.own.clone(),
        })
    }

    /// How often to look whether they changed.
    pub(crate) fn reload(&self) -> Duration {
        Duration::from_secs(self.reload_seconds.unwrap_or(60).max(1))
    }
}

/// Why there is no configuration to go by.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// The file can't be read.
    Read { path: PathBuf, source: io::Error },
    /// It isn't in the format.
    Syntax { path: PathBuf, what: String },
    /// A setting makes no sense.
    Setting { path: Option<PathBuf>, what: String },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => {
                write!(f, "can't read the configuration {path:?}: {source}")
            }
            Self::Setting { path: None, what } => write!(f, "that is not right: {what}"),
            Self::Syntax { path, what }
            | Self::Setting {
                path: Some(path),
                what,
            } => {
                let what = what.trim_end();
                write!(f, "the configuration {path:?} is not right: {what}")
            }
        }
    }
}

impl std::error::Error for ConfigError {}
