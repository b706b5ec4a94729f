//! `quipu stats`: what the recorder knows about itself.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use quipu::{Reader, Stats, Status, Writer};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::error::CliError;
use crate::format::{Count, MISSING, Span};
use crate::report::csv::Field;
use crate::report::{csv, json};
use crate::screen::{self, Screen};
use crate::table::{Column, Table};
use crate::text;
use crate::values::Format;

const EXAMPLES: &str = "\
Examples:
  quipu stats usage.quipu
  quipu stats usage.quipu --format json | jq .in_ring

Numbers are those of the last commit. Two identities always hold:
  attempted = accepted + rejected        accepted = committed + in_ring
Times are whole microseconds in JSON and CSV (…_us).";

/// Show the recorder's own numbers: what was accepted, rejected and committed,
/// how full the ring is, whether the writer is alive.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatsArgs {
    /// The store
    #[arg(value_name = "STORE")]
    store: PathBuf,

    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

/// A number and how to write it.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Missing,
    Count(u64),
    Mean(f64),
    Time(Duration),
    Flag(bool),
    Text(String),
}

/// Runs `quipu stats`.
pub(crate) fn run(args: &StatsArgs) -> Result<(), CliError> {
    let reader = Reader::open(&args.store)?;
    let stats = reader.stats()?;
    let status = reader.status()?;
    let lines = lines(&args.store, &stats, &status);
    let mut out = screen::stdout();
    match args.format {
        Format::Table => table(&mut out, &lines)?,
        Format::Json => json::line(&mut out, &Lines(&lines))?,
        Format::Csv => csv(&mut out, &lines)?,
    }
    out.flush()?;
    Ok(())
}

/// Whether the two identities of conservation hold.
const fn balances(stats: &Stats) -> bool {
    stats.attempted == stats.accepted.saturating_add(stats.rejected)
        && stats.accepted == stats.committed.saturating_add(stats.in_ring)
}

/// Everything, in the order in which it is written in each format.
fn lines(store: &Path, stats: &Stats, status: &Status) -> Vec<(&'static str, Value)> {
    let (writer, pid, silent) = match status.writer {
        Writer::Alive { pid } => ("alive", Some(pid), None),
        Writer::Stalled { pid, silent_for } => ("stalled", Some(pid), Some(silent_for)),
        _ => ("gone", None, None),
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let time = |time: Option<Duration>| time.map_or(Value::Missing, Value::Time);
    vec![
        ("store", text(&store.to_string_lossy())),
        ("writer", text(writer)),
        (
            "writer_pid",
            pid.map_or(Value::Missing, |pid| Value::Count(pid.into())),
        ),
        ("writer_silent", time(silent)),
        ("age", time(status.age)),
        ("clean", Value::Flag(status.clean)),
        (
            "degraded",
            stats.degraded.as_deref().map_or(Value::Missing, text),
        ),
        ("generation", Value::Count(stats.generation)),
        ("attempted", Value::Count(stats.attempted)),
        ("accepted", Value::Count(stats.accepted)),
        ("rejected", Value::Count(stats.rejected)),
        ("rejected_full", Value::Count(stats.rejected_full)),
        ("rejected_closed", Value::Count(stats.rejected_closed)),
        ("committed", Value::Count(stats.committed)),
        ("in_ring", Value::Count(stats.in_ring)),
        ("balances", Value::Flag(balances(stats))),
        ("replayed", Value::Count(stats.replayed)),
        ("holes", Value::Count(stats.holes)),
        ("rings_lost", Value::Count(stats.rings_lost)),
        ("lost", Value::Count(stats.lost)),
        ("salvaged", Value::Count(stats.salvaged)),
        ("checkpoint", Value::Count(stats.checkpoint)),
        ("restarts", Value::Count(stats.restarts)),
        ("ring_capacity", Value::Count(stats.ring_capacity)),
        ("ring_high_water", Value::Count(stats.ring_high_water)),
        ("flushes", Value::Count(stats.flushes)),
        (
            "records_per_flush_last",
            Value::Count(stats.records_per_flush_last),
        ),
        (
            "records_per_flush_mean",
            Value::Mean(stats.records_per_flush_mean),
        ),
        (
            "records_per_flush_max",
            Value::Count(stats.records_per_flush_max),
        ),
        ("commit_last", Value::Time(stats.commit_last)),
        ("commit_max", Value::Time(stats.commit_max)),
        ("rows", Value::Count(stats.rows)),
        ("models", Value::Count(stats.models)),
        ("tenants", Value::Count(stats.tenants)),
        ("names_refused", Value::Count(stats.names_refused)),
    ]
}

/// The name under which programs find a value: with its unit.
fn field(name: &'static str, value: &Value) -> Cow<'static, str> {
    match (name, value) {
        (_, Value::Time(_)) | ("age" | "writer_silent", _) => format!("{name}_us").into(),
        _ => name.into(),
    }
}

fn table(out: &mut impl Write, lines: &[(&'static str, Value)]) -> io::Result<()> {
    let mut table = Table::new(vec![Column::key(""), Column::name("")]);
    for (name, value) in lines {
        table.cell(name.replace('_', " "));
        match value {
            Value::Missing => table.cell(MISSING),
            Value::Count(n) if *name == "writer_pid" => table.cell(n),
            Value::Count(n) => table.cell(Count(*n)),
            Value::Mean(mean) => table.cell(Count(mean.round() as u64)),
            Value::Time(time) if *name == "age" => {
                table.cell(format_args!("{} since the last commit", Span(*time)));
            }
            Value::Time(time) => table.cell(Span(*time)),
            Value::Flag(flag) => table.cell(if *flag { "yes" } else { "no" }),
            Value::Text(text) => table.cell(text::visible_message(text)),
        }
    }
    table.write_rows(out, &Screen::of_stdout())?;
    writeln!(out)?;
    identity(out, lines, ["attempted", "accepted", "rejected"])?;
    identity(out, lines, ["accepted", "committed", "in_ring"])
}

/// `attempted 1,000 = accepted 990 + rejected 10`
fn identity(
    out: &mut impl Write,
    lines: &[(&'static str, Value)],
    names: [&'static str; 3],
) -> io::Result<()> {
    let [sum, a, b] = names.map(|name| {
        let value = lines.iter().find(|line| line.0 == name).map(|line| &line.1);
        match value {
            Some(Value::Count(n)) => *n,
            _ => 0,
        }
    });
    let holds = sum == a.saturating_add(b);
    let [sum, a, b] = [sum, a, b].map(Count);
    let [sum_name, a_name, b_name] = names.map(|name| name.replace('_', " "));
    let sign = if holds { "=" } else { "≠" };
    write!(out, "{sum_name} {sum} {sign} {a_name} {a} + {b_name} {b}")?;
    writeln!(
        out,
        "{}",
        if holds {
            ""
        } else {
            ": run `quipu verify` on the store"
        }
    )
}

struct Lines<'a>(&'a [(&'static str, Value)]);

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_key(&field(name, value))?;
            match value {
                Value::Missing => map.serialize_value(&())?,
                Value::Count(n) => map.serialize_value(n)?,
                Value::Mean(mean) => map.serialize_value(mean)?,
                Value::Time(time) => map.serialize_value(&micros(*time))?,
                Value::Flag(flag) => map.serialize_value(flag)?,
                Value::Text(text) => map.serialize_value(text)?,
            }
        }
        map.end()
    }
}

fn csv(out: &mut impl Write, lines: &[(&'static str, Value)]) -> io::Result<()> {
    let header: Vec<_> = lines
        .iter()
        .map(|(name, value)| field(name, value))
        .collect();
    let text = |text: String| Field::Text(text.into());
    let row = lines.iter().map(|(_, value)| match value {
        Value::Missing => Field::MISSING,
        Value::Count(n) => Field::Int(*n),
        Value::Mean(mean) => text(format!("{mean:?}")),
        Value::Time(time) => Field::Int(micros(*time)),
        Value::Flag(flag) => text(flag.to_string()),
        Value::Text(text) => Field::Text(text.into()),
    });
    csv::lines(out, header.iter().map(|name| &**name), std::iter::once(row))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
