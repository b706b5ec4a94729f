//! The way in: bytes as they arrive.

use super::counts::{Kind, Shape};
use super::disjoint::disjoint;
use super::fields::Mark;
use super::finding::Finding;
use super::framing::{Ending, EventStream, Format, JsonText, Sniffer, Sse};
use super::provider::{Provider, Route, recognise};
use super::reading::{Reading, Values};
use super::result::{Unreadable, Usage, UsageState};
use super::tokens::Tokens;
use crate::json::{Text, count};

/// Headers of Bedrock's responses, in lower case, and what they count.
const HEADERS: [(&str, Kind); 4] = [
    ("x-amzn-bedrock-input-token-count", Kind::Input),
    ("x-amzn-bedrock-output-token-count", Kind::Output),
    (
        "x-amzn-bedrock-cache-read-input-token-count",
        Kind::CacheRead,
    ),
    (
        "x-amzn-bedrock-cache-write-input-token-count",
        Kind::CacheWrite,
    ),
];

#[derive(Debug)]
enum Body {
    Unknown(Sniffer),
    Json(Box<JsonText>),
    Sse(Box<Sse>),
    EventStream(Box<EventStream>),
    Unreadable(Unreadable),
}

/// Reads the usage out of one response's body.
///
/// Bytes go in as they arrive, cut anywhere; they are looked at, not kept. Its
/// memory is bounded, below ten kilobytes whatever the body holds. Nothing here blocks or fails.
///
/// ```
/// use quipu_gateway::usage::{Extractor, Provider, UsageState};
///
/// let mut extractor = Extractor::new().path("/v1/chat/completions");
/// extractor.push(br#"{"model": "gpt-4o", "usage": {"prompt_tok"#);
/// extractor.push(br#"ens": 12, "completion_tokens": 5}}"#);
/// let usage = extractor.finish();
/// assert_eq!(usage.provider, Some(Provider::OpenAi));
/// assert_eq!(usage.state, UsageState::Complete);
/// assert_eq!((usage.tokens.input, usage.tokens.output), (Some(12), Some(5)));
/// assert_eq!(usage.tokens.cache_read, None); // it did not say
/// ```
#[derive(Debug)]
pub struct Extractor {
    told: Option<Provider>,
    route: Route,
    body: Body,
    // Boxed, like the bodies: an extractor is moved about.
    reading: Box<Reading>,
    has_headers: bool,
}

impl Default for Extractor {
    fn default() -> Self {
        Self::new()
    }
}

impl Extractor {
    /// An extractor that recognises the provider from the body alone.
    #[must_use]
    pub fn new() -> Self {
        Self {
            told: None,
            route: Route::default(),
            body: Body::Unknown(Sniffer::default()),
            reading: Box::default(),
            has_headers: false,
        }
    }

    /// Says who answers; nothing overrules it.
    #[must_use]
    pub fn provider(mut self, provider: Provider) -> Self {
        self.told = Some(provider);
        self
    }

    /// The request's path, or its whole URL.
    #[must_use]
    pub fn path(self, path: &str) -> Self {
        self.request(None, path)
    }

    /// The request's host and path.
    #[must_use]
    pub fn request(mut self, host: Option<&str>, path: &str) -> Self {
        self.route = Route::new(host, Some(path));
        self
    }

    /// Takes a header of the response; only those that count tokens (Bedrock's
    /// `x-amzn-bedrock-input-token-count` and its like) matter. What the body
    /// says goes before.
    pub fn header(&mut self, name: &str, value: &[u8]) {
        let known = HEADERS
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known));
        if let Some((_, kind)) = known {
            match count(value) {
                Some(tokens) => {
                    let counts = self.reading.values.counts_mut(Shape::Invocation);
                    counts.set(*kind, tokens);
                    self.has_headers = true;
                }
                None => self.reading.values.has_bad_count = true,
            }
            self.reading.values.marks.set(Mark::OfBedrock);
        }
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while let (Body::Unknown(sniffer), Some((&byte, rest))) =
            (&mut self.body, bytes.split_first())
        {
            bytes = rest;
            if let Some(format) = sniffer.push(byte) {
                let sniffer = sniffer.clone();
                self.begin(format, sniffer.held());
            }
        }
        self.read(bytes);
    }

    fn begin(&mut self, format: Format, held: &[u8]) {
        self.body = match format {
            Format::Json => Body::Json(Box::default()),
            Format::Sse => Body::Sse(Box::default()),
            Format::EventStream => Body::EventStream(Box::default()),
            Format::Compressed => Body::Unreadable(Unreadable::Compressed),
            Format::Unknown => Body::Unreadable(Unreadable::UnknownFormat),
        };
        self.read(held);
    }

    fn read(&mut self, bytes: &[u8]) {
        match &mut self.body {
            Body::Unknown(_) | Body::Unreadable(_) => {}
            Body::Json(body) => body.push(bytes, &mut self.reading),
            Body::Sse(body) => body.push(bytes, &mut self.reading),
            Body::EventStream(body) => body.push(bytes, &mut self.reading),
        }
    }

    /// The body ended, or broke off: says what it said.
    #[must_use]
    pub fn finish(mut self) -> Usage {
        if let Body::Unknown(sniffer) = &self.body
            && let Some(format) = sniffer.end()
        {
            let sniffer = sniffer.clone();
            self.begin(format, sniffer.held());
        }
        let mut is_json = false;
        let ending = match &mut self.body {
            Body::Unknown(_) | Body::Unreadable(_) => None,
            Body::Json(body) => {
                is_json = true;
                Some(body.end(&mut self.reading))
            }
            Body::Sse(body) => Some(body.end(&mut self.reading)),
            Body::EventStream(body) => Some(body.end(&mut self.reading)),
        };
        let unreadable = match (&self.body, ending) {
            (Body::Unreadable(why), _) => Some(*why),
            (_, Some(ending)) if ending.is_malformed && ending.documents == 0 => {
                Some(Unreadable::Malformed)
            }
            _ => None,
        };
        self.conclude(ending, is_json, unreadable)
    }

    fn conclude(
        &self,
        ending: Option<Ending>,
        is_json: bool,
        unreadable: Option<Unreadable>,
    ) -> Usage {
        let values = &self.reading.values;
        let is_malformed = ending.is_some_and(|ending| ending.is_malformed);
        let is_whole = ending.is_some_and(|ending| ending.is_whole);
        let mut findings = Vec::new();
        let (tokens, billed) = tokens(values, &mut findings);
        let estimated = findings.iter().any(Finding::is_contradiction);
        if values.has_bad_count {
            findings.push(Finding::NotACount);
        }
        if is_malformed {
            findings.push(Finding::Malformed);
        }
        // A whole JSON text has said all; a stream must say that it ended.
        let is_final = self.reading.is_final() || self.has_headers || (is_json && is_whole);
        let state = if tokens.is_empty() {
            UsageState::Missing
        } else if is_final && !is_malformed && !values.has_bad_count {
            UsageState::Complete
        } else {
            UsageState::Partial
        };
        let model = text(&values.model).or_else(|| self.route.model.clone());
        Usage {
            provider: recognise(self.told, &self.route, values, model.as_deref()),
            model,
            path_model: self.route.model.clone(),
            tokens,
            billed,
            state,
            estimated,
            service_tier: text(&values.service_tier),
            is_error: values.marks.has(Mark::Error),
            unreadable,
            findings,
        }
    }
}

fn text(text: &Text) -> Option<String> {
    let bytes = text.get().filter(|bytes| !bytes.is_empty())?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// The tokens of the shape that the body is in, and what is billed where that
/// is said apart.
fn tokens(values: &Values, findings: &mut Vec<Finding>) -> (Tokens, Option<Tokens>) {
    let has = |shape: &Shape| {
        let counts = values.counts(*shape);
        let kinds = [Kind::Input, Kind::Output];
        kinds.iter().any(|kind| counts.get(*kind).is_some())
    };
    let shapes = [
        Shape::Chat,
        Shape::InputOutput,
        Shape::Gemini,
        Shape::Converse,
        Shape::Cohere,
        Shape::CohereBilled,
        Shape::Llama,
        Shape::Titan,
        Shape::Ollama,
        Shape::Invocation,
    ];
    let Some(shape) = shapes.into_iter().find(has) else {
        return (Tokens::default(), None);
    };
    let tokens = disjoint(shape, values.counts(shape), values.marks, findings);
    let apart = match shape {
        Shape::Cohere => Some(Shape::CohereBilled),
        Shape::InputOutput => Some(Shape::Passes),
        _ => None,
    };
    let billed = apart.filter(has).map(|shape| {
        // What is odd in it is odd in the first, too.
        disjoint(shape, values.counts(shape), values.marks, &mut Vec::new())
    });
    (tokens, billed)
}
