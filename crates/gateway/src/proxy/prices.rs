//! Price lists that change while the gateway runs.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use quipu_gateway::prices::{PriceBook, PriceFiles};

use crate::serve::Hangups;

/// When the lists were last written, and how long they are.
fn stamps(files: &PriceFiles) -> Vec<Option<(SystemTime, u64)>> {
    [&files.litellm, &files.own]
        .into_iter()
        .flatten()
        .map(|path| {
            let found = std::fs::metadata(path).ok()?;
            Some((found.modified().ok()?, found.len()))
        })
        .collect()
}

/// Reads the lists again when they have changed, or at SIGHUP. A list that
/// can't be read leaves the table in use, and `report` is told.
pub(crate) async fn keep_fresh(
    book: Arc<PriceBook>,
    files: PriceFiles,
    every: Duration,
    mut hangups: Hangups,
    report: impl Fn(String),
) {
    let mut known = stamps(&files);
    loop {
        let is_told = tokio::time::timeout(every, hangups.next()).await.is_ok();
        let now = stamps(&files);
        if now == known && !is_told {
            continue;
        }
        known = now;
        let (book, files) = (Arc::clone(&book), files.clone());
        // Megabytes of JSON, which would hold up whoever shares the thread.
        let read = tokio::task::spawn_blocking(move || book.reload(&files)).await;
        match read {
            Ok(Ok(version)) => report(format!("new prices, version {version}")),
            Ok(Err(error)) => report(format!("the prices stay as they were: {error}")),
            Err(error) => report(format!("the prices stay as they were: {error}")),
        }
    }
}
