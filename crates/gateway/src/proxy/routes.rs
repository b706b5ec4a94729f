//! Which upstream a request goes to.

use std::sync::Arc;
use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Uri};
use quipu_gateway::layer::Labels;
use quipu_gateway::usage::{Extractor, Provider};

use super::config::{Config, ConfigError, RouteConfig};

/// One way to an upstream.
#[derive(Debug)]
pub(super) struct Route {
    path: String,
    strip: bool,
    scheme: Scheme,
    authority: Authority,
    /// What goes before the path.
    base: String,
    pub(super) labels: Labels,
    pub(super) timeout: Duration,
    /// The key to send in place of the client's.
    pub(super) key: Option<(HeaderName, HeaderValue)>,
}

impl Route {
    fn new(config: &RouteConfig, all: &Config) -> Result<Self, ConfigError> {
        let setting = |what: String| all.wrong(what);
        let upstream = config.upstream.clone().into_parts();
        let (Some(scheme), Some(authority)) = (upstream.scheme, upstream.authority) else {
            return Err(setting(format!(
                "the upstream {} has no host",
                config.upstream
            )));
        };
        // Who is called by the gateway's own name can't be told by that.
        let of_host = || {
            Extractor::new()
                .request(Some(authority.host()), "")
                .finish()
        };
        let provider = config.provider.or_else(|| of_host().provider);
        let mut labels = Labels::new();
        if let Some(provider) = provider {
            labels = labels.provider(provider);
        }
        if let Some(name) = &config.provider_name {
            labels = labels.provider_name(name);
        }
        let key = config.key_env.as_deref().map(|variable| {
            let key = std::env::var(variable).unwrap_or_default();
            if key.is_empty() {
                let what = format!("the variable {variable} of a route's key_env is not set");
                return Err(setting(what));
            }
            key_header(provider, &key)
                .ok_or_else(|| setting(format!("what {variable} holds can't be sent as a key")))
        });
        Ok(Self {
            path: config.path.clone(),
            strip: config.strip,
            scheme,
            authority,
            base: config.upstream.path().trim_end_matches('/').to_owned(),
            labels,
            timeout: Duration::from_secs(config.timeout_seconds),
            key: key.transpose()?,
        })
    }

    /// Whether a path belongs here: `/v1` takes `/v1` and `/v1/x`, not `/v12`.
    fn takes(&self, path: &str) -> bool {
        path.strip_prefix(self.path.trim_end_matches('/'))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Where a request for `uri` goes.
    pub(super) fn target(&self, uri: &Uri) -> Result<Uri, http::Error> {
        let mut path = uri.path();
        if self.strip {
            path = path
                .strip_prefix(self.path.trim_end_matches('/'))
                .unwrap_or(path);
        }
        let query = uri.query();
        let path_and_query: PathAndQuery = if self.base.is_empty() && path == uri.path() {
            // Most requests: nothing is put together.
            let given = uri.path_and_query().cloned();
            given.unwrap_or_else(|| PathAndQuery::from_static("/"))
        } else {
            let mark = if query.is_some() { "?" } else { "" };
            let path = if path.is_empty() && self.base.is_empty() {
                "/"
            } else {
                path
            };
            format!("{}{path}{mark}{}", self.base, query.unwrap_or_default()).parse()?
        };
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path_and_query)
            .build()
    }
}

/// The header in which a provider wants its key.
fn key_header(provider: Option<Provider>, key: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = match provider {
        Some(Provider::Anthropic) => ("x-api-key", key.to_owned()),
        Some(Provider::AzureOpenAi) => ("api-key", key.to_owned()),
        Some(Provider::Gemini) => ("x-goog-api-key", key.to_owned()),
        _ => ("authorization", format!("Bearer {key}")),
    };
    let mut value = HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::from_static(name), value))
}

/// All routes.
#[derive(Clone, Debug)]
pub(crate) struct Routes(Arc<[Arc<Route>]>);

impl Routes {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let routes = config.routes.iter();
        let mut routes = routes
            .map(|route| Route::new(route, config).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        routes.sort_by_key(|route| std::cmp::Reverse(route.path.len()));
        Ok(Self(routes.into()))
    }

    /// Whether any upstream must prove who it is.
    pub(super) fn need_certificates(&self) -> bool {
        self.0.iter().any(|route| route.scheme == Scheme::HTTPS)
    }

    /// The route of a path.
    pub(super) fn find(&self, path: &str) -> Option<&Arc<Route>> {
        self.0.iter().find(|route| route.takes(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn routes(config: &str) -> Routes {
        let config: Config = toml::from_str(config).unwrap();
        Routes::new(&config).unwrap()
    }

    #[test]
    fn the_longest_path_decides() {
        let routes = routes(
            r#"
            [[route]]
            path = "/v1"
            upstream = "http://openai:1"
            [[route]]
            path = "/v1/messages"
            upstream = "https://anthropic/base/"
            [[route]]
            path = "/azure/"
            upstream = "http://azure"
            strip = true
            "#,
        );
        let target = |uri: &str| {
            let uri: Uri = uri.parse().unwrap();
            let route = routes.find(uri.path())?;
            Some(route.target(&uri).unwrap().to_string())
        };
        let cases = [
            (
                "/v1/chat/completions?a=b%20c",
                Some("http://openai:1/v1/chat/completions?a=b%20c"),
            ),
            ("/v1", Some("http://openai:1/v1")),
            ("/v1/messages", Some("https://anthropic/base/v1/messages")),
            (
                "/v1/messages/x?y",
                Some("https://anthropic/base/v1/messages/x?y"),
            ),
            ("/v1/messagesx", Some("http://openai:1/v1/messagesx")),
            ("/azure/openai/x", Some("http://azure/openai/x")),
            ("/azure", Some("http://azure/")),
            ("/v2", None),
            ("/azurex", None),
        ];
        for (uri, expected) in cases {
            assert_eq!(target(uri).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn the_upstreams_host_tells_the_provider_unless_the_configuration_does() {
        let routes = routes(
            r#"
            [[route]]
            path = "/told"
            upstream = "https://api.deepseek.com"
            provider = "openai"
            [[route]]
            path = "/host"
            upstream = "https://api.deepseek.com:443/base"
            [[route]]
            path = "/nobody"
            upstream = "http://10.0.0.1:8000"
            "#,
        );
        let labels = |path| routes.find(path).unwrap().labels.clone();
        assert_eq!(labels("/told"), Labels::new().provider(Provider::OpenAi));
        assert_eq!(labels("/host"), Labels::new().provider(Provider::DeepSeek));
        assert_eq!(labels("/nobody"), Labels::new());
    }

    #[test]
    fn keys_go_where_their_provider_wants_them() {
        let header = |provider| {
            let (name, value) = key_header(provider, "k").unwrap();
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let expected = ("authorization".to_owned(), "Bearer k".to_owned());
        assert_eq!(header(None), expected);
        assert_eq!(header(Some(Provider::OpenAi)), expected);
        assert_eq!(
            header(Some(Provider::Anthropic)),
            ("x-api-key".to_owned(), "k".to_owned())
        );
        assert!(key_header(None, "line\nbreak").is_none());
    }
}
