//! Claude Code requests: one row a request, with its session, model, prompt
//! and answer sizes, and how much of the prompt repeats the one before.

use quipu::TokenKind;

use super::field::{flag, nanos, seconds, whole};
use super::table::{Column, CsvReader, Header, Row};
use super::{Defaults, Doubt, Event};

pub(super) const PROVIDER: &str = "anthropic";

/// Tokens of one block of the prompt.
const BLOCK: u64 = 64;

pub(super) struct Reader {
    defaults: Defaults,
    session: Column,
    since_start: Column,
    stream: Column,
    model: Column,
    input: Column,
    output: Column,
    repeated_blocks: Column,
    latency: Column,
    ttft: Column,
}

impl Reader {
    pub(super) fn new(header: &Header<'_>, defaults: &Defaults) -> Self {
        Self {
            defaults: defaults.clone(),
            session: header.column("trace_id"),
            since_start: header.column("t_s"),
            stream: header.column("stream"),
            model: header.column("model"),
            input: header.column("input_tokens"),
            output: header.column("output_tokens"),
            repeated_blocks: header.column("prefix_blocks_same_as_prev"),
            latency: header.column("api_time_s"),
            ttft: header.column("ttft_s"),
        }
    }
}

impl CsvReader for Reader {
    fn read<'a>(&self, row: &'a Row) -> Result<Event<'a>, String> {
        let at = self
            .defaults
            .after_start(self.since_start.parse_required(row, nanos)?)?;
        let prompt = self.input.parse_required(row, whole)?;
        let repeated = self.repeated_blocks.parse(row, whole)?;
        let (input, cache_read) = split_prompt(prompt, repeated, BLOCK);
        let mut event = Event::new(at, PROVIDER, self.model.require(row)?)
            .tokens(TokenKind::Input, Some(input))
            .tokens(TokenKind::CacheRead, cache_read)
            .tokens(
                TokenKind::Output,
                Some(self.output.parse_required(row, whole)?),
            );
        event.doubt = repeated.map(|_| Doubt::StandIn);
        event.tenant = self.session.require(row)?.into();
        event.streamed = self.stream.parse(row, flag)?.unwrap_or(false);
        event.latency = self.latency.parse(row, seconds)?;
        event.time_to_first_token = self.ttft.parse(row, seconds)?;
        Ok(event)
    }
}

/// A prompt as (uncached, read from the cache): the blocks that repeat the
/// prompt before stand in for cache reads, which these traces don't have. The
/// two always add up to the prompt.
pub(super) fn split_prompt(prompt: u64, repeated: Option<u64>, block: u64) -> (u64, Option<u64>) {
    let cached = repeated.map(|blocks| blocks.saturating_mul(block).min(prompt));
    (prompt - cached.unwrap_or(0), cached)
}
