//! `quipu replay`: plays a request trace, or a synthetic day, through a real
//! recorder.
//!
//! ```text
//! trace ──► reader ──► chunks ──► feeder ──► batches ──► N producers ──► recorder ──► store
//!         (a thread) (bounded)  (a thread) (bounded)     record()
//! ```

mod bad_lines;
mod batch;
mod clock;
mod draft;
mod feed;
mod gauge;
mod input;
mod lookahead;
mod names;
mod pace;
mod play;
mod producers;
mod progress;
mod reading;
mod remarks;
mod speed;
mod stop;
mod summary;
mod target;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use crate::error::CliError;
use crate::report;
use crate::trace::{Defaults, ModelName, Place, parse_time};
use crate::values::number;
use gauge::Gauge;
use input::{Input, TraceInput};
use lookahead::Lookahead;
use play::Play;
use reading::Reading;
use remarks::Remarks;
use speed::Speed;
use stop::Stop;
use summary::Summary;
use target::{Cleanup, Target};

/// How long the last commit may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(60);

const EXAMPLES: &str = "\
Examples:
  quipu replay                                      a synthetic day, as fast as it goes
  quipu replay trace.csv.gz --store usage.quipu     play a trace into a store
  quipu replay trace.jsonl --speed 60x              an hour of the trace in a minute
  quipu replay trace.csv --repeat 1000 --producers 8
  zcat trace.csv.gz | quipu replay - --strict

Traces are recognised by their first line, gzip by its first bytes:
  Claude Code requests (CSV), Claude Code sessions (JSON), Azure LLM inference
  (CSV), BurstGPT (CSV), Mooncake and RAGPulse (JSON lines), recorded calls
  (CSV), and quipu's own CSV (with a header) or JSON lines with the fields
    provider, model,            always
    at                          2025-01-31T08:30:00Z, or nanoseconds since 1970
    tenant
    input, cache_read, cache_write, output, reasoning, audio
                                tokens; disjoint: none contains another
    cost_nanos                  nano-dollars (1 USD = 1 000 000 000)
    latency_us, ttft_us         microseconds
    outcome                     ok, client_error, rate_limited, upstream_error,
                                timeout, cancelled, filtered, other
    streamed, estimated         true or false
  in any order. What is absent, empty or null is missing, which is not zero.

Claude Code traces have no cache reads: the blocks of a prompt that repeat the
one before stand in for them. In recorded calls, a part that was reported larger
than its total is cut to it. Both count as estimated, and the end says how many.

A trace that can't be read, or has no calls, records nothing. At full speed up
to 4,194,304 calls (384 MiB) are read into memory first; longer traces are read
while they are recorded. At other speeds rows go out as they come: Azure, BurstGPT,
Mooncake, RAGPulse and quipu's own are in order, or within 65,536 rows of it;
others are put in order within 1,048,576 rows that are read before. What fails
later removes a store that it made, or says how much was recorded. With --repeat
every pass has the same times, so it counts the same days again.

Ctrl-C ends a replay in order, a second one at once.";

/// Play a request trace, or a synthetic day, through a recorder.
///
/// Records from several threads into a real store, closes it, and prints the
/// report and the rates. Without TRACE it makes up a day of a busy gateway.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// The trace, plain or gzip; - for standard input
    #[arg(value_name = "TRACE")]
    trace: Option<PathBuf>,

    /// Where to record; totals add up over replays. Without it, a temporary
    /// store that is removed at the end
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,

    /// Threads that record [default: one per processor]
    #[arg(long, value_name = "N", value_parser = number::<u16>(1, 1024), allow_negative_numbers = true)]
    producers: Option<u16>,

    /// max, or a multiple of the trace's own speed
    #[arg(
        long,
        value_name = "max|1x|60x",
        default_value = "max",
        allow_hyphen_values = true
    )]
    speed: Speed,

    /// Play it K times
    #[arg(long, value_name = "K", default_value = "1", value_parser = number::<u64>(1, u64::MAX), allow_negative_numbers = true)]
    repeat: u64,

    /// The model of calls for which the trace names none [default: unnamed]
    #[arg(long, value_name = "PROVIDER/MODEL", value_parser = model_name)]
    model: Option<ModelName>,

    /// When relative times begin; also the time of calls that have none
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "2025-01-01")]
    start: u64,

    /// Stop at the first line that can't be read, having recorded nothing: the
    /// whole trace is checked before
    #[arg(long)]
    strict: bool,

    /// How many of the lines that can't be read to show at the end
    /// [default: 10]
    #[arg(long, value_name = "N|all", value_parser = bad_lines, allow_negative_numbers = true)]
    bad_lines: Option<usize>,

    /// Another synthetic day [default: 1]
    #[arg(long, value_name = "N", value_parser = number::<u64>(0, u64::MAX), allow_negative_numbers = true, conflicts_with = "trace")]
    seed: Option<u64>,

    /// Calls of the synthetic day [default: 4000000]
    #[arg(long, value_name = "N", value_parser = number::<u64>(1, u64::MAX), allow_negative_numbers = true, conflicts_with = "trace")]
    requests: Option<u64>,
}

const DEFAULT_SEED: u64 = 1;
const DEFAULT_REQUESTS: u64 = 4_000_000;
const DEFAULT_BAD_LINES: usize = 10;

impl ReplayArgs {
    /// Opens what is to be replayed. Nothing is made before it is known to be
    /// a trace.
    fn input(&self) -> Result<Input, CliError> {
        let Some(path) = &self.trace else {
            self.refuse_for_synthetic()?;
            return Ok(Input::Synth {
                seed: self.seed.unwrap_or(DEFAULT_SEED),
                requests: self.requests.unwrap_or(DEFAULT_REQUESTS),
                start: self.start,
            });
        };
        let place = if path.as_os_str() == "-" {
            Place::Stdin
        } else {
            Place::File(path.clone())
        };
        let defaults = Defaults {
            start: self.start,
            model: self.model.clone(),
        };
        let is_reread = self.strict || self.repeat > 1;
        let mut trace = TraceInput::open(place, defaults, is_reread)?;
        if self.strict {
            trace.require_sound()?;
        }
        Ok(Input::Trace(trace))
    }

    /// What is said about a trace needs one.
    fn refuse_for_synthetic(&self) -> Result<(), CliError> {
        for (option, is_given) in [
            ("--model", self.model.is_some()),
            ("--strict", self.strict),
            ("--bad-lines", self.bad_lines.is_some()),
        ] {
            if is_given {
                return Err(CliError::Usage(format!(
                    "{option} is about a trace: name a TRACE to replay; \
                     see `quipu replay --help`"
                )));
            }
        }
        Ok(())
    }

    fn producers(&self) -> usize {
        self.producers.map_or_else(
            || std::thread::available_parallelism().map_or(1, usize::from),
            usize::from,
        )
    }
}

fn model_name(text: &str) -> Result<ModelName, String> {
    match text.split_once('/') {
        Some((provider, model)) if !provider.is_empty() && !model.is_empty() => Ok(ModelName {
            provider: provider.to_owned(),
            model: model.to_owned(),
        }),
        _ => Err("write it as PROVIDER/MODEL, such as openai/gpt-4o".to_owned()),
    }
}

fn bad_lines(text: &str) -> Result<usize, String> {
    match text {
        "all" => Ok(usize::MAX),
        number => number
            .parse()
            .map_err(|_| "write how many, or all".to_owned()),
    }
}

/// Runs `quipu replay`.
pub(crate) fn run(args: &ReplayArgs) -> Result<(), CliError> {
    let mut input = args.input()?;
    let input_name = input.name();
    let cleanup = Cleanup::default();
    let stop = Stop::on_signal(cleanup.clone())?;
    let gauge = Gauge::default();
    let reading = Reading::start(input.start()?)?;
    let calls = input.lookahead(args.speed);
    let remarks = Remarks::new(args.bad_lines.unwrap_or(DEFAULT_BAD_LINES));
    let ahead = Lookahead::read(reading, calls, remarks, &input_name, &gauge, &stop)?;
    let target = Target::open(args.store.as_deref(), cleanup)?;
    let recorder = &target.recorder;
    let before = recorder.stats();

    let play = Play {
        speed: args.speed,
        repeat: args.repeat,
        producers: args.producers(),
    };
    let (fed, produced, produced_at) = play.run(input, ahead, recorder, &gauge, &stop);
    let closed = recorder.close(CLOSE_TIMEOUT);
    let ended = Instant::now();
    let after = recorder.stats();
    // Before anything is printed: the terminal may be gone.
    let removed = target.end();
    if let Some(failure) = &fed.failure {
        closed?;
        return Err(target.undo(failure, produced.records));
    }

    let began = fed.began.unwrap_or(ended);
    let summary = Summary {
        input: &input_name,
        play: &play,
        fed: &fed,
        produced: &produced,
        recording: produced_at.saturating_duration_since(began),
        committing: ended.saturating_duration_since(began),
        before: &before,
        after: &after,
        is_temporary: target.is_temporary(),
        stopped_by: stop.by(),
    };
    let printed = report::print(&recorder.snapshot(), target.name()).and_then(|()| summary.print());
    let verdict = summary.verdict();
    if let Err(CliError::Interrupted(_)) = verdict {
        return verdict;
    }
    printed?;
    removed?;
    closed?;
    verdict
}
