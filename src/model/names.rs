//! Names in a store: interned by some threads, committed by one, read by
//! another process.

use super::store::version::{Missed, Pair};
use super::store::{Aggregate, Interner, NamesFile, NamesLog, live_words};
use crate::names::{NameLimits, Names};
use crate::sync::Arc;

/// A store of one row, as its writer has it.
#[derive(Clone, Debug)]
pub struct NamedStore {
    aggregate: Arc<Aggregate>,
    row: Arc<Pair<4>>,
    interner: Arc<Interner>,
}

impl NamedStore {
    /// An empty store. The first `hidden` looks for its file fail.
    pub fn new(hidden: u32) -> std::io::Result<Self> {
        let aggregate = Aggregate::new(hidden)?;
        let file = NamesFile {
            aggregate: Arc::clone(&aggregate),
            log: NamesLog::default(),
        };
        let names = Arc::new(Names::new());
        let interner = Interner::new(names, NameLimits::NONE, Some(file));
        Ok(Self {
            aggregate,
            row: Arc::default(),
            interner: Arc::new(interner),
        })
    }

    pub fn tenant(&self, name: &str) -> u64 {
        self.interner.tenant(name).0.into()
    }

    /// What `Store::commit` does, for a row that has the id of a tenant;
    /// `false` where it fails.
    pub fn commit(&self, committed: u64, tenant: u64) -> bool {
        if self.interner.write_pending().is_err() {
            return false;
        }
        let Ok(names) = self.aggregate.load_sealed(live_words::NAMES, "names") else {
            return false;
        };
        self.row.write(committed, committed + 1, &[tenant, names]);
        self.aggregate
            .store_sealed(live_words::COMMITTED, committed + 1);
        true
    }

    /// Another process that reads the store.
    pub fn reader(&self) -> NamesReader {
        NamesReader {
            aggregate: Arc::clone(&self.aggregate),
            row: Arc::clone(&self.row),
            names: Names::new(),
            log: NamesLog::default(),
            extents: 0,
        }
    }
}

/// A reader of a [`NamedStore`].
#[derive(Debug)]
pub struct NamesReader {
    aggregate: Arc<Aggregate>,
    row: Arc<Pair<4>>,
    names: Names,
    log: NamesLog,
    extents: u64,
}

/// What a reader found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub generation: u64,
    /// The name that the row's tenant has.
    pub tenant: String,
    /// Names that the commit counts and that are not in the file.
    pub missing: u64,
}

impl NamesReader {
    /// What `Loader::snapshot` does, once; `None` before the first commit, and
    /// where the writer overtook.
    pub fn look(&mut self) -> Option<Named> {
        let sound = "a sound file";
        let generation = self
            .aggregate
            .load_sealed(live_words::COMMITTED, "committed");
        let mut words = [0; 2];
        let generation = match self.row.copy(generation.expect(sound), &mut words) {
            Ok(stamp) => stamp.generation,
            Err(Missed::Absent | Missed::Overtaken) => return None,
            Err(Missed::Damaged(_)) => panic!("taken for damaged"),
        };
        let [tenant, names] = words;
        // After the row: what a commit uses was in the file before it.
        Some(Named {
            generation,
            tenant: self.name_of(tenant),
            missing: names.saturating_sub(self.log.len()),
        })
    }

    /// The name that the file has for a tenant, as a recovery looks for it, and
    /// `Loader::map_new`.
    pub fn name_of(&mut self, tenant: u64) -> String {
        let sound = "a sound file";
        let count = NamesLog::in_file(&self.aggregate).expect(sound);
        for extent in self.aggregate.new_extents(self.extents).expect(sound) {
            self.log.attach(&self.aggregate, &extent).expect(sound);
            self.extents += 1;
        }
        let read = self.log.read_new(&self.aggregate, &self.names, count);
        read.expect(sound);
        self.names.tenant(tenant as u32).as_str().to_owned()
    }
}
