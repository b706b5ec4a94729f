//! CSV: rows, which may run over several lines within quotes, and their cells
//! by the names in the header.

use std::io;

use super::field::shown;
use super::format::Format;
use super::source::{Refusal, Source};
use super::{BadLine, Event, Step};

/// How many lines a quoted cell may run over. A quote that is never closed
/// costs this many lines, not the rest of the trace.
const MAX_LINES: u64 = 100;

/// Reads the call of one CSV row.
pub(super) trait CsvReader: Send {
    fn read<'a>(&self, row: &'a Row) -> Result<Event<'a>, String>;
}

/// A format and the reader of its rows.
pub(super) type CsvFormat = (Format, Box<dyn CsvReader>);

/// The cells of one row, unquoted.
#[derive(Default)]
pub(super) struct Row {
    text: String,
    ends: Vec<usize>,
}

impl Row {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|index| self.get(index))
    }

    fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .map_or(0, |end| *end);
        self.text.get(start..end)
    }

    /// Splits `line` into cells.
    fn split(&mut self, csv: &mut csv_core::Reader, line: &[u8]) -> Result<(), &'static str> {
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        // Unquoting only ever shortens; one cell more than there are commas.
        bytes.resize(line.len(), 0);
        self.ends.resize(line.len() + 1, 0);
        csv.reset();
        let (_, _, mut written, mut cells) = csv.read_record(line, &mut bytes, &mut self.ends);
        // No more input is how the parser learns that the row ends here.
        let (_, _, more, last) =
            csv.read_record(&[], &mut bytes[written..], &mut self.ends[cells..]);
        written += more;
        cells += last;
        bytes.truncate(written);
        self.ends.truncate(cells);
        self.text = String::from_utf8(bytes).map_err(|_| "it isn't UTF-8 text")?;
        Ok(())
    }
}

/// Where columns are, by name.
pub(super) struct Header<'a>(&'a Row);

impl Header<'_> {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.cells().map(str::trim)
    }

    /// A column of this name; empty in every row where there is none.
    pub(super) fn column(&self, name: &'static str) -> Column {
        let index = self.names().position(|column| column == name);
        Column { name, index }
    }
}

/// One column of a CSV format.
#[derive(Clone, Copy)]
pub(super) struct Column {
    name: &'static str,
    index: Option<usize>,
}

impl Column {
    /// The cell as it stands; empty where the trace doesn't have the column.
    pub(super) fn text<'a>(&self, row: &'a Row) -> &'a str {
        self.index.and_then(|index| row.get(index)).unwrap_or("")
    }

    /// The cell without white space around it; `None` where it is empty.
    pub(super) fn get<'a>(&self, row: &'a Row) -> Option<&'a str> {
        Some(self.text(row).trim()).filter(|cell| !cell.is_empty())
    }

    pub(super) fn require<'a>(&self, row: &'a Row) -> Result<&'a str, String> {
        self.get(row)
            .ok_or_else(|| format!("{} is empty", self.name))
    }

    /// A cell that may be empty, read by one of the functions of `field`.
    pub(super) fn parse<T>(
        &self,
        row: &Row,
        read: impl Fn(&str, &str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        self.get(row).map(|cell| read(self.name, cell)).transpose()
    }

    /// A cell that must not be empty, read by one of the functions of `field`.
    pub(super) fn parse_required<T>(
        &self,
        row: &Row,
        read: impl Fn(&str, &str) -> Result<T, String>,
    ) -> Result<T, String> {
        read(self.name, self.require(row)?)
    }
}

/// The rows of a CSV trace.
pub(super) struct CsvRows {
    format: Format,
    source: Source,
    csv: csv_core::Reader,
    line: Vec<u8>,
    row: Row,
    /// The last line that was read.
    number: u64,
    columns: usize,
    reader: Box<dyn CsvReader>,
}

impl CsvRows {
    /// The rows of `source`. `choose` gives the format and its reader by the
    /// header, or says why the header won't do.
    pub(super) fn recognise(
        mut source: Source,
        skipped: u64,
        choose: impl FnOnce(&Header<'_>) -> Result<Option<CsvFormat>, String>,
    ) -> Result<Self, Refusal> {
        let mut csv = csv_core::Reader::new();
        let mut line = Vec::new();
        let mut row = Row::default();
        source.read_line(&mut line)?;
        row.split(&mut csv, &line)
            .map_err(|reason| Refusal::Unrecognised(format!("its first line: {reason}")))?;
        let chosen = choose(&Header(&row)).map_err(Refusal::Unrecognised)?;
        let Some((format, reader)) = chosen else {
            return Err(Refusal::Unrecognised(format!(
                "its first line is {}",
                shown(&String::from_utf8_lossy(&line))
            )));
        };
        Ok(Self {
            format,
            source,
            csv,
            line,
            columns: row.len(),
            row,
            number: skipped + 1,
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
        if !self.source.read_line(&mut self.line)? {
            return Ok(Step::End);
        }
        self.number += 1;
        if self.line.trim_ascii().is_empty() {
            return Ok(Step::Read);
        }
        let line = self.number;
        let result = self.complete_row()?.and_then(|()| self.call(each));
        Ok(match result {
            Ok(()) => Step::Read,
            Err(reason) => Step::Bad(BadLine {
                line,
                lines: self.number - line + 1,
                reason,
            }),
        })
    }

    /// Appends lines until every quote of the row is closed.
    fn complete_row(&mut self) -> io::Result<Result<(), String>> {
        let mut lines = 1;
        let mut checked = 0;
        let mut is_open = false;
        loop {
            let quotes = self.line[checked..].iter().filter(|byte| **byte == b'"');
            is_open ^= quotes.count() % 2 == 1;
            checked = self.line.len();
            if !is_open {
                return Ok(Ok(()));
            }
            self.line.push(b'\n');
            if lines == MAX_LINES || !self.source.append_line(&mut self.line)? {
                let skipped = if lines == 1 {
                    String::new()
                } else {
                    format!("; it and the next {} lines were skipped", lines - 1)
                };
                return Ok(Err(format!("a quote is not closed{skipped}")));
            }
            lines += 1;
            self.number += 1;
        }
    }

    fn call(&mut self, each: &mut dyn FnMut(Event<'_>)) -> Result<(), String> {
        self.row.split(&mut self.csv, &self.line)?;
        if self.row.len() != self.columns {
            return Err(format!(
                "it has {} columns where the header has {}",
                self.row.len(),
                self.columns
            ));
        }
        each(self.reader.read(&self.row)?);
        Ok(())
    }
}
