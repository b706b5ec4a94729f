//! The command line: what may be said, and one line for what may not.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::CliError;

const EXAMPLES: &str = "\
Examples:
  quipu replay                                    play a synthetic day and report it
  quipu replay trace.csv.gz --store usage.quipu   play a request trace into a store
  quipu report usage.quipu --by day,model         who used what, and what it cost
  quipu top usage.quipu                           what is going on right now

Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 the store is damaged.";

/// Counts the usage of LLM gateways: reports, checks and watches the stores
/// that a quipu recorder writes. Reading never disturbs the writer and needs
/// no write permission.
#[derive(Debug, Parser)]
#[command(
    name = "quipu",
    version,
    after_help = EXAMPLES,
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = false,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Replay(crate::replay::ReplayArgs),
    Report(crate::report::ReportArgs),
    Stats(crate::stats::StatsArgs),
    Verify(crate::verify::VerifyArgs),
    Salvage(crate::salvage::SalvageArgs),
    Top(crate::top::TopArgs),
    Tail(crate::tail::TailArgs),
}

/// Reads the process's command line. Help and version are printed here; then
/// there is nothing left to do.
pub(crate) fn parse() -> Result<Option<Command>, CliError> {
    let args: Vec<OsString> = std::env::args_os().collect();
    let error = match from(args.iter().cloned()) {
        Ok(command) => return Ok(Some(command)),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            error.print()?;
            Ok(None)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
        _ => Err(CliError::Usage(one_line(&error, &args))),
    }
}

fn from(args: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(args)?;
    Cli::from_arg_matches(&matches)
        .map(|cli| cli.command)
        .map_err(|error| error.format(&mut command))
}

/// clap's explanation without the usage text, joined to one line, with the
/// command that explains more.
fn one_line(error: &clap::Error, args: &[OsString]) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let mut line = String::new();
    let explanation = text
        .lines()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .map(str::trim)
        // How to pass such a value would only lead to the next error.
        .filter(|line| !line.is_empty() && !line.starts_with("tip: to pass "));
    for part in explanation {
        if !line.is_empty() {
            line.push_str(if line.ends_with(':') { " " } else { "; " });
        }
        line.push_str(part);
    }
    match subcommand_in(args) {
        Some(command) => format!("{line}; see `quipu {command} --help`"),
        None => format!("{line}; see `quipu --help`"),
    }
}

/// The subcommand of a command line; no option comes before it.
fn subcommand_in(args: &[OsString]) -> Option<String> {
    let word = args.get(1)?.to_str()?;
    let known = Cli::command();
    known.find_subcommand(word).map(|_| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(args: &[&str]) -> String {
        let args = std::iter::once("quipu").chain(args.iter().copied());
        let args: Vec<OsString> = args.map(OsString::from).collect();
        match from(args.iter().cloned()) {
            Ok(command) => panic!("{command:?}"),
            Err(error) => one_line(&error, &args),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_usage_is_one_line_that_helps() {
        for (args, words) in [
            (&["report"][..], &["<STORE>", "quipu report --help"][..]),
            (
                &["report", "a", "--by", "colour"],
                &["colour", "day", "tenant"],
            ),
            (&["report", "a", "--formt", "csv"], &["--formt", "--format"]),
            (
                &["report", "a", "--since", "yesterday"],
                &["yesterday", "YYYY-MM-DD"],
            ),
            (&["repport", "a"], &["repport", "report"]),
            (&["stats", "a", "b"], &["'b'", "quipu stats --help"]),
            (&["top", "a", "--interval", "0"], &["10ms"]),
            (
                &["top", "a", "--interval", "-1s"],
                &["write it as 250ms", "quipu top --help"],
            ),
            (
                &["tail", "a", "--iterations", "-1"],
                &["-1", "whole number from 1 on", "quipu tail --help"],
            ),
            (
                &["report", "a", "--top", "0"],
                &["whole number from 1 on", "quipu report --help"],
            ),
            (
                &["replay", "--seed", "x"],
                &["whole number from 0 on", "quipu replay --help"],
            ),
            (
                &["replay", "--speed", "-1x"],
                &["write max", "replay --help"],
            ),
        ] {
            let line = error(args);
            assert!(!line.contains('\n'), "{line}");
            for word in words {
                assert!(line.contains(word), "{args:?}: {line}");
            }
            for leak in ["use '--", "digit found", "non-zero type", "..="] {
                assert!(!line.contains(leak), "{args:?}: {line}");
            }
        }
    }
}
