//! What host and path of a request say about who answers it.

use std::borrow::Cow;

use super::Provider;

/// What is known from the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// The provider, where host or path leave no doubt.
    pub(crate) provider: Option<Provider>,
    /// The provider whose interface the path is, which others copy.
    pub(crate) likely: Option<Provider>,
    /// The model, where the path names it.
    pub(crate) model: Option<String>,
}

/// Hosts, by how they end.
const HOSTS: &[(&str, Provider)] = &[
    ("api.openai.com", Provider::OpenAi),
    ("api.anthropic.com", Provider::Anthropic),
    ("generativelanguage.googleapis.com", Provider::Gemini),
    ("aiplatform.googleapis.com", Provider::Vertex),
    (".openai.azure.com", Provider::AzureOpenAi),
    (".services.ai.azure.com", Provider::AzureOpenAi),
    (".cognitiveservices.azure.com", Provider::AzureOpenAi),
    (".inference.ai.azure.com", Provider::AzureOpenAi),
    ("models.inference.ai.azure.com", Provider::AzureOpenAi),
    ("api.mistral.ai", Provider::Mistral),
    ("codestral.mistral.ai", Provider::Mistral),
    ("api.cohere.com", Provider::Cohere),
    ("api.cohere.ai", Provider::Cohere),
    ("api.deepseek.com", Provider::DeepSeek),
    ("api.groq.com", Provider::Groq),
    ("api.x.ai", Provider::Xai),
    ("openrouter.ai", Provider::OpenRouter),
    ("ollama.com", Provider::Ollama),
    ("api.perplexity.ai", Provider::Perplexity),
    ("api.together.xyz", Provider::Together),
    ("api.together.ai", Provider::Together),
    ("router.huggingface.co", Provider::HuggingFace),
    ("api.writer.com", Provider::Writer),
    ("api.cerebras.ai", Provider::Cerebras),
    ("api.fireworks.ai", Provider::Fireworks),
];

fn of_host(host: &str) -> Option<Provider> {
    let name = host.trim().split(':').next().unwrap_or_default();
    // Addresses, and names of one's own network.
    if !name.ends_with(|last: char| last.is_ascii_alphabetic()) || !name.contains('.') {
        return None;
    }
    let known = HOSTS.iter().find(|(end, _)| {
        before_end(name, end).is_some_and(|before| {
            before.is_empty() || end.starts_with('.') || before.ends_with(['.', '-'])
        })
    });
    if let Some((_, provider)) = known {
        return Some(*provider);
    }
    let mut amazon = [".amazonaws.com", ".amazonaws.com.cn"].iter();
    let is_amazon = amazon.any(|end| before_end(name, end).is_some());
    let service = name.get(.."bedrock".len()).unwrap_or_default();
    (is_amazon && service.eq_ignore_ascii_case("bedrock")).then_some(Provider::Bedrock)
}

/// What comes before this end, whose case doesn't matter.
fn before_end<'a>(name: &'a str, end: &str) -> Option<&'a str> {
    let (before, found) = name.split_at_checked(name.len().checked_sub(end.len())?)?;
    found.eq_ignore_ascii_case(end).then_some(before)
}

impl Route {
    /// Reads a request's host and path; the path may be a whole URL.
    pub(crate) fn new(host: Option<&str>, path: Option<&str>) -> Self {
        let path = path.unwrap_or_default();
        let (in_path, path) = match after_scheme(path) {
            Some(rest) => rest.find('/').map_or((Some(rest), ""), |at| {
                (rest.get(..at), rest.get(at..).unwrap_or(""))
            }),
            None => (None, path),
        };
        let end = memchr::memchr2(b'?', b'#', path.as_bytes());
        let path = end.and_then(|end| path.get(..end)).unwrap_or(path);
        let path = path.trim_end_matches('/');
        let mut route = of_path(path);
        let of_host = host.and_then(of_host).or_else(|| in_path.and_then(of_host));
        route.provider = of_host.or(route.provider);
        route
    }
}

/// What a URL has behind its `://`.
fn after_scheme(url: &str) -> Option<&str> {
    let (_, rest) = url.split_at_checked(memchr::memchr(b':', url.as_bytes())?)?;
    rest.strip_prefix("://")
}

fn of_path(path: &str) -> Route {
    let sure = |provider, model: Option<&str>| Route {
        provider: Some(provider),
        likely: Some(provider),
        model: model.map(|model| decoded(model).into_owned()),
    };
    let likely = |provider| Route {
        likely: Some(provider),
        ..Route::default()
    };
    match path {
        // Most calls, and what nothing below says otherwise of.
        "/v1/chat/completions" | "/v1/completions" | "/v1/responses" | "/v1/embeddings" => {
            return likely(Provider::OpenAi);
        }
        "/v1/messages" => return likely(Provider::Anthropic),
        _ => {}
    }
    // /model/{id}/converse
    if let Some((_, rest)) = path.split_once("/model/")
        && let Some((model, action)) = rest.rsplit_once('/')
        && matches!(
            action,
            "converse" | "converse-stream" | "invoke" | "invoke-with-response-stream"
        )
    {
        return sure(Provider::Bedrock, Some(model));
    }
    // /v1beta/models/{id}:generateContent, with publishers/… on Vertex
    if let Some((_, rest)) = path.rsplit_once("/models/")
        && let Some((model, _)) = rest.split_once(':')
    {
        let is_vertex = path.contains("/publishers/") || path.contains("/projects/");
        let provider = if is_vertex {
            Provider::Vertex
        } else {
            Provider::Gemini
        };
        return sure(provider, Some(model));
    }
    let ends = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    if path.contains("/openai/deployments/") || ends(&["/models/chat/completions"]) {
        sure(Provider::AzureOpenAi, None)
    } else if ends(&["/v1beta/interactions", "/v1/interactions"]) {
        sure(Provider::Gemini, None)
    } else if ends(&["/v2/chat", "/v2/embed", "/v2/rerank"]) {
        sure(Provider::Cohere, None)
    } else if ends(&[
        "/api/chat",
        "/api/generate",
        "/api/embed",
        "/api/embeddings",
    ]) {
        sure(Provider::Ollama, None)
    } else if path.starts_with("/api/v1/") {
        sure(Provider::OpenRouter, None)
    } else if ends(&["/v1/messages", "/v1/complete", "/v1/messages/count_tokens"]) {
        likely(Provider::Anthropic)
    } else if ends(&["/v1/chat", "/v1/embed", "/v1/generate"]) {
        likely(Provider::Cohere)
    } else if ends(&[
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/responses",
        "/v1/embeddings",
    ]) || path.contains("/v1/audio/")
        || path.contains("/v1/images/")
    {
        likely(Provider::OpenAi)
    } else {
        Route::default()
    }
}

/// A part of a path without its `%` escapes.
fn decoded(part: &str) -> Cow<'_, str> {
    if !part.contains('%') {
        return Cow::Borrowed(part);
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let escaped = behind
            .split_first_chunk::<2>()
            .and_then(|(digits, behind)| {
                let digits = std::str::from_utf8(digits).ok()?;
                Some((u8::from_str_radix(digits, 16).ok()?, behind))
            });
        match escaped {
            Some((decoded, behind)) if byte == b'%' => {
                bytes.push(decoded);
                rest = behind;
            }
            _ => bytes.push(byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_by_their_ends() {
        let hosts = [
            ("api.openai.com", Some(Provider::OpenAi)),
            ("API.OpenAI.com:443", Some(Provider::OpenAi)),
            ("eu.api.openai.com", Some(Provider::OpenAi)),
            ("api.openai.com.evil.example", None),
            ("notapi.openai.com", None),
            ("acme.openai.azure.com", Some(Provider::AzureOpenAi)),
            ("us-east5-aiplatform.googleapis.com", Some(Provider::Vertex)),
            (
                "bedrock-runtime.eu-west-1.amazonaws.com",
                Some(Provider::Bedrock),
            ),
            ("s3.amazonaws.com", None),
        ];
        for (host, provider) in hosts {
            assert_eq!(Route::new(Some(host), None).provider, provider, "{host}");
        }
    }

    #[test]
    fn paths_name_providers_and_models() {
        let route = Route::new(
            None,
            Some("/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream"),
        );
        assert_eq!(route.provider, Some(Provider::Bedrock));
        let model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
        assert_eq!(route.model.as_deref(), Some(model));

        let route = Route::new(
            None,
            Some("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        );
        assert_eq!(route.provider, Some(Provider::Gemini));
        assert_eq!(route.model.as_deref(), Some("gemini-2.5-flash"));

        let route = Route::new(None, Some("/v1/chat/completions"));
        assert_eq!(
            (route.provider, route.likely),
            (None, Some(Provider::OpenAi))
        );
        let route = Route::new(
            None,
            Some("https://api.groq.com/openai/v1/chat/completions"),
        );
        assert_eq!(route.provider, Some(Provider::Groq));
    }

    #[test]
    fn a_broken_escape_stays_as_it_is() {
        assert_eq!(decoded("a%3Ab%zz%2"), "a:b%zz%2");
    }
}
