//! Each format with good and bad lines, and what all formats share.

mod formats;
mod native;
mod sources;

use std::io::{Cursor, Write};

use super::source::Source;
use super::{BadLine, Defaults, Event, Place, Step, Trace, TraceError};

/// 2025-01-01T00:00:00Z.
const START: u64 = 1_735_689_600_000_000_000;
const SECOND: u64 = 1_000_000_000;

fn defaults() -> Defaults {
    Defaults {
        start: START,
        model: None,
    }
}

fn open(bytes: impl Into<Vec<u8>>, defaults: &Defaults) -> Result<Trace, TraceError> {
    let source = Source::new(Cursor::new(bytes.into())).unwrap();
    Trace::from_source(source, Place::Stdin, defaults)
}

/// The whole trace: its calls, and the lines that could not be read.
fn read_with(
    bytes: impl Into<Vec<u8>>,
    defaults: &Defaults,
) -> (Vec<Event<'static>>, Vec<BadLine>) {
    let mut trace = open(bytes, defaults).unwrap();
    let mut events = Vec::new();
    let mut bad = Vec::new();
    loop {
        match trace.next(&mut |event| events.push(owned(event))).unwrap() {
            Step::Read => {}
            Step::Bad(line) => bad.push(line),
            Step::End => return (events, bad),
        }
    }
}

fn read(bytes: impl Into<Vec<u8>>) -> (Vec<Event<'static>>, Vec<BadLine>) {
    read_with(bytes, &defaults())
}

fn owned(event: Event<'_>) -> Event<'static> {
    Event {
        at: event.at,
        provider: event.provider.into_owned().into(),
        model: event.model.into_owned().into(),
        tenant: event.tenant.into_owned().into(),
        tokens: event.tokens,
        cost_nanos: event.cost_nanos,
        latency: event.latency,
        time_to_first_token: event.time_to_first_token,
        outcome: event.outcome,
        streamed: event.streamed,
        estimated: event.estimated,
        doubt: event.doubt,
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

/// The line numbers of bad lines, with the reasons checked to say `words`.
fn lines(bad: &[BadLine], words: &[&str]) -> Vec<u64> {
    assert_eq!(bad.len(), words.len(), "{bad:?}");
    for (bad, word) in bad.iter().zip(words) {
        assert!(
            bad.reason.contains(word),
            "{:?} does not say {word:?}",
            bad.reason
        );
    }
    bad.iter().map(|bad| bad.line).collect()
}
