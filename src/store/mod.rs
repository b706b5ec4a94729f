//! The store: a directory whose aggregate file holds the committed counts.

mod aggregate;
mod checkpoint;
mod choose;
mod commit;
mod draft;
mod entry;
mod identity;
mod image;
mod interner;
pub(crate) mod layout;
mod live;
mod load;
mod lock;
mod names_log;
mod open;
mod recovery;
mod rows;
mod salvage;
mod set_aside;
mod trouble;
mod version;
mod writer;

pub(crate) use aggregate::{Aggregate, ExtentKind, View};
pub(crate) use checkpoint::Checkpoints;
pub(crate) use commit::CommitBlock;
pub(crate) use interner::{Interner, NamesFile};
pub(crate) use lock::{Holder, holder};
pub(crate) use names_log::NamesLog;
pub(crate) use open::{OpenOptions, Opened, open};
pub(crate) use rows::RowsFile;
pub use salvage::{Salvage, salvage};
pub use set_aside::SetAside;
pub(crate) use trouble::Trouble;
pub(crate) use version::Missed;
pub(crate) use writer::Store;

/// The aggregate file's name in a store.
pub(crate) const AGGREGATE: &str = "aggregate";
/// The name under which an aggregate file is built.
pub(crate) const DRAFT: &str = "aggregate.new";
/// The checkpoint's name in a store.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The lock file's name in a store.
pub(crate) const LOCK: &str = "lock";
