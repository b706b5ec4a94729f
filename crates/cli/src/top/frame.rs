//! One frame of `quipu top` as text.

use std::cmp::Reverse;
use std::time::{Duration, SystemTime};

use anstyle::{AnsiColor, Style};
use quipu::{Label, Stats, Totals, Writer};

use super::{Comparison, Picture, Sample};
use crate::format::{Count, Money, Percent, Rate, Span, bar, decimals_for, share};
use crate::screen::Screen;
use crate::table::{Column, Table};
use crate::text;
use crate::watch::Added;

/// Columns of the ring's bar.
const RING: usize = 20;

const TITLE: Style = Style::new().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default();

/// The frame for a screen, at most as high as it is; no line break behind the
/// last line.
pub(super) fn draw(picture: &Picture, store: &str, screen: &Screen) -> String {
    let mut frame = Frame {
        lines: Vec::new(),
        screen,
    };
    match picture {
        Picture::Waiting(reason) => {
            let reason = text::visible_message(reason);
            frame.line(Style::new(), &format!("waiting for {store}: {reason}"));
        }
        Picture::Store(looks) => {
            let Comparison { now, before } = &**looks;
            frame.head(now, store);
            frame.totals(now, before.as_ref());
            frame.ring(&now.view.stats);
            frame.lines.push(String::new());
            frame.models(now, before.as_ref());
        }
    }
    if let Some(height) = screen.height {
        frame.lines.truncate(height);
    }
    frame.lines.join("\n")
}

struct Frame<'a> {
    lines: Vec<String>,
    screen: &'a Screen,
}

impl Frame<'_> {
    /// A line, or as many as it takes.
    fn line(&mut self, style: Style, text: &str) {
        let style = self.screen.style(style);
        let lines = text::wrap(text, self.screen.width.unwrap_or(usize::MAX));
        let lines = lines.iter().map(|line| format!("{style}{line}{style:#}"));
        self.lines.extend(lines);
    }

    fn table(&mut self, table: &Table, header: bool) {
        let mut bytes = Vec::new();
        let written = if header {
            table.write(&mut bytes, self.screen).map(drop)
        } else {
            table.write_rows(&mut bytes, self.screen)
        };
        debug_assert!(written.is_ok(), "a Vec takes everything");
        let text = String::from_utf8_lossy(&bytes);
        self.lines.extend(text.lines().map(str::to_owned));
    }

    /// Which store, and whether it lives.
    fn head(&mut self, now: &Sample, store: &str) {
        let status = &now.view.status;
        let store = text::visible_message(store);
        let generation = Count(now.view.stats.generation);
        let age = match age(now) {
            Some(age) => format!(", committed {} ago", Span(age)),
            None => String::new(),
        };
        self.line(TITLE, &format!("{store}  generation {generation}{age}"));
        match status.writer {
            Writer::Alive { pid } => self.line(GOOD, &format!("writer alive (process {pid})")),
            Writer::Stalled { pid, silent_for } => self.line(
                BAD,
                &format!("writer (process {pid}) silent for {}", Span(silent_for)),
            ),
            _ if status.clean => self.line(Style::new(), "no writer: the store was closed"),
            _ => self.line(BAD, "writer gone without closing the store"),
        }
        if let Some(reason) = &now.view.stats.degraded {
            let reason = text::visible_message(reason);
            self.line(BAD, &format!("degraded, counting in memory only: {reason}"));
        }
    }

    /// All usage together, and how fast it grows.
    fn totals(&mut self, now: &Sample, before: Option<&Sample>) {
        let total = now.view.snapshot.total();
        let rates = before.map(|before| {
            let added = Added::between(&before.view.snapshot.total(), &total);
            PerSecond::new(&added, seconds(before, now))
        });
        let mut table = Table::new(vec![
            Column::key(""),
            Column::number("", 90),
            Column::number("", 100),
        ]);
        let mut row = |name: &str, sum: &dyn std::fmt::Display, rate: Option<String>| {
            table.cell(name);
            table.cell(sum);
            table.optional(rate);
        };
        row(
            "requests",
            &Count(total.requests),
            rates.map(|r| Rate(r.records).to_string()),
        );
        row(
            "errors",
            &Count(total.errors),
            rates.map(|r| Rate(r.errors).to_string()),
        );
        row(
            "tokens",
            &Count(total.all_tokens()),
            rates.map(|r| Rate(r.tokens).to_string()),
        );
        let cost = rates.map(|r| r.cost().to_string());
        row("cost", &Money::new(total.cost_nanos), cost);
        self.table(&table, false);
    }

    /// How far behind the writer is, and what it had to turn away.
    fn ring(&mut self, stats: &Stats) {
        let slots = |n: u64| share(n, stats.ring_capacity);
        if let Some(used) = slots(stats.in_ring) {
            let high = slots(stats.ring_high_water).unwrap_or(0.0);
            let style = if used > 0.9 { BAD } else { Style::new() };
            let said = format!(
                "{} of {} slots in use, {} at most",
                Count(stats.in_ring),
                Count(stats.ring_capacity),
                Percent(high),
            );
            // Eighths of a column are for terminals, as all bars; words come
            // first.
            let bar = format!("▕{:<RING$}▏ ", bar(used, RING));
            let whole = text::width("ring ") + text::width(&bar) + text::width(&said);
            let bar = match self.screen.width {
                Some(width) if whole <= width => bar,
                _ => String::new(),
            };
            self.line(style, &format!("ring {bar}{said}"));
        }
        self.line(
            Style::new(),
            &format!(
                "commit {} (longest {}), {} records each",
                Span(stats.commit_last),
                Span(stats.commit_max),
                Count(stats.records_per_flush_mean.round() as u64),
            ),
        );
        let style = if stats.rejected > 0 {
            BAD
        } else {
            Style::new()
        };
        self.line(
            style,
            &format!(
                "rejected {}: {} ring full, {} recorder closed",
                Count(stats.rejected),
                Count(stats.rejected_full),
                Count(stats.rejected_closed)
            ),
        );
    }

    /// Rates by model, the busiest first.
    fn models(&mut self, now: &Sample, before: Option<&Sample>) {
        let none = crate::watch::ByModel::default();
        let mut models: Vec<Model<'_>> = now
            .models
            .since(before.map_or(&none, |before| &before.models))
            .map(|(provider, name, totals, added)| Model {
                provider,
                name,
                totals,
                added,
            })
            .collect();
        models.sort_by_key(|m| Reverse((before.map_or(0, |_| m.added.records), m.totals.requests)));
        let all = models.len();
        if let Some(height) = self.screen.height {
            // Two header lines, and one to say how many more there are.
            let room = height.saturating_sub(self.lines.len() + 2);
            if all > room {
                models.truncate(room.saturating_sub(1));
            }
        }
        let per_second = before.map(|before| seconds(before, now));
        let table = model_table(&models, per_second);
        self.table(&table, true);
        let hidden = all - models.len();
        if hidden != 0 {
            self.line(Style::new(), &format!("and {} more", Count(hidden as u64)));
        }
    }
}

struct Model<'a> {
    provider: &'a Label,
    name: &'a Label,
    totals: &'a Totals,
    added: Added,
}

fn model_table(models: &[Model<'_>], seconds: Option<f64>) -> Table {
    let mut table = Table::new(vec![
        Column::name("provider"),
        Column::name("model"),
        Column::number("requests", 100).under("now"),
        Column::number("errors", 80).under("now"),
        Column::number("tokens", 90).under("now"),
        Column::number("cost", 85).under("now"),
        Column::number("requests", 70).under("in all"),
        Column::number("errors", 40).under("in all"),
        Column::number("tokens", 50).under("in all"),
        Column::number("cost", 60).under("in all"),
        Column::number("p50", 55).under("latency"),
        Column::number("p99", 45).under("latency"),
    ]);
    let costs = models.iter().map(|model| model.totals.cost_nanos);
    let decimals = decimals_for(costs.max().unwrap_or(0));
    for model in models {
        table.cell(text::name(model.provider));
        table.cell(text::name(model.name));
        let rates = seconds.map(|seconds| PerSecond::new(&model.added, seconds));
        table.optional(rates.map(|r| Rate(r.records)));
        table.optional(rates.map(|r| Rate(r.errors)));
        table.optional(rates.map(|r| Rate(r.tokens)));
        let priced = model.totals.priced != 0;
        table.optional(rates.filter(|_| priced).map(PerSecond::cost));
        table.cell(Count(model.totals.requests));
        table.cell(Count(model.totals.errors));
        table.cell(Count(model.totals.all_tokens()));
        table.optional(priced.then_some(Money {
            nanos: model.totals.cost_nanos,
            decimals,
        }));
        table.optional(model.totals.latency.quantile(0.5).map(Span));
        table.optional(model.totals.latency.quantile(0.99).map(Span));
    }
    table
}

/// What was added, by the time it took.
#[derive(Clone, Copy, Debug)]
struct PerSecond {
    records: f64,
    errors: f64,
    tokens: f64,
    nanos: f64,
}

impl PerSecond {
    fn new(added: &Added, seconds: f64) -> Self {
        let rate = |n: u64| n as f64 / seconds;
        Self {
            records: rate(added.records),
            errors: rate(added.errors),
            tokens: rate(added.tokens),
            nanos: rate(added.cost_nanos),
        }
    }

    fn cost(self) -> String {
        format!("{}/s", Money::new(self.nanos.round() as u64))
    }
}

fn seconds(before: &Sample, now: &Sample) -> f64 {
    let elapsed = now.at.saturating_duration_since(before.at);
    // Two looks at once would divide by nothing.
    elapsed.max(Duration::from_millis(1)).as_secs_f64()
}

/// Time since the last commit, by the writer's word or else by the clock.
fn age(now: &Sample) -> Option<Duration> {
    let committed_at = now.view.snapshot.committed_at();
    now.view
        .status
        .age
        .or_else(|| SystemTime::now().duration_since(committed_at?).ok())
}
