//! Aligned tables that fit the terminal.
//!
//! Ten thousand rows have to be on the screen within milliseconds of the
//! process's start: the cells of a table share one string, and widths are
//! found while the cells are written. 10 000 rows of 18 columns take 8 ms on
//! the machine on which tabled 0.20 takes 35 ms and comfy-table 8.0 75 ms,
//! with everything that can be left out of them left out.

mod layout;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use anstyle::Style;

use crate::format::MISSING;
use crate::screen::Screen;
use crate::text;
use layout::Layout;

const GAP: usize = 2;
const HEADER: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// A column and how much it matters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// What stands above this and its neighbours of the same group.
    pub(crate) group: &'static str,
    pub(crate) header: &'static str,
    pub(crate) kind: ColumnKind,
    /// Where the terminal is too narrow for all columns, the highest stay.
    pub(crate) keep: u8,
}

/// What is in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// Text on the left, always there, cut where there is no room.
    Name,
    /// Text on the left, always there whole.
    Key,
    /// Numbers, on the right.
    Number,
    /// Text on the left.
    Text,
}

impl Column {
    pub(crate) const fn name(header: &'static str) -> Self {
        Self::new("", header, ColumnKind::Name, u8::MAX)
    }

    pub(crate) const fn key(header: &'static str) -> Self {
        Self::new("", header, ColumnKind::Key, u8::MAX)
    }

    pub(crate) const fn number(header: &'static str, keep: u8) -> Self {
        Self::new("", header, ColumnKind::Number, keep)
    }

    pub(crate) const fn text(header: &'static str, keep: u8) -> Self {
        Self::new("", header, ColumnKind::Text, keep)
    }

    const fn new(group: &'static str, header: &'static str, kind: ColumnKind, keep: u8) -> Self {
        Self {
            group,
            header,
            kind,
            keep,
        }
    }

    /// The same column under a common heading.
    pub(crate) const fn under(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    /// The header as it is called away from its group.
    fn full_name(&self) -> String {
        match self.group {
            "" | "tokens" => self.header.to_owned(),
            group => format!("{group} {}", self.header),
        }
    }

    const fn can_go(&self) -> bool {
        matches!(self.kind, ColumnKind::Number | ColumnKind::Text)
    }
}

/// A table that is filled cell by cell, row by row.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    text: String,
    /// End in `text` and width on the screen.
    cells: Vec<(usize, usize)>,
    widths: Vec<usize>,
    /// Whether a column has a cell that is not [`MISSING`].
    filled: Vec<bool>,
    /// The row that the rule stands above.
    rule: Option<usize>,
}

impl Table {
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self {
            widths: columns.iter().map(|c| text::width(c.header)).collect(),
            filled: vec![false; columns.len()],
            columns,
            text: String::new(),
            cells: Vec::new(),
            rule: None,
        }
    }

    /// The next cell.
    pub(crate) fn cell(&mut self, value: impl fmt::Display) {
        let start = self.text.len();
        let written = write!(self.text, "{value}");
        debug_assert!(written.is_ok(), "a String takes everything");
        self.end_cell(start);
    }

    fn end_cell(&mut self, start: usize) {
        let cell = &self.text[start..];
        let width = text::width(cell);
        let column = self.cells.len() % self.columns.len();
        self.widths[column] = self.widths[column].max(width);
        self.filled[column] |= cell != MISSING && !cell.is_empty();
        self.cells.push((self.text.len(), width));
    }

    /// The next cell, missing where there is no value.
    pub(crate) fn optional(&mut self, value: Option<impl fmt::Display>) {
        match value {
            Some(value) => self.cell(value),
            None => {
                let start = self.text.len();
                self.text.push_str(MISSING);
                self.end_cell(start);
            }
        }
    }

    /// Makes room for so many rows, which is cheaper than finding it on the
    /// way.
    pub(crate) fn reserve(&mut self, rows: usize) {
        /// Bytes of an ordinary cell.
        const CELL: usize = 8;
        // A total and the like come on top.
        let cells = (rows + 4) * self.columns.len();
        self.cells.reserve(cells);
        self.text.reserve(cells * CELL);
    }

    /// A line between the rows above and those to come.
    pub(crate) fn rule(&mut self) {
        self.rule = Some(self.rows());
    }

    fn rows(&self) -> usize {
        self.cells.len() / self.columns.len()
    }

    /// Writes the table and returns the headers of the columns for which
    /// there was no room.
    pub(crate) fn write(&self, out: &mut impl Write, screen: &Screen) -> io::Result<Vec<String>> {
        let layout = self.layout(screen.width);
        if layout
            .shown
            .iter()
            .any(|c| !self.columns[*c].group.is_empty())
        {
            self.write_groups(out, screen, &layout)?;
        }
        self.write_line(out, screen, &layout, screen.style(HEADER), |column| {
            let header = self.columns[column].header;
            (header, text::width(header))
        })?;
        self.write_body(out, screen, &layout)?;
        Ok(layout.dropped)
    }

    /// Writes the rows without a header.
    pub(crate) fn write_rows(&self, out: &mut impl Write, screen: &Screen) -> io::Result<()> {
        self.write_body(out, screen, &self.layout(screen.width))
    }

    fn write_body(&self, out: &mut impl Write, screen: &Screen, layout: &Layout) -> io::Result<()> {
        let mut start = 0;
        for (row, cells) in self.cells.chunks(self.columns.len()).enumerate() {
            if self.rule == Some(row) {
                self.write_rule(out, screen, layout)?;
            }
            let style = match self.rule {
                Some(rule) if row >= rule => screen.style(HEADER),
                _ => Style::new(),
            };
            let cell = |column: usize| {
                let from = match column {
                    0 => start,
                    c => cells[c - 1].0,
                };
                (&self.text[from..cells[column].0], cells[column].1)
            };
            self.write_line(out, screen, layout, style, cell)?;
            start = cells.last().map_or(start, |cell| cell.0);
        }
        Ok(())
    }

    /// One line of cells, each given with its width.
    fn write_line<'a>(
        &self,
        out: &mut impl Write,
        screen: &Screen,
        layout: &Layout,
        style: Style,
        cell: impl Fn(usize) -> (&'a str, usize),
    ) -> io::Result<()> {
        let mut blank = 0;
        let mut used = 0;
        write!(out, "{style}")?;
        for (place, column) in layout.shown.iter().enumerate() {
            let (whole, whole_width) = cell(*column);
            let room = layout.widths[*column];
            let cut = if whole_width > room {
                Some(text::shorten(whole, room))
            } else {
                None
            };
            let (text, width) = match &cut {
                Some(text) => (&**text, text::width(text)),
                None => (whole, whole_width),
            };
            if place > 0 {
                blank += GAP;
            }
            let free = room - width;
            let (before, after) = match self.columns[*column].kind {
                ColumnKind::Number => (free, 0),
                _ => (0, free),
            };
            blank += before;
            // Blanks wait until something follows: no line ends in one.
            if width > 0 {
                used += blank + width;
                // A terminal narrower than the narrowest table cuts lines
                // rather than wrapping them.
                if screen.width.is_some_and(|columns| used > columns) {
                    break;
                }
                pad(out, blank)?;
                out.write_all(text.as_bytes())?;
                blank = 0;
            }
            blank += after;
        }
        writeln!(out, "{style:#}")
    }

    fn write_rule(&self, out: &mut impl Write, screen: &Screen, layout: &Layout) -> io::Result<()> {
        let dash = if screen.is_terminal() { "─" } else { "-" };
        let length = layout.total().min(screen.width.unwrap_or(usize::MAX));
        let faint = screen.style(FAINT);
        writeln!(out, "{faint}{}{faint:#}", dash.repeat(length))
    }

    /// The headings above neighbouring columns of one group.
    fn write_groups(
        &self,
        out: &mut impl Write,
        screen: &Screen,
        layout: &Layout,
    ) -> io::Result<()> {
        let mut line = String::new();
        let mut at = 0;
        for run in layout
            .shown
            .chunk_by(|a, b| self.columns[*a].group == self.columns[*b].group)
        {
            let group = run.first().map_or("", |c| self.columns[*c].group);
            let width: usize =
                run.iter().map(|c| layout.widths[*c]).sum::<usize>() + GAP * (run.len() - 1);
            if !group.is_empty() {
                let blank = at - text::width(&line);
                let label = match (width.checked_sub(group.len() + 4), screen.is_terminal()) {
                    (None, _) => format!("{group:>width$}"),
                    (_, true) => format!("{:─^width$}", format!(" {group} ")),
                    (_, false) => format!("{:-^width$}", format!(" {group} ")),
                };
                line.extend(std::iter::repeat_n(' ', blank));
                line.push_str(&label);
            }
            at += width + GAP;
        }
        let line = text::prefix(&line, screen.width.unwrap_or(usize::MAX));
        let faint = screen.style(FAINT);
        writeln!(out, "{faint}{line}{faint:#}")
    }
}

/// Blanks, without the cost of formatting: a large table has a million.
fn pad(out: &mut impl Write, mut blank: usize) -> io::Result<()> {
    const BLANKS: &[u8] = &[b' '; 64];
    while blank > 0 {
        let some = blank.min(BLANKS.len());
        out.write_all(&BLANKS[..some])?;
        blank -= some;
    }
    Ok(())
}
