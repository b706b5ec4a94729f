//! JSON lines: one object a line.

use std::io;

use super::diagnose::{self, Object};
use super::field::shown;
use super::format::Format;
use super::source::{Refusal, Source};
use super::{BadLine, Event, Step};

/// Reads the calls of one line of JSON.
pub(super) trait JsonReader: Send {
    fn read(&self, line: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<(), String>;
}

/// The rows of a trace of JSON lines.
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
    /// The lines of `source`. `choose` gives the format and its reader by the
    /// keys of the first object.
    pub(super) fn recognise(
        mut source: Source,
        skipped: u64,
        choose: impl FnOnce(&Object) -> Option<(Format, Box<dyn JsonReader>)>,
    ) -> Result<Self, Refusal> {
        let mut line = Vec::new();
        source.read_line(&mut line)?;
        let object: Object = serde_json::from_slice(&line).map_err(|error| {
            Refusal::Unrecognised(format!(
                "its first line isn't one JSON object: {}",
                diagnose::syntax(&error)
            ))
        })?;
        let Some((format, reader)) = choose(&object) else {
            let keys: Vec<&str> = object.keys().map(String::as_str).collect();
            return Err(Refusal::Unrecognised(format!(
                "its first object has the keys {}",
                shown(&keys.join(","))
            )));
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

    pub(super) fn format(&self) -> Format {
        self.format
    }

    pub(super) fn may_wait(&self) -> bool {
        self.source.may_wait()
    }

    pub(super) fn next(&mut self, each: &mut dyn FnMut(Event<'_>)) -> io::Result<Step> {
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
                lines: 1,
                reason,
            }),
        })
    }
}
