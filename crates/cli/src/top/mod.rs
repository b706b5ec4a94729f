//! `quipu top`: what is going on right now.

mod frame;
mod terminal;

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use crate::error::CliError;
use crate::screen::{self, Screen};
use crate::values::{interval, number};
use crate::watch::{ByModel, Sight, Stop, View, Watch};
use terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  quipu top usage.quipu
  quipu top usage.quipu --interval 5s
  quipu top usage.quipu --iterations 2 | cat     two plain frames, for scripts

Rates are those since the frame before; the first frame has none. Waits for a
store that isn't there yet and follows it through restarts of its writer. Ends
with q or Ctrl-C. Without a terminal it prints one frame after the other.";

/// Watch a store live: rates by model, the ring, the writer.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TopArgs {
    /// The store; it may appear later
    #[arg(value_name = "STORE")]
    store: PathBuf,

    /// How often to look: 200ms, 1s, 1m
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval, allow_hyphen_values = true)]
    interval: Duration,

    /// End after N frames
    #[arg(long, value_name = "N", value_parser = number::<u64>(1, u64::MAX), allow_negative_numbers = true)]
    iterations: Option<u64>,
}

/// A look at the store with what it takes to tell rates from the next one.
#[derive(Debug)]
struct Sample {
    at: Instant,
    view: View,
    models: ByModel,
}

/// What one frame shows.
#[derive(Debug)]
enum Picture {
    Waiting(String),
    Store(Box<Comparison>),
}

/// The last two looks; the first one has none before it.
#[derive(Debug)]
struct Comparison {
    now: Sample,
    before: Option<Sample>,
}

impl Picture {
    /// The next picture: what is seen now, compared with this one.
    fn next(self, sight: Sight) -> Self {
        let view = match sight {
            Sight::Nothing { reason } => return Self::Waiting(reason),
            Sight::Store(view) => view,
        };
        let now = Sample {
            at: Instant::now(),
            models: ByModel::of(&view.snapshot),
            view: *view,
        };
        let before = match self {
            // Generations only grow: a smaller one is another store's.
            Self::Store(last) if last.now.view.stats.generation <= now.view.stats.generation => {
                Some(last.now)
            }
            _ => None,
        };
        Self::Store(Box::new(Comparison { now, before }))
    }
}

/// Runs `quipu top`.
pub(crate) fn run(args: &TopArgs) -> Result<(), CliError> {
    let stop = Stop::listen()?;
    let mut watch = Watch::new(&args.store);
    let name = args.store.display().to_string();
    let mut picture = Picture::Waiting(String::new()).next(watch.look()?);
    let mut terminal = match Screen::of_stdout().is_terminal() {
        true => Some(Terminal::take()?),
        false => None,
    };
    let mut left = args.iterations.unwrap_or(u64::MAX);
    loop {
        let stopped = match &mut terminal {
            Some(terminal) => terminal.show(args.interval, &stop, left == 1, |screen| {
                frame::draw(&picture, &name, screen)
            })?,
            None => {
                print(&frame::draw(&picture, &name, &Screen::of_stdout()))?;
                left != 1 && stop.within(args.interval)
            }
        };
        left -= 1;
        if left == 0 || stopped {
            return Ok(());
        }
        picture = picture.next(watch.look()?);
    }
}

/// A frame on a pipe, with an empty line behind it.
fn print(frame: &str) -> Result<(), CliError> {
    let mut out = screen::stdout();
    writeln!(out, "{frame}")?;
    out.flush()?;
    Ok(())
}
