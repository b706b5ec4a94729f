//! BurstGPT: requests to ChatGPT and GPT-4 through one campus's Azure OpenAI
//! service. A failed request has an answer of 0 tokens.

use quipu::{Outcome, TokenKind};

use super::field::{nanos, seconds, whole};
use super::table::{Column, CsvReader, Header, Row};
use super::{Defaults, Event};

pub(super) struct Reader {
    defaults: Defaults,
    since_start: Column,
    session: Column,
    elapsed: Column,
    model: Column,
    input: Column,
    output: Column,
}

impl Reader {
    pub(super) fn new(header: &Header<'_>, defaults: &Defaults) -> Self {
        Self {
            defaults: defaults.clone(),
            since_start: header.column("Timestamp"),
            // Later editions of the data have these two.
            session: header.column("Session ID"),
            elapsed: header.column("Elapsed time"),
            model: header.column("Model"),
            input: header.column("Request tokens"),
            output: header.column("Response tokens"),
        }
    }
}

impl CsvReader for Reader {
    fn read<'a>(&self, row: &'a Row) -> Result<Event<'a>, String> {
        let at = self
            .defaults
            .after_start(self.since_start.parse_required(row, nanos)?)?;
        let output = self.output.parse_required(row, whole)?;
        let mut event = Event::new(at, "openai", self.model.require(row)?)
            .tokens(
                TokenKind::Input,
                Some(self.input.parse_required(row, whole)?),
            )
            .tokens(TokenKind::Output, Some(output));
        event.tenant = self.session.get(row).unwrap_or("").into();
        event.latency = self.elapsed.parse(row, seconds)?;
        if output == 0 {
            event.outcome = Outcome::UpstreamError;
        }
        Ok(event)
    }
}
