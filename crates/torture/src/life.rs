//! One store, from its first kill to its last check.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use quipu::{Durability, Reader, Snapshot, Stats, Writer as Holder};

use crate::book::Book;
use crate::checkpoint;
use crate::child::{DONE, Event, OPENED, Writer};
use crate::counted::Counted;
use crate::plan::{Death, Plan};
use crate::settings;

const PATIENCE: Duration = Duration::from_secs(30);

/// What is kept of a store.
#[derive(Debug)]
pub(crate) struct Life {
    place: PathBuf,
    book: Book,
    /// The bytes of the live file, as long as it is known to be damaged.
    damaged: Option<Vec<u8>>,
    /// How often the live file was damaged. Whether such a file had a ring,
    /// which is then lost, nobody can say: it may be counted as one.
    damages: u64,
    /// Holes that the kills since the last check can have made.
    claims: u64,
    stats: Stats,
}

/// How a writer came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    AtPoint(&'static str),
    /// It never came by the point, or not often enough.
    Missed(&'static str),
    AtRandom,
}

impl Life {
    /// A store that isn't there yet, in a new directory.
    pub(crate) fn new(place: &Path) -> Result<Self, String> {
        // Not beside what an earlier run left.
        fs::create_dir(place)
            .and_then(|()| fs::create_dir(settings::ring_dir(place)))
            .map_err(|error| format!("can't make {}: {error}", place.display()))?;
        Ok(Self {
            place: place.to_owned(),
            book: Book::default(),
            damaged: None,
            damages: 0,
            claims: 0,
            stats: Stats::default(),
        })
    }

    /// Starts a writer, and sees to it that it dies as planned.
    pub(crate) fn kill(
        &mut self,
        plan: &Plan,
        seed: u64,
        kill: u64,
        forced: Option<&str>,
    ) -> Result<End, String> {
        let cant = |error: std::io::Error| format!("can't start a writer: {error}");
        self.claims += plan.claims();
        let mut writer = Writer::start(&self.place, seed, kill, forced).map_err(cant)?;
        let end = match plan.death {
            Death::AtPoint { point, .. } => match writer.wait_for(DONE)? {
                Event::Ended => End::AtPoint(point),
                _ => End::Missed(point),
            },
            Death::AfterStart(delay) => {
                std::thread::sleep(delay);
                End::AtRandom
            }
            Death::AfterOpen(delay) => {
                if writer.wait_for(OPENED)? != Event::Ended {
                    std::thread::sleep(delay);
                }
                End::AtRandom
            }
        };
        writer.kill()?;
        self.book.read_notes(&self.place)?;
        Ok(end)
    }

    /// Reads the store as the dead writer left it.
    pub(crate) fn look(&mut self, plan: &Plan) -> Result<(), String> {
        let store = settings::store(&self.place);
        let live = store.join("aggregate");
        if self.book.acknowledged() == 0 && !live.exists() {
            return Ok(());
        }
        let read = Reader::open(&store).map_err(|error| error.to_string());
        let read = read.and_then(|reader| {
            let snapshot = reader.snapshot().map_err(|error| error.to_string())?;
            let status = reader.status().map_err(|error| error.to_string())?;
            Ok((snapshot, status))
        });
        let (snapshot, status) = match read {
            Ok(read) => read,
            Err(_) if self.damaged.is_some() => return Ok(()),
            Err(error) => return Err(format!("the store can't be read: {error}")),
        };
        self.require_set_aside()?;
        if status.writer != Holder::Gone {
            return Err(format!("the dead writer is called {:?}", status.writer));
        }
        self.book.check_seen(Counted::read(&snapshot)?)?;
        if plan.checkpoints
            && let Some(checkpoint) = checkpoint::read(&self.place)?
        {
            self.book.check_checkpoint(checkpoint)?;
        }
        self.verify()
    }

    /// Opens the store, and checks everything.
    pub(crate) fn check(&mut self, plan: &Plan) -> Result<(), String> {
        self.check_with(plan, Durability::Process)
    }

    /// The same, and leaves a checkpoint and a damaged live file.
    pub(crate) fn damage(&mut self, plan: &Plan) -> Result<(), String> {
        let Some(damage) = plan.damage else {
            return Ok(());
        };
        self.check_with(plan, Durability::Checkpoint(PATIENCE))?;
        if self.stats.checkpoint != self.stats.generation {
            return Err(format!(
                "the last checkpoint is of generation {}, the store of {}",
                self.stats.checkpoint, self.stats.generation
            ));
        }
        let live = settings::store(&self.place).join("aggregate");
        let bytes = damage.apply(&live).map_err(|error| format!("{error}"))?;
        self.damaged = Some(bytes);
        self.damages += 1;
        Ok(())
    }

    fn check_with(&mut self, plan: &Plan, durability: Durability) -> Result<(), String> {
        let builder = settings::builder(&self.place, plan).durability(durability);
        let recorder = builder
            .open(settings::store(&self.place))
            .map_err(|error| format!("the store can't be opened: {error}"))?;
        self.require_set_aside()?;
        let snapshot = recorder.snapshot();
        let closed = recorder.close(PATIENCE);
        let stats = closed.map_err(|error| format!("the store can't be closed: {error}"))?;
        self.check_all(&snapshot, stats)?;
        self.verify()
    }

    fn check_all(&mut self, snapshot: &Snapshot, stats: Stats) -> Result<(), String> {
        let counted = Counted::read(snapshot)?;
        let records = counted.records;
        self.book.check_all(counted)?;
        let holes = stats.holes - self.stats.holes;
        let wrong = [
            ("committed", stats.committed != records),
            ("accepted", stats.accepted != records || stats.in_ring != 0),
            ("attempted", stats.attempted != records + stats.rejected),
            ("lost", stats.lost != 0),
            ("rings_lost", stats.rings_lost > self.damages),
            (
                "unwritten",
                stats.unwritten != 0 || stats.degraded.is_some(),
            ),
            ("restarts", stats.restarts != 0),
            (
                "holes",
                holes > self.claims || stats.holes > self.book.vanished(),
            ),
            ("replayed", stats.replayed < self.stats.replayed),
        ];
        if let Some((what, _)) = wrong.iter().find(|(_, is_wrong)| *is_wrong) {
            return Err(format!(
                "`{what}` is wrong: {records} records, {} of the claimed never published, since \
                 the last check at most {}: {stats:?}",
                self.book.vanished(),
                self.claims
            ));
        }
        let rings = files_in(&settings::ring_dir(&self.place))?;
        if !rings.is_empty() {
            return Err(format!("a closed store leaves {rings:?}"));
        }
        self.claims = 0;
        self.stats = stats;
        Ok(())
    }

    /// A damaged file is still there under another name, bytes unchanged,
    /// before anything else is in its place.
    fn require_set_aside(&mut self) -> Result<(), String> {
        let Some(damaged) = self.damaged.take() else {
            return Ok(());
        };
        let store = settings::store(&self.place);
        let is_it = |name: &&String| {
            name.starts_with("aggregate.")
                && fs::read(store.join(name)).is_ok_and(|bytes| bytes == damaged)
        };
        let names = files_in(&store)?;
        match names.iter().find(is_it) {
            Some(_) => Ok(()),
            None => Err(format!("the damaged file was not set aside: {names:?}")),
        }
    }

    fn verify(&self) -> Result<(), String> {
        let found = quipu::verify(settings::store(&self.place));
        let found = found.map_err(|error| format!("`verify` fails: {error}"))?;
        match found.problems.first() {
            None => Ok(()),
            Some(problem) => Err(format!("`verify` finds {problem}")),
        }
    }

    /// Removes the store; gives its figures.
    pub(crate) fn end(self) -> Stats {
        // Best effort: the system's temporary files end some day.
        let _ = fs::remove_dir_all(&self.place);
        self.stats
    }

    /// Records that were counted at the last look.
    pub(crate) const fn records(&self) -> u64 {
        self.book.records()
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }
}

fn files_in(dir: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    Ok(entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect())
}
