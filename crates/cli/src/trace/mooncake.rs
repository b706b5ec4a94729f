//! Mooncake: milliseconds since the start and two sizes, no model.

use quipu::TokenKind;
use serde::Deserialize;

use super::diagnose::{self, Key, Kind, needed};
use super::lines::JsonReader;
use super::{Defaults, Event, ModelName};

const NANOS_PER_MILLI: u64 = 1_000_000;

#[derive(Deserialize)]
struct Line {
    timestamp: u64,
    input_length: u64,
    output_length: u64,
}

const KEYS: [Key; 3] = [
    needed("timestamp", Kind::Whole),
    needed("input_length", Kind::Whole),
    needed("output_length", Kind::Whole),
];

pub(super) struct Reader {
    defaults: Defaults,
    model: ModelName,
}

impl Reader {
    pub(super) fn new(defaults: &Defaults) -> Self {
        Self {
            defaults: defaults.clone(),
            model: defaults.model_or("mooncake"),
        }
    }
}

impl JsonReader for Reader {
    fn read(&self, line: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<(), String> {
        let line: Line = serde_json::from_slice(line).map_err(|error| {
            diagnose::reason(&error, line, |object| diagnose::wrong_key(object, &KEYS))
        })?;
        let at = self
            .defaults
            .after_start(line.timestamp.saturating_mul(NANOS_PER_MILLI))?;
        each(
            Event::new(at, &*self.model.provider, &*self.model.model)
                .tokens(TokenKind::Input, Some(line.input_length))
                .tokens(TokenKind::Output, Some(line.output_length)),
        );
        Ok(())
    }
}
