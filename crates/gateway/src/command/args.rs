//! What may be said on the command line.

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use super::error::CommandError;
use super::mock::MockArgs;
use super::run::RunArgs;
use super::usage::UsageArgs;

const EXAMPLES: &str = "\
Examples:
  quipu-gateway run --upstream https://api.openai.com   a gateway that counts
  quipu-gateway usage response.json                     a recorded body
  curl -sN … | quipu-gateway usage --path /v1/messages -
  quipu-gateway mock                                    a provider to try gateways on

Exit codes: 0 fine, 1 failed, 2 wrong usage.";

/// Usage of LLM providers, on its way to a quipu store.
#[derive(Debug, Parser)]
#[command(
    name = "quipu-gateway",
    version,
    after_help = EXAMPLES,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Run(RunArgs),
    Usage(UsageArgs),
    Mock(MockArgs),
}

/// Reads the process's command line; `None` where help or the version was
/// asked for and has been printed.
pub(super) fn parse() -> Result<Option<Command>, CommandError> {
    let error = match Cli::try_parse() {
        Ok(cli) => return Ok(Some(cli.command)),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            error.print()?;
            Ok(None)
        }
        // It explains itself, and ends with exit code 2.
        _ => error.exit(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
