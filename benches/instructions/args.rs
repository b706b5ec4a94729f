//! The command line.

use std::process::ExitCode;

use crate::paths::{PATHS, Path};

/// What wrong arguments end with.
const USAGE: u8 = 2;

const HELP: &str = "\
Counts the instructions of quipu's hot paths under callgrind, and fails when
one exceeds its budget. Half a minute.

  cargo bench --bench instructions -- [--quick] [PATH]...

  --quick  half of the time, to see that it runs: each path once, no budgets
  PATH     only paths whose names contain this

Needs valgrind (apt-get install valgrind) and an x86-64 processor. Budgets are
in benches/instructions/paths.rs.";

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) quick: bool,
    pub(crate) paths: Vec<&'static Path>,
}

impl Args {
    /// What the process ends with where there is nothing to do: after the help,
    /// and after arguments that are wrong.
    pub(crate) fn parse(args: &[String]) -> Result<Self, ExitCode> {
        let (mut quick, mut wanted) = (false, Vec::new());
        for arg in args {
            match arg.as_str() {
                "--quick" | "--test" => quick = true,
                // Cargo's own.
                "--bench" => {}
                "--help" | "-h" => {
                    println!("{HELP}");
                    return Err(ExitCode::SUCCESS);
                }
                option if option.starts_with('-') => {
                    eprintln!("error: {option} is not an argument of this bench:\n\n{HELP}");
                    return Err(ExitCode::from(USAGE));
                }
                part => wanted.push(part),
            }
        }
        let is_wanted =
            |path: &&Path| wanted.is_empty() || wanted.iter().any(|part| path.name.contains(part));
        let paths: Vec<_> = PATHS.iter().filter(is_wanted).collect();
        if paths.is_empty() {
            let names = PATHS.each_ref().map(|path| path.name).join("\n  ");
            eprintln!("error: no path has such a name; there are:\n  {names}");
            return Err(ExitCode::from(USAGE));
        }
        Ok(Self { quick, paths })
    }
}
