//! `quipu report`: what was used, by whom, and what it cost.

pub(crate) mod csv;
pub(crate) mod fields;
pub(crate) mod json;
mod table;

use std::cmp::{Ordering, Reverse};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use quipu::{By, Day, Group, Reader, RollUp, Snapshot, Status, Totals};

use crate::error::CliError;
use crate::screen::{self, Screen};
use crate::values::{Format, number};

const EXAMPLES: &str = "\
Examples:
  quipu report usage.quipu
  quipu report usage.quipu --by tenant --top 10
  quipu report /var/lib/gateway/*.quipu --by day,provider --since 2026-01-01
  quipu report usage.quipu --by day,model,provider,tenant --format csv > usage.csv
  quipu report usage.quipu --format json | jq '.total.cost_nanos'

JSON: {\"generation\", \"stores\": […], \"rows\": […], \"total\": {…}}; generation is the
highest of the stores, and stores says each. Costs are whole nano-dollars
(1 USD = 1 000 000 000), times whole microseconds; null (in CSV: empty) is what
nobody reported. CSV has no total line and holds names exactly as recorded.";

/// Report usage by day, model, provider or tenant.
///
/// Several stores are added up by name: give each worker of a machine its
/// own store and report them all.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReportArgs {
    /// The stores to add up
    #[arg(required = true, value_name = "STORE")]
    stores: Vec<PathBuf>,

    /// What to group by, in this order, separated by commas
    #[arg(
        long,
        value_name = "KEY,…",
        value_delimiter = ',',
        default_value = "day,model"
    )]
    by: Vec<Key>,

    /// The first day (UTC) to report
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<Day>,

    /// The last day (UTC) to report
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<Day>,

    /// The largest first, instead of by key
    #[arg(long, value_name = "WHAT")]
    sort: Option<Sort>,

    /// Only the N largest (by cost, or by tokens where no cost is known, or
    /// by --sort); the rest is summed in one line, named __rest__ in CSV
    #[arg(long, value_name = "N", value_parser = number::<usize>(1, u64::MAX), allow_negative_numbers = true)]
    top: Option<usize>,

    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,

    /// In CSV, put an apostrophe before names that a spreadsheet would take
    /// for a formula
    #[arg(long)]
    spreadsheet: bool,
}

/// What to group by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Key {
    /// The UTC day of the call
    Day,
    /// The UTC hour of the day, in stores that keep hours; with day, each
    /// hour of each day
    Hour,
    /// The provider
    Provider,
    /// The model
    Model,
    /// The tenant
    Tenant,
}

impl Key {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Tenant => "tenant",
        }
    }

    fn compare(self, a: &Group, b: &Group) -> Ordering {
        match self {
            Self::Day => a.day.cmp(&b.day),
            Self::Hour => a.hour.cmp(&b.hour),
            Self::Provider => a.provider.cmp(&b.provider),
            Self::Model => a.model.cmp(&b.model),
            Self::Tenant => a.tenant.cmp(&b.tenant),
        }
    }
}

/// What makes a row large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    /// Cost
    Cost,
    /// Tokens of all kinds
    Tokens,
    /// Calls
    Requests,
    /// Failed calls
    Errors,
}

impl Sort {
    /// What tells most about these totals.
    fn for_totals(total: &Totals) -> Self {
        if total.cost_nanos != 0 {
            Self::Cost
        } else if total.all_tokens() != 0 {
            Self::Tokens
        } else {
            Self::Requests
        }
    }

    pub(crate) fn of(self, totals: &Totals) -> u64 {
        match self {
            Self::Cost => totals.cost_nanos,
            Self::Tokens => totals.all_tokens(),
            Self::Requests => totals.requests,
            Self::Errors => totals.errors,
        }
    }

    pub(crate) const fn share_header(self) -> &'static str {
        match self {
            Self::Cost => "of cost",
            Self::Tokens => "of tokens",
            Self::Requests => "of requests",
            Self::Errors => "of errors",
        }
    }
}

/// A report before it is written.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) keys: Vec<Key>,
    /// Where it comes from.
    pub(crate) stores: Vec<Store>,
    pub(crate) groups: Vec<Group>,
    /// What `--top` left out.
    pub(crate) rest: Option<Rest>,
    /// Requests of days so old that nobody can say whether `--since` asks for
    /// them.
    pub(crate) left_out: u64,
    pub(crate) total: Totals,
    /// What a row's share is a share of.
    pub(crate) measure: Sort,
}

/// A store that a report was made from.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) path: String,
    pub(crate) generation: u64,
    pub(crate) committed_at: Option<SystemTime>,
    /// What is known of its writer; `None` where the reporter is the writer.
    pub(crate) status: Option<Status>,
}

/// Rows that are not shown one by one.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) rows: u64,
    pub(crate) totals: Totals,
}

impl Report {
    fn new(roll_up: &RollUp, keys: Vec<Key>, stores: Vec<Store>) -> Self {
        let total = roll_up.total().clone();
        let mut groups = roll_up.groups();
        // Stable, and cheap where the order is that of the roll-up already.
        groups.sort_by(|a, b| {
            keys.iter()
                .map(|key| key.compare(a, b))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        Self {
            measure: Sort::for_totals(&total),
            keys,
            stores,
            groups,
            rest: None,
            left_out: 0,
            total,
        }
    }

    fn sort(&mut self, sort: Sort) {
        self.measure = sort;
        self.groups
            .sort_by_key(|group| Reverse(sort.of(&group.totals)));
    }

    fn cut(&mut self, top: usize) {
        if self.groups.len() <= top {
            return;
        }
        let rest = self.groups.split_off(top);
        let mut totals = Totals::default();
        for group in &rest {
            totals.merge(&group.totals);
        }
        self.rest = Some(Rest {
            rows: rest.len() as u64,
            totals,
        });
    }
}

/// Runs `quipu report`.
pub(crate) fn run(args: &ReportArgs) -> Result<(), CliError> {
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since > until
    {
        return Err(CliError::Usage(format!(
            "--since {since} is after --until {until}: swap them"
        )));
    }
    if args.spreadsheet && args.format != Format::Csv {
        return Err(CliError::Usage(
            "--spreadsheet is about CSV: add --format csv".to_owned(),
        ));
    }
    refuse_doubles(&args.stores)?;
    let keys = args.by.clone();
    refuse_double_keys(&keys)?;
    let mut roll_up = RollUp::new(by(&keys));
    if let Some(since) = args.since {
        roll_up = roll_up.since(since);
    }
    if let Some(until) = args.until {
        roll_up = roll_up.until(until);
    }
    // Of what the stores no longer keep apart by day.
    let mut older = RollUp::new(By::default()).until(Day::OLDER);
    let mut stores = Vec::with_capacity(args.stores.len());
    for path in &args.stores {
        let (store, snapshot) = look(path)?;
        roll_up.add(&snapshot);
        older.add(&snapshot);
        stores.push(store);
    }
    let mut report = Report::new(&roll_up, keys, stores);
    if args.since.is_some() {
        report.left_out = older.total().requests;
    }
    require_hours(&report)?;
    if args.sort.is_some() || args.top.is_some() {
        report.sort(args.sort.unwrap_or(report.measure));
    }
    if let Some(top) = args.top {
        report.cut(top);
    }
    write(&report, args.format, args.spreadsheet)
}

/// Writes a snapshot's usage by model as a table, for the commands that have
/// just recorded it.
pub(crate) fn print(snapshot: &Snapshot, store: &Path) -> Result<(), CliError> {
    let keys = vec![Key::Provider, Key::Model];
    let mut roll_up = RollUp::new(by(&keys));
    roll_up.add(snapshot);
    let store = Store {
        path: store.display().to_string(),
        generation: snapshot.generation(),
        committed_at: snapshot.committed_at(),
        status: None,
    };
    write(
        &Report::new(&roll_up, keys, vec![store]),
        Format::Table,
        false,
    )
}

fn write(report: &Report, format: Format, spreadsheet: bool) -> Result<(), CliError> {
    let screen = Screen::of_stdout();
    let mut out = screen::stdout();
    match format {
        Format::Table => table::write(&mut out, report, &screen)?,
        Format::Json => json::write(&mut out, report)?,
        Format::Csv => {
            let names = match screen.is_terminal() {
                _ if spreadsheet => csv::Names::Spreadsheet,
                true => csv::Names::Visible,
                false => csv::Names::Exact,
            };
            csv::write(&mut out, report, names)?;
        }
    }
    out.flush()?;
    Ok(())
}

fn look(path: &Path) -> Result<(Store, Arc<Snapshot>), CliError> {
    let reader = Reader::open(path)?;
    let snapshot = reader.snapshot()?;
    let store = Store {
        path: path.display().to_string(),
        generation: snapshot.generation(),
        committed_at: snapshot.committed_at(),
        status: Some(reader.status()?),
    };
    Ok((store, snapshot))
}

/// A store that is given twice, under one name or two, would count twice.
fn refuse_doubles(stores: &[PathBuf]) -> Result<(), CliError> {
    let mut seen: Vec<(PathBuf, &PathBuf)> = Vec::with_capacity(stores.len());
    for store in stores {
        // What can't be found can't be opened either, which says more.
        let Ok(real) = store.canonicalize() else {
            continue;
        };
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == real) {
            return Err(CliError::Usage(format!(
                "{} is the same store as {}, it would count twice: give each store once",
                store.display(),
                first.display()
            )));
        }
        seen.push((real, store));
    }
    Ok(())
}

fn refuse_double_keys(keys: &[Key]) -> Result<(), CliError> {
    for (index, key) in keys.iter().enumerate() {
        if keys[..index].contains(key) {
            return Err(CliError::Usage(format!(
                "--by names {} twice: once is enough",
                key.name()
            )));
        }
    }
    Ok(())
}

fn by(keys: &[Key]) -> By {
    By {
        day: keys.contains(&Key::Day),
        provider: keys.contains(&Key::Provider),
        model: keys.contains(&Key::Model),
        tenant: keys.contains(&Key::Tenant),
        hour: keys.contains(&Key::Hour),
    }
}

/// A report by hour of stores without hours would be one that says nothing.
fn require_hours(report: &Report) -> Result<(), CliError> {
    let asked = report.keys.contains(&Key::Hour);
    if !asked || report.groups.is_empty() || report.groups.iter().any(|g| g.hour.is_some()) {
        return Ok(());
    }
    let stores: Vec<&str> = report.stores.iter().map(|s| s.path.as_str()).collect();
    Err(CliError::Failed(format!(
        "{} keeps days, not hours: report --by day, or open the recorder with bucket(Bucket::Hour)",
        stores.join(", ")
    )))
}
