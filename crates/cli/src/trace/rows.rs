//! The rows of a trace: CSV rows or JSON lines, each handed to the reader of
//! its format.

use std::io;

use super::field::shown;
use super::format::Format;
use super::source::Source;
use super::table::CsvRows;
use super::{BadLine, Defaults, Event, Step};
use super::{claude_session, mooncake, native, ragpulse};

/// Reads the calls of one line of JSON.
pub(super) trait JsonReader: Send {
    fn read(&self, line: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<(), String>;
}

/// Why a source's rows can't be read at all.
pub(super) enum Refusal {
    Io(io::Error),
    Empty,
    Unrecognised(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

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
            Some(b'{') => Ok(Self::Json(JsonRows::recognise(source, skipped, defaults)?)),
            Some(b'[') => Err(Refusal::Unrecognised(
                "it is a JSON array, not one object a line (jq -c '.[]' makes it so)".to_owned(),
            )),
            Some(_) => Ok(Self::Csv(CsvRows::recognise(source, skipped, defaults)?)),
        }
    }

    pub(super) fn format(&self) -> Format {
        match self {
            Self::Csv(rows) => rows.format(),
            Self::Json(rows) => rows.format,
        }
    }

    pub(super) fn next(&mut self, each: &mut dyn FnMut(Event<'_>)) -> io::Result<Step> {
        match self {
            Self::Csv(rows) => rows.next(each),
            Self::Json(rows) => rows.next(each),
        }
    }
}

pub(super) struct JsonRows {
    format: Format,
    source: Source,
    line: Vec<u8>,
    number: u64,
    /// The first line was read to recognise the format and is still to be
    /// handed out.
    is_pending: bool,
    reader: Box<dyn JsonReader>,
}

impl JsonRows {
    fn recognise(mut source: Source, skipped: u64, defaults: &Defaults) -> Result<Self, Refusal> {
        let mut line = Vec::new();
        source.read_line(&mut line)?;
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&line)
            .map_err(|error| {
                Refusal::Unrecognised(format!(
                    "its first line isn't one JSON object: {}",
                    json_reason(&error)
                ))
            })?;
        let Some(format) = Format::of(true, |name| object.contains_key(name)) else {
            let keys: Vec<&str> = object.keys().map(String::as_str).collect();
            return Err(Refusal::Unrecognised(format!(
                "its first object has the keys {}",
                shown(&keys.join(","))
            )));
        };
        let reader: Box<dyn JsonReader> = match format {
            Format::ClaudeSession => Box::new(claude_session::Reader::new(defaults)),
            Format::Mooncake => Box::new(mooncake::Reader::new(defaults)),
            Format::RagPulse => Box::new(ragpulse::Reader::new(defaults)),
            _ => Box::new(native::JsonLine::new(defaults)),
        };
        Ok(Self {
            format,
            source,
            line,
            number: skipped + 1,
            is_pending: true,
            reader,
        })
    }

    fn next(&mut self, each: &mut dyn FnMut(Event<'_>)) -> io::Result<Step> {
        if !std::mem::take(&mut self.is_pending) {
            self.number += 1;
            if !self.source.read_line(&mut self.line)? {
                return Ok(Step::End);
            }
        }
        // serde takes an array for an object with its keys left out.
        let result = match self.line.trim_ascii_start().first() {
            None => return Ok(Step::Read),
            Some(b'{') => self.reader.read(&self.line, each),
            Some(_) => Err("it isn't a JSON object".to_owned()),
        };
        Ok(match result {
            Ok(()) => Step::Read,
            Err(reason) => Step::Bad(BadLine {
                line: self.number,
                reason,
            }),
        })
    }
}

/// serde_json's word without "line 1", which would be taken for the trace's.
pub(super) fn json_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((what, _)) if error.column() > 0 => format!("{what} at column {}", error.column()),
        Some((what, _)) => what.to_owned(),
        None => text,
    }
}
