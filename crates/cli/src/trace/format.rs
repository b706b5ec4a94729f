//! Which format a trace is in: told by the columns of its header or the keys
//! of its first object.

use std::fmt;

/// A format of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Claude Code sessions, one request a row.
    ClaudeCode,
    /// Claude Code sessions as published, one JSON object a session.
    ClaudeSession,
    /// Azure LLM inference traces of 2023 and 2024.
    Azure,
    /// BurstGPT.
    BurstGpt,
    /// Mooncake.
    Mooncake,
    /// RAGPulse.
    RagPulse,
    /// Calls with the usage as their provider reported it.
    RecordedCalls,
    /// quipu's own CSV.
    NativeCsv,
    /// quipu's own JSON lines.
    NativeJson,
}

impl Format {
    const ALL: [Self; 9] = [
        Self::ClaudeCode,
        Self::ClaudeSession,
        Self::Azure,
        Self::BurstGpt,
        Self::Mooncake,
        Self::RagPulse,
        Self::RecordedCalls,
        Self::NativeCsv,
        Self::NativeJson,
    ];

    /// What a first line must have to be of this format.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::ClaudeCode => &["trace_id", "t_s", "model", "input_tokens", "output_tokens"],
            Self::ClaudeSession => &["id", "block_size", "requests"],
            Self::Azure => &["TIMESTAMP", "ContextTokens", "GeneratedTokens"],
            Self::BurstGpt => &["Timestamp", "Model", "Request tokens", "Response tokens"],
            Self::Mooncake => &["timestamp", "input_length", "output_length"],
            Self::RagPulse => &["timestamp", "input_length", "output_length", "session_id"],
            Self::RecordedCalls => &["provider", "api", "model", "input_tokens", "output_tokens"],
            Self::NativeCsv | Self::NativeJson => &["provider", "model"],
        }
    }

    const fn is_json(self) -> bool {
        matches!(
            self,
            Self::ClaudeSession | Self::Mooncake | Self::RagPulse | Self::NativeJson
        )
    }

    /// Whether rows come in the order of time, or nearly so. Of quipu's own
    /// formats that is taken for granted, as they may come from a pipe that a
    /// gateway writes to.
    pub(crate) const fn is_in_order(self) -> bool {
        !matches!(
            self,
            Self::ClaudeCode | Self::ClaudeSession | Self::RecordedCalls
        )
    }

    /// The format of a first line: the one that asks for the most of the names
    /// that it has.
    pub(super) fn of(is_json: bool, has: impl Fn(&str) -> bool) -> Option<Self> {
        Self::ALL
            .into_iter()
            .filter(|format| format.is_json() == is_json)
            .filter(|format| format.keys().iter().all(|key| has(key)))
            .max_by_key(|format| format.keys().len())
    }

    /// All formats in one line, for errors.
    pub(super) fn list() -> String {
        Self::ALL.map(|format| format.to_string()).join(", ")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ClaudeCode => "Claude Code requests (CSV)",
            Self::ClaudeSession => "Claude Code sessions (JSON)",
            Self::Azure => "Azure LLM inference (CSV)",
            Self::BurstGpt => "BurstGPT (CSV)",
            Self::Mooncake => "Mooncake (JSON lines)",
            Self::RagPulse => "RAGPulse (JSON lines)",
            Self::RecordedCalls => "recorded calls (CSV)",
            Self::NativeCsv => "quipu CSV (provider,model,…)",
            Self::NativeJson => "quipu JSON lines",
        })
    }
}
