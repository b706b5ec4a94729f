//! Recorded calls: usage as the provider reported it, in the conventions of
//! its API, made disjoint here.

use quipu::TokenKind;

use super::field::{flag, unix_seconds, whole};
use super::table::{Column, CsvReader, Header, Row};
use super::{Defaults, Doubt, Event, UNNAMED};

/// What a dialect's counts contain.
struct Convention {
    input_includes_cache: bool,
    output_includes_reasoning: bool,
}

impl Convention {
    fn of(api: &str) -> Self {
        // Anthropic and Amazon count cached tokens on top of the input,
        // whoever serves them; Google counts thoughts on top of the output.
        let cache_on_top = matches!(api, "anthropic.messages" | "bedrock.converse")
            || api == "bedrock.invoke.nova";
        Self {
            input_includes_cache: !cache_on_top,
            output_includes_reasoning: !api.starts_with("gemini."),
        }
    }
}

pub(super) struct Reader {
    defaults: Defaults,
    provider: Column,
    api: Column,
    stream: Column,
    model: Column,
    created: Column,
    input: Column,
    output: Column,
    cache_read: Column,
    cache_write: Column,
    reasoning: Column,
}

impl Reader {
    pub(super) fn new(header: &Header<'_>, defaults: &Defaults) -> Self {
        Self {
            defaults: defaults.clone(),
            provider: header.column("provider"),
            api: header.column("api"),
            stream: header.column("stream"),
            model: header.column("model"),
            created: header.column("created_unix"),
            input: header.column("input_tokens"),
            output: header.column("output_tokens"),
            cache_read: header.column("cache_read"),
            cache_write: header.column("cache_write"),
            reasoning: header.column("reasoning"),
        }
    }
}

impl CsvReader for Reader {
    fn read<'a>(&self, row: &'a Row) -> Result<Event<'a>, String> {
        let convention = Convention::of(self.api.require(row)?);
        let mut input = self.input.parse(row, whole)?;
        let mut output = self.output.parse(row, whole)?;
        let mut cache_read = self.cache_read.parse(row, whole)?;
        let mut cache_write = self.cache_write.parse(row, whole)?;
        let mut reasoning = self.reasoning.parse(row, whole)?;
        let mut is_cut = false;
        if convention.input_includes_cache {
            is_cut |= take_part(&mut input, &mut cache_read);
            is_cut |= take_part(&mut input, &mut cache_write);
        }
        if convention.output_includes_reasoning {
            is_cut |= take_part(&mut output, &mut reasoning);
        }
        let created = self.created.parse(row, unix_seconds)?;
        let named = self.model.get(row);
        let fallback = self.defaults.model.as_ref();
        let mut event = Event::new(
            created.unwrap_or(self.defaults.start),
            self.provider.require(row)?,
            match (named, fallback) {
                (Some(model), _) => model.into(),
                (None, Some(name)) => name.model.clone().into(),
                (None, None) => std::borrow::Cow::Borrowed(UNNAMED),
            },
        )
        .tokens(TokenKind::Input, input)
        .tokens(TokenKind::CacheRead, cache_read)
        .tokens(TokenKind::CacheWrite, cache_write)
        .tokens(TokenKind::Output, output)
        .tokens(TokenKind::Reasoning, reasoning);
        event.streamed = self.stream.parse(row, flag)?.unwrap_or(false);
        event.doubt = is_cut.then_some(Doubt::Excess);
        Ok(event)
    }
}

/// Takes a part out of the total that contains it. A part beyond its total is
/// cut to it, so that both still add up to what was reported; true if it was.
/// A part of an unreported total stands alone.
fn take_part(total: &mut Option<u64>, part: &mut Option<u64>) -> bool {
    let (Some(total), Some(part)) = (total, part) else {
        return false;
    };
    let is_beyond = *part > *total;
    *part = (*part).min(*total);
    *total -= *part;
    is_beyond
}
