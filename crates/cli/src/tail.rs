//! `quipu tail`: a line for each commit, as it happens.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use quipu::{Label, Writer};
use serde::Serialize;

use crate::error::CliError;
use crate::format::{Count, MISSING, Moment, Money};
use crate::report::json;
use crate::screen::{self, Screen, note};
use crate::text;
use crate::values::{interval, number};
use crate::watch::{ByModel, Sight, Stop, View, Watch};

/// Models named on a line; JSON has all of them.
const MODELS_SHOWN: usize = 4;

/// Terminals of up to so many columns see the time without the date,
const NARROW: usize = 110;

/// and of up to so many the numbers without what can be done without.
const NARROWEST: usize = 71;

const EXAMPLES: &str = "\
Examples:
  quipu tail usage.quipu
  quipu tail usage.quipu --format json | jq -c '[.generation, .records]'
  quipu tail usage.quipu --iterations 1     wait for the next commit

A line covers all commits since the line before: usually one; several where
the writer commits more often than --interval (JSON says how many). Waits for a
store that isn't there yet and follows it through restarts of its writer.
Ctrl-C ends it, exit code 0.";

/// Follow the commits of a store: records, tokens and cost added, by model.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TailArgs {
    /// The store; it may appear later
    #[arg(value_name = "STORE")]
    store: PathBuf,

    /// How often to look: 20ms, 1s, 1m
    #[arg(long, value_name = "TIME", default_value = "50ms", value_parser = interval, allow_hyphen_values = true)]
    interval: Duration,

    /// End after N lines
    #[arg(long, value_name = "N", value_parser = number::<u64>(1, u64::MAX), allow_negative_numbers = true)]
    iterations: Option<u64>,

    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: LineFormat,
}

/// How to write a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LineFormat {
    /// Aligned words for people
    Table,
    /// One JSON object a line
    Json,
}

/// One line: what one or more commits added.
#[derive(Debug, Serialize)]
struct Line {
    generation: u64,
    /// Commits since the line before.
    commits: u64,
    committed_at: Option<String>,
    records: u64,
    errors: u64,
    tokens: u64,
    cost_nanos: Option<u64>,
    models: Vec<ModelLine>,
}

#[derive(Debug, Serialize)]
struct ModelLine {
    #[serde(serialize_with = "label")]
    provider: Label,
    #[serde(serialize_with = "label")]
    model: Label,
    records: u64,
    errors: u64,
    tokens: u64,
    cost_nanos: Option<u64>,
}

fn label<S: serde::Serializer>(label: &Label, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(label)
}

/// Runs `quipu tail`.
pub(crate) fn run(args: &TailArgs) -> Result<(), CliError> {
    let stop = Stop::listen()?;
    let mut watch = Watch::new(&args.store);
    let mut follower = Follower::default();
    let mut left = args.iterations.unwrap_or(u64::MAX);
    loop {
        let line = follower.see(&watch.look()?, &args.store.display().to_string());
        if let Some(line) = line {
            print(&line, args.format)?;
            left -= 1;
        }
        if left == 0 || stop.within(args.interval) {
            return Ok(());
        }
    }
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Follower {
    /// Generation and totals of the last look; `None` before the first.
    last: Option<(u64, ByModel)>,
    /// The last remark, so that it is made once.
    said: String,
}

impl Follower {
    /// Compares a look with the one before: the line to print, if something
    /// was committed.
    fn see(&mut self, sight: &Sight, store: &str) -> Option<Line> {
        match sight {
            Sight::Nothing { reason } => {
                self.say(format!("waiting for {store}: {reason}"));
                // What appears later is new from its first record on.
                self.last.get_or_insert_default();
                None
            }
            Sight::Store(view) => {
                self.introduce(view, store);
                self.compare(view)
            }
        }
    }

    fn introduce(&mut self, view: &View, store: &str) {
        self.say(match view.status.writer {
            Writer::Alive { pid } | Writer::Stalled { pid, .. } => {
                format!("following {store}, written by process {pid}")
            }
            _ => format!("following {store}: it has no writer now, waiting for one"),
        });
        if self.last.is_none() {
            note(&format!(
                "{} records at generation {}",
                Count(view.stats.committed),
                Count(view.stats.generation)
            ));
        }
    }

    fn say(&mut self, remark: String) {
        if self.said != remark {
            note(&remark);
            self.said = remark;
        }
    }

    fn compare(&mut self, view: &View) -> Option<Line> {
        let generation = view.snapshot.generation();
        if let Some((last, _)) = &self.last
            && *last == generation
        {
            return None;
        }
        let now = ByModel::of(&view.snapshot);
        let line = match &self.last {
            None => None,
            // Generations only grow: this is another store in the same place.
            Some((last, _)) if *last > generation => {
                note("the store was replaced by a new one");
                Some(Line::new(view, generation, &ByModel::default(), &now))
            }
            Some((last, before)) => Some(Line::new(view, generation - last, before, &now)),
        };
        self.last = Some((generation, now));
        line
    }
}

impl Line {
    fn new(view: &View, commits: u64, before: &ByModel, now: &ByModel) -> Self {
        let mut models: Vec<ModelLine> = now
            .since(before)
            .filter(|(_, _, _, added)| added.records != 0)
            .map(|(provider, model, _, added)| ModelLine {
                provider: provider.clone(),
                model: model.clone(),
                records: added.records,
                errors: added.errors,
                tokens: added.tokens,
                cost_nanos: added.cost(),
            })
            .collect();
        models.sort_by_key(|model| std::cmp::Reverse(model.records));
        let sum = |what: fn(&ModelLine) -> u64| {
            models
                .iter()
                .fold(0u64, |sum, m| sum.saturating_add(what(m)))
        };
        let cost = models.iter().filter_map(|model| model.cost_nanos);
        Self {
            generation: view.snapshot.generation(),
            commits,
            committed_at: view
                .snapshot
                .committed_at()
                .map(|at| Moment(at).to_string()),
            records: sum(|m| m.records),
            errors: sum(|m| m.errors),
            tokens: sum(|m| m.tokens),
            cost_nanos: cost.reduce(u64::saturating_add),
            models,
        }
    }

    fn text(&self, screen: &Screen) -> String {
        let cost = match self.cost_nanos {
            Some(nanos) => format!("+{}", Money::new(nanos)),
            None => MISSING.to_owned(),
        };
        let time = self.committed_at.as_deref().unwrap_or(MISSING);
        // Where there is little room, the date is known.
        let time = match (screen.width, time.split_once('T')) {
            (Some(..=NARROW), Some((_, time))) => time,
            _ => time,
        };
        let mut line = match screen.width {
            Some(..=NARROWEST) => format!(
                "{} {:>5} rec {:>7} tok {}",
                text::prefix(time, "12:34:56".len()),
                Count(self.records),
                Count(self.tokens),
                cost.trim_start_matches('+'),
            ),
            _ => format!(
                "{:>7}  {time}  {:>7} records  {:>9} tokens  {cost:>9}",
                Count(self.generation).to_string(),
                format!("+{}", Count(self.records)),
                format!("+{}", Count(self.tokens)),
            ),
        };
        if self.errors != 0 {
            line.push_str(&format!("  {} failed", Count(self.errors)));
        }
        for (place, model) in self.models.iter().take(MODELS_SHOWN).enumerate() {
            let records = Count(model.records);
            let (provider, name) = (text::name(&model.provider), text::name(&model.model));
            let comma = if place == 0 { "  " } else { ", " };
            line.push_str(&format!("{comma}{provider}/{name} +{records}"));
        }
        if let Some(more) = self.models.len().checked_sub(MODELS_SHOWN)
            && more != 0
        {
            line.push_str(&format!(" and {more} more"));
        }
        match screen.width {
            Some(width) if text::width(&line) > width => {
                format!("{}…", text::prefix(&line, width.saturating_sub(1)))
            }
            _ => line,
        }
    }
}

fn print(line: &Line, format: LineFormat) -> Result<(), CliError> {
    let mut out = screen::stdout();
    match format {
        LineFormat::Table => writeln!(out, "{}", line.text(&Screen::of_stdout()))?,
        LineFormat::Json => json::line(&mut out, line)?,
    }
    out.flush()?;
    Ok(())
}
