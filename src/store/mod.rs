//! The store: a directory whose aggregate file holds the committed counts.

mod aggregate;
mod commit;
mod identity;
mod interner;
pub(crate) mod layout;
mod load;
mod lock;
mod names_log;
mod open;
mod recovery;
mod rows;
pub(crate) mod version;
mod writer;

pub(crate) use aggregate::{Aggregate, ExtentKind, View};
pub(crate) use commit::CommitBlock;
pub(crate) use interner::{Interner, NamesFile};
pub(crate) use lock::{Holder, holder};
pub(crate) use names_log::NamesLog;
pub(crate) use open::{OpenOptions, Opened, open};
pub(crate) use rows::{RowCopy, RowsFile};
pub(crate) use writer::Store;

/// The aggregate file's name in a store.
pub(crate) const AGGREGATE: &str = "aggregate";
/// The lock file's name in a store.
pub(crate) const LOCK: &str = "lock";
