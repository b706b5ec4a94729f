//! Price lists that change while the gateway runs.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use quipu_gateway::prices::{PriceBook, PriceFiles};

use crate::serve::Hangups;

/// The lists that calls are priced by, and whether newer ones were refused.
#[derive(Debug)]
pub(crate) struct PriceLists {
    files: PriceFiles,
    book: Arc<PriceBook>,
    refused: ArcSwapOption<String>,
}

impl PriceLists {
    /// Those that `book` was made of.
    pub(crate) fn new(files: PriceFiles, book: Arc<PriceBook>) -> Self {
        Self {
            files,
            book,
            refused: ArcSwapOption::empty(),
        }
    }

    /// The prices in use.
    pub(crate) const fn book(&self) -> &Arc<PriceBook> {
        &self.book
    }

    /// Number of the table in use.
    pub(super) fn version(&self) -> u64 {
        self.book.load().version
    }

    /// Why the lists can't be used as they are now, in one line: what is in
    /// them is not for everybody who may ask.
    pub(super) fn refused(&self) -> Option<Arc<String>> {
        self.refused.load_full()
    }

    /// Reads the lists again; those that can't be used leave the table in use.
    fn reload(&self) -> Result<u64, String> {
        let read = self.book.reload(&self.files);
        let read = read.map_err(|error| error.to_string().trim_end().to_owned());
        let refused = read.as_ref().err().and_then(|error| error.lines().next());
        self.refused
            .store(refused.map(|error| Arc::new(error.to_owned())));
        read
    }

    /// When the files were last written, and how long they are.
    fn stamps(&self) -> Vec<Option<(SystemTime, u64)>> {
        [&self.files.litellm, &self.files.own]
            .into_iter()
            .flatten()
            .map(|path| {
                let found = std::fs::metadata(path).ok()?;
                Some((found.modified().ok()?, found.len()))
            })
            .collect()
    }
}

/// Reads the lists again when they have changed, or at SIGHUP, and tells
/// `report` what came of it.
pub(crate) async fn keep_fresh(
    lists: Arc<PriceLists>,
    every: Duration,
    mut hangups: Hangups,
    report: impl Fn(String),
) {
    let mut known = lists.stamps();
    loop {
        let is_told = tokio::time::timeout(every, hangups.next()).await.is_ok();
        let now = lists.stamps();
        if now == known && !is_told {
            continue;
        }
        known = now;
        let lists = Arc::clone(&lists);
        // Megabytes of JSON, which would hold up whoever shares the thread.
        let read = tokio::task::spawn_blocking(move || lists.reload()).await;
        match read {
            Ok(Ok(version)) => report(format!("new prices, version {version}")),
            Ok(Err(error)) => report(format!("the prices stay as they were: {error}")),
            Err(error) => report(format!("the prices stay as they were: {error}")),
        }
    }
}
