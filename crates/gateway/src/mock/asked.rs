//! What a request asks of the mock, by its `x-mock-` headers.

use std::num::{NonZeroU64, NonZeroUsize};
use std::str::FromStr;
use std::time::Duration;

use axum::http::HeaderMap;

use super::amounts::Amounts;
use super::faults::Fault;
use super::pace::MOST_CHUNKS;

const PREFIX: &str = "x-mock-";

/// What the headers say; what they don't say is `None`.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    /// All but input and output, which have other defaults than zero.
    pub(super) rest: Amounts,
    pub(super) first: Option<Duration>,
    pub(super) gap: Option<Duration>,
    pub(super) chunks: Option<NonZeroU64>,
    pub(super) chunk_bytes: Option<NonZeroUsize>,
    pub(super) fault: Option<Wish>,
}

/// A fault, or that there be none whatever the command line says.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    Fault(Fault),
    None,
}

impl Asked {
    /// Reads the headers; says what is wrong with the first that can't be
    /// meant, so that a test with a slip doesn't pass by accident.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, String> {
        let mut asked = Self::default();
        for (name, value) in headers {
            let Some(what) = name.as_str().strip_prefix(PREFIX) else {
                continue;
            };
            let value = value.to_str().map_err(|_| bad(what, "isn't text"))?.trim();
            match what {
                "input" => asked.input = Some(read(what, value)?),
                "output" => asked.output = Some(read(what, value)?),
                "cache-read" => asked.rest.cache_read = read(what, value)?,
                "cache-write" => asked.rest.cache_write = read(what, value)?,
                "cache-write-1h" => asked.rest.cache_write_1h = read(what, value)?,
                "reasoning" => asked.rest.reasoning = read(what, value)?,
                "audio" => asked.rest.audio = read(what, value)?,
                "audio-output" => asked.rest.audio_output = read(what, value)?,
                "first-ms" => asked.first = Some(Duration::from_millis(read(what, value)?)),
                "gap-ms" => asked.gap = Some(Duration::from_millis(read(what, value)?)),
                "chunks" => {
                    let chunks: NonZeroU64 = read(what, value)?;
                    if chunks.get() > MOST_CHUNKS {
                        return Err(bad(what, "is above a million"));
                    }
                    asked.chunks = Some(chunks);
                }
                "chunk-bytes" => asked.chunk_bytes = Some(read(what, value)?),
                "fault" if value == "none" => asked.fault = Some(Wish::None),
                "fault" => asked.fault = Some(Wish::Fault(read(what, value)?)),
                _ => return Err(bad(what, "is no header of the mock")),
            }
        }
        Ok(asked)
    }
}

fn read<T: FromStr<Err: std::fmt::Display>>(what: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|why| bad(what, &format!("can't be {value:?}: {why}")))
}

fn bad(what: &str, why: &str) -> String {
    format!("{PREFIX}{what} {why}")
}
