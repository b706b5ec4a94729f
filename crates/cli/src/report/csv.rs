//! The report as CSV by RFC 4180: a header line, then the rows.
//!
//! Names are written as they are, because the file is for programs that join
//! on them, and model names such as `@cf/meta/llama-3` are ordinary. A
//! spreadsheet would take a name that begins like that for a formula, and a
//! model's name may come from a stranger: for spreadsheets there is
//! [`Names::Spreadsheet`].

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};
use quipu::Totals;

use super::Report;
use super::fields::{self, Value};
use crate::text;

/// How names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// As they are.
    Exact,
    /// On a terminal: what can't be seen is escaped.
    Visible,
    /// With an apostrophe before what a spreadsheet would calculate.
    Spreadsheet,
}

impl Names {
    fn write(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::Exact => Cow::Borrowed(name),
            Self::Visible => text::visible(name),
            Self::Spreadsheet if name.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) => {
                Cow::Owned(format!("'{name}"))
            }
            Self::Spreadsheet => Cow::Borrowed(name),
        }
    }
}

/// The keys of what `--top` left out.
const REST: &str = "__rest__";

/// Writes the report. There is no total line: whoever adds a column up must
/// not count everything twice.
pub(super) fn write(out: &mut impl Write, report: &Report, names: Names) -> io::Result<()> {
    let header = report.keys.iter().map(|key| key.name());
    let header = header.chain(fields::totals(&Totals::default()).map(|f| f.0));
    let groups = report.groups.iter().map(|group| {
        let keys = fields::keys(group, &report.keys).map(|(_, key)| key);
        row(keys, &group.totals, names)
    });
    // Without it, a column would not add up to the total.
    let rest = report.rest.iter().map(|rest| {
        let keys = report.keys.iter().map(|_| Value::Name(REST));
        row(keys, &rest.totals, names)
    });
    lines(out, header, groups.chain(rest))
}

fn row<'a>(
    keys: impl Iterator<Item = Value<'a>>,
    totals: &Totals,
    names: Names,
) -> std::vec::IntoIter<Field<'a>> {
    let totals = fields::totals(totals).map(|(_, value)| value);
    let fields = keys.chain(totals).map(|value| match value {
        Value::Missing => Field::MISSING,
        Value::Int(n) => Field::Int(n),
        Value::Bool(b) => Field::Text(Cow::Borrowed(if b { "true" } else { "false" })),
        Value::Name(name) => Field::Text(names.write(name)),
        Value::Day(day) => Field::Text(Cow::Owned(day.to_string())),
    });
    fields.collect::<Vec<_>>().into_iter()
}

/// What stands between two commas.
pub(crate) enum Field<'a> {
    Int(u64),
    Text(Cow<'a, str>),
}

impl Field<'_> {
    pub(crate) const MISSING: Self = Self::Text(Cow::Borrowed(""));
}

/// Writes a header and rows as RFC 4180 wants them.
pub(crate) fn lines<'a, Row>(
    out: &mut impl Write,
    header: impl Iterator<Item = &'a str>,
    rows: impl Iterator<Item = Row>,
) -> io::Result<()>
where
    Row: Iterator<Item = Field<'a>>,
{
    let mut csv = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(out);
    csv.write_record(header.map(str::as_bytes))
        .map_err(io_error)?;
    let mut digits = itoa::Buffer::new();
    for row in rows {
        for field in row {
            let field = match &field {
                Field::Int(n) => digits.format(*n),
                Field::Text(text) => text,
            };
            csv.write_field(field).map_err(io_error)?;
        }
        csv.write_record(None::<&[u8]>).map_err(io_error)?;
    }
    csv.flush()
}

/// The crate wraps what the writer said, a closed pipe for example.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f39_nasty_fields_survive_a_parser() {
        let nasty = [
            "a,b",
            "say \"hi\"",
            "two\r\nlines",
            "",
            " padded ",
            "\0\u{1b}",
            "模型",
        ];
        let mut out = Vec::new();
        let row = nasty.into_iter().map(|name| Field::Text(name.into()));
        lines(&mut out, (0..7).map(|_| "h"), std::iter::once(row)).unwrap();
        assert!(out.ends_with(b"\r\n"));
        let mut reader = csv::Reader::from_reader(&out[..]);
        let read: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].iter().collect::<Vec<_>>(), nasty);
    }

    #[test]
    fn a_formula_is_disarmed_only_when_asked() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"] {
            assert_eq!(Names::Exact.write(formula), formula);
            assert_eq!(Names::Spreadsheet.write(formula), format!("'{formula}"));
        }
        assert_eq!(Names::Spreadsheet.write("gpt-4o"), "gpt-4o");
    }
}
