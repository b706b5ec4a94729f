//! Checks everything in a store and says what is wrong where.

use std::path::Path;

use super::aggregate_of;
use crate::error::OpenError;
use crate::ledger::{Row, RowKind, Sums};
use crate::names::{NameKind, Names};
use crate::store::layout::live;
use crate::store::{Aggregate, ExtentKind, Holder, LOCK, Missed, NamesLog, RowsFile, View, holder};

/// One thing that is wrong with a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: a part of the store, for example `row 17`.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What [`verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// Everything that is wrong; empty for a sound store.
    pub problems: Vec<Problem>,
    /// The committed generation.
    pub generation: u64,
    /// Rows that were checked.
    pub rows: u64,
    /// Names that were checked.
    pub names: u64,
    /// Records that the rows count.
    pub records: u64,
}

impl Verification {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn note(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem {
            place: place.into(),
            what: what.into(),
        });
    }

    fn note_error(&mut self, place: &str, error: &OpenError) {
        match error {
            OpenError::Damaged { what, .. } => self.note(place, what.clone()),
            other => self.note(place, other.to_string()),
        }
    }
}

/// How often a store that is being written to is looked at before a problem is
/// believed.
const LOOKS: u32 = 10;

/// Checks every checksum, name and row of the store at `path`, and that what
/// was counted is what was accepted (I1). Writes nothing. A store that is
/// being written to can be checked too.
///
/// # Errors
///
/// [`OpenError`] where there is no store or its header can't be read, which
/// may itself be damage: see [`OpenError::is_damage`].
pub fn verify(path: impl AsRef<Path>) -> Result<Verification, OpenError> {
    let store = path.as_ref();
    let aggregate = aggregate_of(store)?;
    for _ in 1..LOOKS {
        let found = look(&aggregate)?;
        // A commit in between shows as a problem that is gone the next time.
        if found.is_sound() || holder(&store.join(LOCK)) == Holder::Nobody {
            return Ok(found);
        }
    }
    look(&aggregate)
}

fn look(path: &Path) -> Result<Verification, OpenError> {
    let mut found = Verification::default();
    let aggregate = Aggregate::open(path, false)?;
    let mut seen = Seen::default();
    let mut view = View::default();
    for _ in 0..PASSES {
        view = match aggregate.view() {
            Ok(Some(view)) => view,
            Ok(None) => return Ok(found),
            Err(error) => {
                found.note_error("commit", &error);
                return Ok(found);
            }
        };
        seen.pass(&aggregate, &view);
        // Rows of which there was no version in time: the next pass is for a
        // newer commit, and has those left to read that changed.
        if aggregate.committed().ok() == Some(view.generation) || seen.is_whole() {
            break;
        }
    }
    found.generation = view.generation;
    if let Err(error) = persists(|| aggregate.check_blocks(view.generation)) {
        found.note_error("commit", &error);
    }
    if let Err(error) = &seen.extents {
        found.note_error("extents", error);
    }
    if let Err(error) = &seen.names_read {
        found.note_error("names", error);
    }
    found.names = seen.names_log.len();
    match aggregate.load_sealed(live::NAMES, "the number of names") {
        Ok(count) if count < view.block.names => {
            found.note("names", "there are fewer than were committed");
        }
        _ => {}
    }
    if view.block.ring != 0 && view.block.ring_dir(&seen.names).is_none() {
        found.note("commit", "the name of the ring's directory is missing");
    }
    check_rows(&mut found, &seen, &view);
    Ok(found)
}

/// Passes over the rows of a store that is being written to.
const PASSES: u32 = 64;

/// What a check says that goes on saying it: words that are being written are
/// not sound for an instant.
fn persists<E>(check: impl Fn() -> Result<(), E>) -> Result<(), E> {
    for _ in 1..LOOKS {
        if check().is_ok() {
            return Ok(());
        }
    }
    check()
}

/// What was read of a store.
#[derive(Debug)]
struct Seen {
    file: RowsFile,
    names_log: NamesLog,
    names: Names,
    extents: Result<(), OpenError>,
    names_read: Result<(), OpenError>,
    /// Each row with its own generation, or why there is none.
    rows: Vec<Result<(u64, Row), Missed>>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            file: RowsFile::default(),
            names_log: NamesLog::default(),
            names: Names::new(),
            extents: Ok(()),
            names_read: Ok(()),
            rows: Vec::new(),
        }
    }
}

impl Seen {
    /// Brings everything to the generation of `view`, as far as it is there.
    fn pass(&mut self, aggregate: &Aggregate, view: &View) {
        let (file, names_log) = (&mut self.file, &mut self.names_log);
        let count = NamesLog::in_file(aggregate);
        if self.extents.is_ok() {
            self.extents = aggregate.new_extents(false).and_then(|extents| {
                extents.iter().try_for_each(|extent| match extent.kind {
                    ExtentKind::Rows => file.attach(aggregate, extent),
                    ExtentKind::Names => names_log.attach(aggregate, extent),
                })
            });
        }
        self.names_read = count.and_then(|count| names_log.read_new(aggregate, &self.names, count));
        let in_file = view.block.rows.min(self.file.capacity() as u64);
        self.rows.resize(in_file as usize, Err(Missed::Absent));
        for (number, row) in self.rows.iter_mut().enumerate() {
            let number = number as u32;
            let newest = self.file.generation(number, view.generation);
            if newest != row.map(|(generation, _)| generation) {
                *row = self.file.read(number, view.generation);
            }
        }
    }

    fn is_whole(&self) -> bool {
        !self.rows.contains(&Err(Missed::Overtaken))
    }
}

fn check_rows(found: &mut Verification, seen: &Seen, view: &View) {
    let in_file = seen.rows.len() as u64;
    if in_file < view.block.rows {
        let what = format!("{} are committed, {in_file} are there", view.block.rows);
        found.note("rows", what);
    }
    let names = &seen.names;
    let mut keys = std::collections::HashMap::new();
    let mut sums = Sums::default();
    let mut digest = 0u64;
    for (number, row) in seen.rows.iter().enumerate() {
        let place = format!("row {number}");
        let number = number as u32;
        if let Err(unsound) = persists(|| seen.file.check(number, view.generation)) {
            let what = format!(
                "version {}, generation {}, doesn't have its checksum",
                unsound.version, unsound.generation
            );
            found.note(place, what);
            continue;
        }
        let row = match row {
            Ok((_, row)) => *row,
            Err(Missed::Damaged(_)) => {
                found.note(place, "its key is not that of a row");
                continue;
            }
            Err(Missed::Overtaken | Missed::Absent) => {
                found.note(place, "it has no version of the committed generation");
                continue;
            }
        };
        found.rows += 1;
        digest = digest.wrapping_add(row.share);
        sums.add(&row);
        if matches!(row.key.kind(), RowKind::Free | RowKind::Salvaged) {
            continue;
        }
        if let Some(first) = keys.insert(row.key, number) {
            found.note(&*place, format!("it has the key of row {first}"));
        }
        if u32::from(row.key.model()) >= names.next_id(NameKind::Model { provider: 0 }) {
            found.note(
                &*place,
                format!("its model {} has no name", row.key.model()),
            );
        }
        if row.key.tenant() >= names.next_id(NameKind::Tenant) {
            found.note(
                &*place,
                format!("its tenant {} has no name", row.key.tenant()),
            );
        }
    }
    found.records = sums.requests();
    if digest != view.block.digest {
        found.note(
            "rows",
            "they are not those of one commit: their digest is another",
        );
    }
    if let Some(what) = sums.disagreement(view.block.records) {
        found.note("identity", what);
    }
    if let Some(what) = view.block.imbalance() {
        found.note("identity", what);
    }
}
