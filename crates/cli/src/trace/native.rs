//! quipu's own formats: a CSV column or a JSON key for every field of a
//! record. Only `provider` and `model` must be there; what is absent or empty
//! is missing, not zero.

use std::borrow::Cow;
use std::time::Duration;

use quipu::TokenKind;
use serde::Deserialize;
use serde_json::Value;

use super::diagnose::{self, Key, Kind, Object, optional};
use super::field::{flag, outcome, parse_time, shown, whole};
use super::lines::JsonReader;
use super::table::{Column, CsvReader, Header, Row};
use super::{Defaults, Event, ModelName};

/// All columns, in the order in which `--help` shows them.
const COLUMNS: [&str; 16] = [
    "at",
    "provider",
    "model",
    "tenant",
    "input",
    "cache_read",
    "cache_write",
    "output",
    "reasoning",
    "audio",
    "cost_nanos",
    "latency_us",
    "ttft_us",
    "outcome",
    "streamed",
    "estimated",
];

pub(super) struct CsvRow {
    defaults: Defaults,
    at: Column,
    provider: Column,
    model: Column,
    tenant: Column,
    tokens: [Column; TokenKind::ALL.len()],
    cost_nanos: Column,
    latency_us: Column,
    ttft_us: Column,
    outcome: Column,
    streamed: Column,
    estimated: Column,
}

impl CsvRow {
    /// Refuses columns that it doesn't know: a misspelt `ouput` would be lost
    /// without a word.
    pub(super) fn new(header: &Header<'_>, defaults: &Defaults) -> Result<Self, String> {
        for (index, name) in header.names().enumerate() {
            if !COLUMNS.contains(&name) {
                let known = COLUMNS.join(", ");
                return Err(format!(
                    "its header has the column {}, quipu's own CSV has {known}",
                    shown(name)
                ));
            }
            if header.names().take(index).any(|before| before == name) {
                return Err(format!("its header has the column {name} twice"));
            }
        }
        Ok(Self {
            defaults: defaults.clone(),
            at: header.column("at"),
            provider: header.column("provider"),
            model: header.column("model"),
            tenant: header.column("tenant"),
            tokens: TokenKind::ALL.map(|kind| header.column(kind.name())),
            cost_nanos: header.column("cost_nanos"),
            latency_us: header.column("latency_us"),
            ttft_us: header.column("ttft_us"),
            outcome: header.column("outcome"),
            streamed: header.column("streamed"),
            estimated: header.column("estimated"),
        })
    }
}

impl CsvReader for CsvRow {
    fn read<'a>(&self, row: &'a Row) -> Result<Event<'a>, String> {
        let at = self.at.parse(row, time)?;
        let (provider, model) = names(
            self.provider.text(row).into(),
            self.model.text(row).into(),
            self.defaults.model.as_ref(),
        )?;
        let mut event = Event::new(at.unwrap_or(self.defaults.start), provider, model);
        event.tenant = self.tenant.text(row).into();
        for (tokens, column) in event.tokens.iter_mut().zip(&self.tokens) {
            *tokens = column.parse(row, whole)?;
        }
        event.cost_nanos = self.cost_nanos.parse(row, whole)?;
        event.latency = self
            .latency_us
            .parse(row, whole)?
            .map(Duration::from_micros);
        event.time_to_first_token = self.ttft_us.parse(row, whole)?.map(Duration::from_micros);
        event.outcome = self.outcome.parse(row, outcome)?.unwrap_or_default();
        event.streamed = self.streamed.parse(row, flag)?.unwrap_or(false);
        event.estimated = self.estimated.parse(row, flag)?.unwrap_or(false);
        Ok(event)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    at: Option<Value>,
    #[serde(borrow, default)]
    provider: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tenant: Option<Cow<'a, str>>,
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
    audio: Option<u64>,
    cost_nanos: Option<u64>,
    latency_us: Option<u64>,
    ttft_us: Option<u64>,
    #[serde(borrow, default)]
    outcome: Option<Cow<'a, str>>,
    streamed: Option<bool>,
    estimated: Option<bool>,
}

pub(super) struct JsonLine {
    defaults: Defaults,
}

impl JsonLine {
    pub(super) fn new(defaults: &Defaults) -> Self {
        Self {
            defaults: defaults.clone(),
        }
    }
}

impl JsonReader for JsonLine {
    fn read(&self, line: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<(), String> {
        let line: Line<'_> = serde_json::from_slice(line)
            .map_err(|error| diagnose::reason(&error, line, wrong_key))?;
        let at = match &line.at {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(time("at", text)?),
            Some(other) => Some(time("at", &other.to_string())?),
        };
        let (provider, model) = names(
            line.provider.unwrap_or_default(),
            line.model.unwrap_or_default(),
            self.defaults.model.as_ref(),
        )?;
        let mut event = Event::new(at.unwrap_or(self.defaults.start), provider, model)
            .tokens(TokenKind::Input, line.input)
            .tokens(TokenKind::CacheRead, line.cache_read)
            .tokens(TokenKind::CacheWrite, line.cache_write)
            .tokens(TokenKind::Output, line.output)
            .tokens(TokenKind::Reasoning, line.reasoning)
            .tokens(TokenKind::Audio, line.audio);
        event.tenant = line.tenant.unwrap_or_default();
        event.cost_nanos = line.cost_nanos;
        event.latency = line.latency_us.map(Duration::from_micros);
        event.time_to_first_token = line.ttft_us.map(Duration::from_micros);
        if let Some(name) = line.outcome.filter(|name| !name.is_empty()) {
            event.outcome = outcome("outcome", &name)?;
        }
        event.streamed = line.streamed.unwrap_or(false);
        event.estimated = line.estimated.unwrap_or(false);
        each(event);
        Ok(())
    }
}

/// What is wrong with an object. Of these keys none is needed: `--model` may
/// stand in for the names.
fn wrong_key(object: &Object) -> Option<String> {
    const TEXTS: [&str; 4] = ["provider", "model", "tenant", "outcome"];
    const FLAGS: [&str; 2] = ["streamed", "estimated"];
    let unknown = object.keys().find(|key| !COLUMNS.contains(&key.as_str()));
    if let Some(key) = unknown {
        let known = COLUMNS.join(", ");
        return Some(format!(
            "it has the key {}, quipu's own JSON has {known}",
            shown(key)
        ));
    }
    // The moment has several ways to be written.
    let keys = COLUMNS.into_iter().filter(|name| *name != "at");
    let keys: Vec<Key> = keys
        .map(|name| match name {
            name if TEXTS.contains(&name) => optional(name, Kind::Text),
            name if FLAGS.contains(&name) => optional(name, Kind::Flag),
            name => optional(name, Kind::Whole),
        })
        .collect();
    diagnose::wrong_key(object, &keys)
}

fn time(name: &str, text: &str) -> Result<u64, String> {
    parse_time(text).map_err(|reason| format!("{name}: {reason}"))
}

/// The names of a row, with `--model` for what it leaves empty.
fn names<'a>(
    provider: Cow<'a, str>,
    model: Cow<'a, str>,
    fallback: Option<&ModelName>,
) -> Result<(Cow<'a, str>, Cow<'a, str>), String> {
    let fill = |name: Cow<'a, str>, what: &str, other: Option<&String>| match other {
        _ if !name.is_empty() => Ok(name),
        Some(other) => Ok(Cow::Owned(other.clone())),
        None => Err(format!("{what} is empty")),
    };
    Ok((
        fill(provider, "provider", fallback.map(|name| &name.provider))?,
        fill(model, "model", fallback.map(|name| &name.model))?,
    ))
}
