//! The report as a table: aligned, with a total and a bar for each share.

use std::io::{self, Write};
use std::time::SystemTime;

use quipu::{Group, Label, Timing, TokenKind, Totals, Writer};

use super::fields;
use super::{Key, Report, Store};
use crate::format::{Count, Moment, Money, Percent, Span, bar, decimals_for, plural, share};
use crate::screen::Screen;
use crate::table::{Column, Table};
use crate::text;

/// Columns of the longest bar on a terminal of `width` columns: a bar should
/// not cost a column of numbers.
fn bar_columns(width: usize) -> usize {
    (width / 20).clamp(4, 12)
}

/// Writes the table and what one should know about it.
pub(super) fn write(out: &mut impl Write, report: &Report, screen: &Screen) -> io::Result<()> {
    let mut filling = Filling {
        table: Table::new(columns(report, screen)),
        report,
        decimals: decimals_for(report.total.cost_nanos),
        bar: screen.width.map(bar_columns),
    };
    filling.table.reserve(report.groups.len());
    for group in &report.groups {
        filling.keys(group);
        filling.totals(&group.totals);
    }
    if let Some(rest) = &report.rest {
        filling.label(&format!("{} more", Count(rest.rows)));
        filling.totals(&rest.totals);
    }
    filling.table.rule();
    filling.label("total");
    filling.totals(&report.total);
    let dropped = filling.table.write(out, screen)?;
    writeln!(out)?;
    for note in notes(report, &dropped) {
        let width = screen.width.unwrap_or(usize::MAX);
        for line in text::wrap(&note, width) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn columns(report: &Report, screen: &Screen) -> Vec<Column> {
    let mut columns: Vec<Column> = report
        .keys
        .iter()
        .map(|key| match key {
            Key::Day | Key::Hour => Column::key(key.name()),
            Key::Provider | Key::Model | Key::Tenant => Column::name(key.name()),
        })
        .collect();
    columns.push(Column::number("requests", 100));
    let errors = if report.total.errors == 0 { 48 } else { 77 };
    columns.push(Column::number("errors", errors));
    let most = TokenKind::ALL
        .into_iter()
        .max_by_key(|kind| report.total.tokens[kind.index()]);
    for kind in TokenKind::ALL {
        let (header, keep) = match kind {
            TokenKind::Input => ("input", 80),
            TokenKind::CacheRead => ("cache read", 60),
            TokenKind::CacheWrite => ("cache write", 40),
            TokenKind::Output => ("output", 79),
            TokenKind::Reasoning => ("reasoning", 50),
            TokenKind::Audio => ("audio", 30),
        };
        // What most of the usage is must not be what is missing.
        let keep = if most == Some(kind) { 85 } else { keep };
        columns.push(Column::number(header, keep).under("tokens"));
    }
    columns.push(Column::number("cost", 90));
    // The bar says nothing that the share doesn't say better.
    columns.push(Column::number(report.measure.share_header(), 78));
    if screen.is_terminal() {
        columns.push(Column::text("", 75));
    }
    for (header, keep) in [("mean", 20), ("p50", 55), ("p90", 22), ("p99", 45)] {
        columns.push(Column::number(header, keep).under("latency"));
    }
    for (header, keep) in [("mean", 15), ("p50", 35), ("p99", 18)] {
        columns.push(Column::number(header, keep).under("first token"));
    }
    columns
}

struct Filling<'a> {
    table: Table,
    report: &'a Report,
    decimals: u32,
    /// Columns of the longest bar; none where there is no terminal.
    bar: Option<usize>,
}

impl Filling<'_> {
    fn keys(&mut self, group: &Group) {
        for key in &self.report.keys {
            match key {
                Key::Day => self.table.optional(group.day),
                Key::Hour => {
                    let hour = group.hour.map(|hour| format!("{hour:02}:00"));
                    self.table.optional(hour);
                }
                Key::Provider => self.name(group.provider.as_ref()),
                Key::Model => self.name(group.model.as_ref()),
                Key::Tenant => self.name(group.tenant.as_ref()),
            }
        }
    }

    /// No tenant has an empty name.
    fn name(&mut self, name: Option<&Label>) {
        let name = name.filter(|name| !name.is_empty());
        self.table.optional(name.map(|name| text::name(name)));
    }

    /// A line that is about more than one group.
    fn label(&mut self, label: &str) {
        for place in 0..self.report.keys.len() {
            self.table.cell(if place == 0 { label } else { "" });
        }
    }

    fn totals(&mut self, totals: &Totals) {
        let table = &mut self.table;
        table.cell(Count(totals.requests));
        table.cell(Count(totals.errors));
        for kind in TokenKind::ALL {
            table.optional(totals.reported_tokens(kind).map(Count));
        }
        table.optional(fields::cost(totals).map(|nanos| Money {
            nanos,
            decimals: self.decimals,
        }));
        let measure = self.report.measure;
        let part = share(measure.of(totals), measure.of(&self.report.total));
        table.optional(part.map(Percent));
        if let Some(columns) = self.bar {
            table.cell(part.map_or(String::new(), |part| bar(part, columns)));
        }
        let Totals {
            latency,
            time_to_first_token: first,
            ..
        } = totals;
        table.optional(latency.mean().map(Span));
        self.quantiles(latency, &[0.5, 0.9, 0.99]);
        self.table.optional(first.mean().map(Span));
        self.quantiles(first, &[0.5, 0.99]);
    }

    fn quantiles(&mut self, timing: &Timing, quantiles: &[f64]) {
        for q in quantiles {
            self.table.optional(timing.quantile(*q).map(Span));
        }
    }
}

/// What the numbers don't say.
fn notes(report: &Report, dropped: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |text: String| notes.push(text);
    let total = &report.total;
    let dropped: Vec<&str> = dropped
        .iter()
        .map(String::as_str)
        .filter(|header| !header.is_empty())
        .collect();
    if !dropped.is_empty() {
        note(format!(
            "No room for: {}. A wider terminal shows them, and --format csv.",
            dropped.join(", ")
        ));
    }
    if total.requests == 0 {
        note("There are no records in this report.".to_owned());
    }
    if report.left_out != 0 {
        let older = plural(report.left_out, "request");
        note(format!(
            "--since leaves out {older} in `older`, whose days are no longer kept apart."
        ));
    }
    if total.unpriced() != 0 && total.priced != 0 {
        let unpriced = plural(total.unpriced(), "request");
        note(format!("The cost leaves out {unpriced} without a price."));
    }
    if total.estimated != 0 {
        let estimated = plural(total.estimated, "request");
        note(format!(
            "The tokens of {estimated} are the gateway's estimate."
        ));
    }
    if total.saturated {
        note("A number has reached its limit: the true one is higher.".to_owned());
    }
    notes.extend(report.stores.iter().map(store_note));
    notes
}

fn store_note(store: &Store) -> String {
    let path = text::visible_message(&store.path);
    let generation = Count(store.generation);
    let committed = store
        .committed_at
        .map(|at| match SystemTime::now().duration_since(at) {
            Ok(age) => format!(", committed {} ({} ago)", Moment(at), Span(age)),
            Err(_) => format!(", committed {}", Moment(at)),
        });
    let writer = store.status.as_ref().map(|status| match status.writer {
        Writer::Alive { pid } => format!(", writer alive (process {pid})"),
        Writer::Stalled { pid, silent_for } => {
            format!(", writer (process {pid}) silent for {}", Span(silent_for))
        }
        _ if status.clean => ", closed".to_owned(),
        _ => ", writer gone without closing: what its ring still holds is counted when the \
              store is opened for writing again"
            .to_owned(),
    });
    let committed = committed.unwrap_or_default();
    let writer = writer.unwrap_or_default();
    format!("{path}: generation {generation}{committed}{writer}")
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
