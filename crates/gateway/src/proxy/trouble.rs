//! Trouble of the store, told where operators look first.

use std::time::Duration;

use quipu::Recorder;

/// How often to look.
const EVERY: Duration = Duration::from_secs(1);

/// Tells `report` when the recorder gets into trouble, when that changes, and
/// when it is over.
pub(crate) async fn keep_telling(recorder: Recorder, report: impl Fn(String)) {
    let mut known = None;
    loop {
        let now = recorder.stats().degraded;
        if now != known {
            match &now {
                Some(trouble) => report(format!("calls pass, but {trouble}")),
                None => report("the store can be written again".to_owned()),
            }
            known = now;
        }
        tokio::time::sleep(EVERY).await;
    }
}
