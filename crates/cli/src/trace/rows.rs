//! The rows of a trace: CSV rows or JSON lines, each handed to the reader of
//! its format, which the first row tells.

use std::io;

use super::diagnose::Object;
use super::format::Format;
use super::lines::{JsonReader, JsonRows};
use super::source::{Refusal, Source};
use super::table::{CsvFormat, CsvReader, CsvRows, Header};
use super::{Defaults, Event, Step};
use super::{
    azure, burstgpt, claude_code, claude_session, mooncake, native, ragpulse, recorded_calls,
};

/// A trace's rows.
// There is one of it, and it is never moved in bulk.
#[allow(clippy::large_enum_variant)]
pub(super) enum Rows {
    Csv(CsvRows),
    Json(JsonRows),
}

impl Rows {
    /// Recognises the format by the first row that isn't blank.
    pub(super) fn recognise(mut source: Source, defaults: &Defaults) -> Result<Self, Refusal> {
        let skipped = source.skip_blank_lines()?;
        match source.fill_buf()?.first() {
            None => Err(Refusal::Empty),
            Some(b'{') => Ok(Self::Json(JsonRows::recognise(source, skipped, |first| {
                json_reader(first, defaults)
            })?)),
            Some(b'[') => Err(Refusal::Unrecognised(
                "it is a JSON array, not one object a line (jq -c '.[]' makes it so)".to_owned(),
            )),
            Some(_) => Ok(Self::Csv(CsvRows::recognise(source, skipped, |header| {
                csv_reader(header, defaults)
            })?)),
        }
    }

    pub(super) fn format(&self) -> Format {
        match self {
            Self::Csv(rows) => rows.format(),
            Self::Json(rows) => rows.format(),
        }
    }

    pub(super) fn may_wait(&self) -> bool {
        match self {
            Self::Csv(rows) => rows.may_wait(),
            Self::Json(rows) => rows.may_wait(),
        }
    }

    pub(super) fn next(&mut self, each: &mut dyn FnMut(Event<'_>)) -> io::Result<Step> {
        match self {
            Self::Csv(rows) => rows.next(each),
            Self::Json(rows) => rows.next(each),
        }
    }
}

/// The format with these columns, and its reader. `Ok(None)` where there is
/// none.
fn csv_reader(header: &Header<'_>, defaults: &Defaults) -> Result<Option<CsvFormat>, String> {
    let has = |name: &str| header.names().any(|column| column == name);
    let Some(format) = Format::of(false, has) else {
        return Ok(None);
    };
    let reader: Box<dyn CsvReader> = match format {
        Format::ClaudeCode => Box::new(claude_code::Reader::new(header, defaults)),
        Format::Azure => Box::new(azure::Reader::new(header, defaults)),
        Format::BurstGpt => Box::new(burstgpt::Reader::new(header, defaults)),
        Format::RecordedCalls => Box::new(recorded_calls::Reader::new(header, defaults)),
        _ => Box::new(native::CsvRow::new(header, defaults)?),
    };
    Ok(Some((format, reader)))
}

/// The format with the keys of this object, and its reader.
fn json_reader(first: &Object, defaults: &Defaults) -> Option<(Format, Box<dyn JsonReader>)> {
    let format = Format::of(true, |name| first.contains_key(name))?;
    let reader: Box<dyn JsonReader> = match format {
        Format::ClaudeSession => Box::new(claude_session::Reader::new(defaults)),
        Format::Mooncake => Box::new(mooncake::Reader::new(defaults)),
        Format::RagPulse => Box::new(ragpulse::Reader::new(defaults)),
        _ => Box::new(native::JsonLine::new(defaults)),
    };
    Some((format, reader))
}
