//! A run: kill after kill, until one shows a fault.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::args::Args;
use crate::life::Life;
use crate::plan::{KILLS_PER_ROUND, Plan};
use crate::points;
use crate::report::Report;

/// What went wrong, at which kill, and where it can be looked at.
struct Failure {
    kill: u64,
    what: String,
    place: Option<PathBuf>,
}

/// Does what the command line says.
pub(crate) fn run(args: &Args) -> ExitCode {
    let seed = args.seed.unwrap_or_else(random_seed);
    let (first, end) = match args.only {
        Some(kill) => (kill - kill % KILLS_PER_ROUND, kill + 1),
        None => (0, args.kills),
    };
    let (dir, is_mine) = match &args.dir {
        Some(dir) => (dir.clone(), false),
        None => (temporary(seed), true),
    };
    let point = args.point.as_deref().and_then(points::find);
    let mut report = Report::new(seed, end - first);
    let outcome = kill_all(&dir, seed, first..end, point, &mut report);
    report.clear();
    match outcome {
        Ok(()) => {
            if is_mine {
                // Best effort, as for each store.
                let _ = fs::remove_dir(&dir);
            }
            report.print();
            ExitCode::SUCCESS
        }
        Err(Failure { kill, what, place }) => {
            eprintln!("kill {kill} of seed {seed} failed: {what}");
            eprintln!("it was planned as {:?}", Plan::new(seed, kill, point));
            if let Some(place) = place {
                eprintln!("the store was left in {}", place.display());
            }
            let point = point.map_or(String::new(), |point| format!(" --point '{point}'"));
            eprintln!("to repeat it: quipu-torture --seed {seed} --only {kill}{point}");
            ExitCode::FAILURE
        }
    }
}

fn kill_all(
    dir: &Path,
    seed: u64,
    kills: std::ops::Range<u64>,
    point: Option<&'static str>,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut life: Option<Life> = None;
    fs::create_dir_all(dir).map_err(|error| Failure {
        kill: kills.start,
        what: format!("can't make {}: {error}", dir.display()),
        place: None,
    })?;
    for kill in kills.clone() {
        let plan = Plan::new(seed, kill, point);
        let failure = |what, life: &Option<Life>| Failure {
            kill,
            what,
            place: life.as_ref().map(|life| life.place().to_owned()),
        };
        if plan.is_fresh {
            if let Some(life) = life.take() {
                report.add_store(&life.end());
            }
            let place = dir.join(format!("kill-{kill}"));
            life = Some(Life::new(&place).map_err(|what| failure(what, &None))?);
        }
        let Some(store) = life.as_mut() else {
            continue;
        };
        let is_last = kill + 1 == kills.end || Plan::new(seed, kill + 1, point).is_fresh;
        let end = (|| {
            store.damage(&plan)?;
            let end = store.kill(&plan, seed, kill, point)?;
            store.look(&plan)?;
            if plan.is_checked || is_last {
                store.check(&plan)?;
            }
            Ok(end)
        })();
        match end {
            Ok(end) => report.add_kill(end, life.as_ref()),
            Err(what) => return Err(failure(what, &life)),
        }
    }
    if let Some(life) = life {
        report.add_store(&life.end());
    }
    Ok(())
}

fn random_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::from(since.subsec_nanos()))
}

fn temporary(seed: u64) -> PathBuf {
    let name = format!("quipu-torture-{seed}-{}", std::process::id());
    std::env::temp_dir().join(name)
}
