//! RAGPulse: seconds since the start (as a string), two sizes and a session,
//! no model.

use std::borrow::Cow;

use quipu::TokenKind;
use serde::Deserialize;

use super::field::nanos;
use super::lines::{JsonReader, json_reason};
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
        let line: Line<'_> = serde_json::from_slice(line).map_err(|error| json_reason(&error))?;
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
