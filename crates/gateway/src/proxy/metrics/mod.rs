//! `/metrics`: the store's counters for Prometheus and OpenMetrics.
//!
//! Names and labels are those of OpenTelemetry's conventions for generative AI
//! where those have one, and quipu's own beside them; docs/gateway.md has the
//! mapping. All is counted over the life of the store, so that a restart is no
//! reset.

mod accept;
mod calls;
mod prices;
mod recorder;
mod text;

use quipu::{Snapshot, Stats};

use super::prices::PriceLists;
pub(super) use accept::accepted;
pub(super) use text::Format;
use text::Text;

/// The page; about prices only where there are lists.
pub(super) fn text(
    format: Format,
    snapshot: &Snapshot,
    stats: &Stats,
    lists: Option<&PriceLists>,
    by_tenant: bool,
) -> String {
    let mut text = Text::new(format);
    calls::write(&mut text, snapshot, by_tenant);
    recorder::write(&mut text, stats);
    if let Some(lists) = lists {
        prices::write(&mut text, lists);
    }
    text.finish()
}
