//! RAGPulse: seconds since the start (as a string), two sizes and a session,
//! no model.

use std::borrow::Cow;

use quipu::TokenKind;
use serde::Deserialize;

use super::diagnose::{self, Key, Kind, needed};
use super::field::nanos;
use super::lines::JsonReader;
use super::{Defaults, Event, ModelName};

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    input_length: u64,
    output_length: u64,
    #[serde(borrow)]
    session_id: Cow<'a, str>,
}

const KEYS: [Key; 4] = [
    needed("timestamp", Kind::Text),
    needed("input_length", Kind::Whole),
    needed("output_length", Kind::Whole),
    needed("session_id", Kind::Text),
];

pub(super) struct Reader {
    defaults: Defaults,
    model: ModelName,
}

impl Reader {
    pub(super) fn new(defaults: &Defaults) -> Self {
        Self {
            defaults: defaults.clone(),
            model: defaults.model_or("ragpulse"),
        }
    }
}

impl JsonReader for Reader {
    fn read(&self, line: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<(), String> {
        let line: Line<'_> = serde_json::from_slice(line).map_err(|error| {
            diagnose::reason(&error, line, |object| diagnose::wrong_key(object, &KEYS))
        })?;
        let at = self
            .defaults
            .after_start(nanos("timestamp", &line.timestamp)?)?;
        let mut event = Event::new(at, &*self.model.provider, &*self.model.model)
            .tokens(TokenKind::Input, Some(line.input_length))
            .tokens(TokenKind::Output, Some(line.output_length));
        event.tenant = line.session_id;
        each(event);
        Ok(())
    }
}
