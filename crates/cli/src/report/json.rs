//! The report as one JSON document with exact integers.

use std::io::{self, Write};

use quipu::{Totals, Writer};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};

use super::fields::{self, Value};
use super::{Report, Rest, Store};
use crate::format::Moment;
use crate::text;

/// Writes the report as one line.
pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    line(out, report)
}

/// Writes anything as one line of JSON in which every character shows.
pub(crate) fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Visible);
    value.serialize(&mut serializer)?;
    writeln!(out)
}

/// JSON can write any character as `\u…` without changing what it means, so
/// nothing that hides or reorders text has to reach a screen.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly all fragments are ASCII and go through in one piece.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return CompactFormatter.write_string_fragment(out, fragment);
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| !text::is_visible(*c)) {
            CompactFormatter.write_string_fragment(out, &rest[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(out, rest)
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let newest = self.stores.iter().map(|store| store.generation).max();
        map.serialize_entry("generation", &newest)?;
        map.serialize_entry("stores", &self.stores)?;
        map.serialize_entry("rows", &Rows(self))?;
        if let Some(rest) = &self.rest {
            map.serialize_entry("rest", rest)?;
        }
        map.serialize_entry("total", &Sums(&self.total))?;
        map.end()
    }
}

impl Serialize for Store {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("store", &self.path)?;
        map.serialize_entry("generation", &self.generation)?;
        let at = self.committed_at.map(|at| Moment(at).to_string());
        map.serialize_entry("committed_at", &at)?;
        if let Some(status) = &self.status {
            let writer = match status.writer {
                Writer::Alive { .. } => "alive",
                Writer::Stalled { .. } => "stalled",
                _ => "gone",
            };
            map.serialize_entry("writer", writer)?;
            map.serialize_entry("clean", &status.clean)?;
        }
        map.end()
    }
}

struct Rows<'a>(&'a Report);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.groups.len()))?;
        for group in &self.0.groups {
            rows.serialize_element(&Row(self.0, group))?;
        }
        rows.end()
    }
}

struct Row<'a>(&'a Report, &'a quipu::Group);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(report, group) = self;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in fields::keys(group, &report.keys) {
            map.serialize_entry(name, &value)?;
        }
        for (name, value) in fields::totals(&group.totals) {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

struct Sums<'a>(&'a Totals);

impl Serialize for Sums<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(fields::totals(self.0))
    }
}

impl Serialize for Rest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("rows", &self.rows)?;
        for (name, value) in fields::totals(&self.totals) {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing => serializer.serialize_none(),
            Self::Int(n) => serializer.serialize_u64(*n),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Name(name) => serializer.serialize_str(name),
            Self::Day(day) => serializer.collect_str(day),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f39_every_character_shows_and_comes_back() {
        let nasty = "a\"b\\c\n\u{1b}[31m\u{7f}\u{85}\u{202e}\u{200b}\u{feff}\u{e0001}\0 模型é'";
        let mut out = Vec::new();
        line(&mut out, &nasty).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.trim_end().chars().all(text::is_visible), "{text}");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), nasty);
    }

    #[test]
    fn integers_are_whole() {
        let mut out = Vec::new();
        line(&mut out, &Value::Int(u64::MAX)).unwrap();
        assert_eq!(out, b"18446744073709551615\n");
    }
}
