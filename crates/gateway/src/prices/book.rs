//! The table in use, exchanged while others read it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::error::PriceError;
use super::table::PriceTable;

/// Largest list that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// A table and its version.
#[derive(Debug)]
#[non_exhaustive]
pub struct Prices {
    /// Counts the tables that were in use: 1 for the first.
    pub version: u64,
    /// The table.
    pub table: Arc<PriceTable>,
}

/// Where lists come from. What the own list has goes before LiteLLM's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceFiles {
    /// LiteLLM's `model_prices_and_context_window.json`.
    pub litellm: Option<PathBuf>,
    /// A list in quipu's own format.
    pub own: Option<PathBuf>,
}

impl PriceFiles {
    /// Reads the lists.
    ///
    /// # Errors
    /// [`PriceError`] where one can't be read or is none.
    pub fn load(&self) -> Result<PriceTable, PriceError> {
        let mut builder = PriceTable::builder();
        if let Some(path) = &self.litellm {
            builder = builder.litellm(&read(path)?).map_err(in_file(path))?;
        }
        if let Some(path) = &self.own {
            builder = builder.own(&read(path)?).map_err(in_file(path))?;
        }
        Ok(builder.build())
    }
}

fn in_file(path: &Path) -> impl FnOnce(PriceError) -> PriceError {
    |source| PriceError::InFile {
        path: path.to_owned(),
        source: Box::new(source),
    }
}

fn read(path: &Path) -> Result<String, PriceError> {
    let error = |source| PriceError::Io {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    let file = File::open(path).map_err(error)?;
    file.take(LARGEST + 1)
        .read_to_string(&mut text)
        .map_err(error)?;
    let is_too_large = u64::try_from(text.len()).is_ok_and(|len| len > LARGEST);
    if is_too_large {
        return Err(PriceError::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(text)
}

/// The prices in use. Reading takes no lock; a new table is there for all
/// calls that are priced afterwards.
///
/// ```
/// use quipu_gateway::prices::{PriceBook, PriceTable};
///
/// let book = PriceBook::new(PriceTable::default());
/// assert_eq!(book.load().version, 1);
/// assert_eq!(book.replace(PriceTable::default()), 2);
/// assert_eq!(book.load().version, 2);
/// ```
#[derive(Debug)]
pub struct PriceBook {
    current: ArcSwap<Prices>,
}

impl PriceBook {
    /// A book with its first table, version 1.
    #[must_use]
    pub fn new(table: PriceTable) -> Self {
        Self {
            current: ArcSwap::from_pointee(Prices {
                version: 1,
                table: Arc::new(table),
            }),
        }
    }

    /// The table in use, and its version. What it gives stays the same; load
    /// again to see a newer one.
    #[must_use]
    pub fn load(&self) -> Arc<Prices> {
        self.current.load_full()
    }

    /// Puts another table into use; gives its version. Of several at once, all
    /// get a version of their own, and the highest stays.
    pub fn replace(&self, table: PriceTable) -> u64 {
        let table = Arc::new(table);
        let mut version = 0;
        self.current.rcu(|current| {
            version = current.version + 1;
            Prices {
                version,
                table: Arc::clone(&table),
            }
        });
        version
    }

    /// Reads the lists again and puts them into use; gives the new version.
    ///
    /// # Errors
    /// [`PriceError`] where a list can't be read or is none; the table in use
    /// stays.
    pub fn reload(&self, files: &PriceFiles) -> Result<u64, PriceError> {
        let table = files.load()?;
        if table.is_empty() && !self.load().table.is_empty() {
            return Err(PriceError::Empty);
        }
        Ok(self.replace(table))
    }
}
