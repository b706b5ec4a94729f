//! Azure LLM inference traces: a moment and two sizes, no model.

use quipu::TokenKind;

use super::field::{parse_time, whole};
use super::table::{Column, CsvReader, Header, Row};
use super::{Defaults, Event, ModelName};

pub(super) struct Reader {
    model: ModelName,
    at: Column,
    input: Column,
    output: Column,
}

impl Reader {
    pub(super) fn new(header: &Header<'_>, defaults: &Defaults) -> Self {
        Self {
            model: defaults.model_or("azure"),
            at: header.column("TIMESTAMP"),
            input: header.column("ContextTokens"),
            output: header.column("GeneratedTokens"),
        }
    }
}

impl CsvReader for Reader {
    fn read<'a>(&self, row: &'a Row) -> Result<Event<'a>, String> {
        let at = self.at.parse_required(row, |name, text| {
            parse_time(text).map_err(|reason| format!("{name}: {reason}"))
        })?;
        Ok(
            Event::new(at, self.model.provider.clone(), self.model.model.clone())
                .tokens(
                    TokenKind::Input,
                    Some(self.input.parse_required(row, whole)?),
                )
                .tokens(
                    TokenKind::Output,
                    Some(self.output.parse_required(row, whole)?),
                ),
        )
    }
}
