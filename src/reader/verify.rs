//! Checks everything in a store and says what is wrong where.

use std::path::Path;

use super::aggregate_of;
use crate::error::OpenError;
use crate::ledger::{RowKind, Sums};
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
    let mut looks = 0;
    loop {
        let found = look(&aggregate)?;
        looks += 1;
        // A commit in between shows as a problem that is gone the next time.
        let is_moving = holder(&store.join(LOCK)) != Holder::Nobody;
        if found.is_sound() || !is_moving || looks == LOOKS {
            return Ok(found);
        }
    }
}

fn look(path: &Path) -> Result<Verification, OpenError> {
    let mut found = Verification::default();
    let aggregate = Aggregate::open(path, false)?;
    let view = match aggregate.view() {
        Ok(Some(view)) => view,
        Ok(None) => return Ok(found),
        Err(error) => {
            found.note_error("commit", &error);
            return Ok(found);
        }
    };
    found.generation = view.generation;
    if let Err(error) = aggregate.check_blocks(view.generation) {
        found.note_error("commit", &error);
    }
    let mut rows = RowsFile::default();
    let mut names_log = NamesLog::default();
    let attached = aggregate.new_extents(false).and_then(|extents| {
        extents.iter().try_for_each(|extent| match extent.kind {
            ExtentKind::Rows => rows.attach(&aggregate, extent),
            ExtentKind::Names => names_log.attach(&aggregate, extent),
        })
    });
    if let Err(error) = attached {
        found.note_error("extents", &error);
    }
    let names = Names::new();
    if let Err(error) = names_log.read_new(&aggregate, &names) {
        found.note_error("names", &error);
    }
    found.names = names_log.len();
    match aggregate.load_sealed(live::NAMES, "the number of names") {
        Ok(count) if count < view.block.names => {
            found.note("names", "there are fewer than were committed");
        }
        _ => {}
    }
    check_rows(&mut found, &rows, &names, &view);
    Ok(found)
}

fn check_rows(found: &mut Verification, rows: &RowsFile, names: &Names, view: &View) {
    let in_file = view.block.rows.min(rows.capacity() as u64);
    if in_file < view.block.rows {
        let what = format!("{} are committed, {in_file} are there", view.block.rows);
        found.note("rows", what);
    }
    let mut keys = std::collections::HashMap::new();
    let mut sums = Sums::default();
    let mut digest = 0u64;
    for number in 0..in_file as u32 {
        let place = format!("row {number}");
        if let Err(unsound) = rows.check(number, view.generation) {
            let what = format!(
                "version {}, generation {}, doesn't have its checksum",
                unsound.version, unsound.generation
            );
            found.note(place, what);
            continue;
        }
        let row = match rows.read(number, view.generation) {
            Ok((_, row)) => row,
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
