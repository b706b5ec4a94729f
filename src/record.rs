//! The record: one finished model call in 56 bytes.
//!
//! A record is plain old data, so that a producer publishes it with seven word
//! stores and the consumer reads it where it lies. Everything that can be
//! missing has a presence bit: missing is not zero (I12).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytemuck::{Pod, Zeroable};

use crate::names::{ModelId, TenantId};

/// Number of [`TokenKind`]s.
pub const TOKEN_KINDS: usize = 6;

/// Number of [`Outcome`]s.
pub const OUTCOMES: usize = 8;

/// Words of eight bytes in a record.
pub(crate) const RECORD_WORDS: usize = 7;

/// What a token was used for. The kinds are disjoint: their sum is the number
/// of tokens that the call used, and none is contained in another.
///
/// Providers disagree on whether "input" includes cached tokens and "output"
/// includes reasoning; subtract before recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TokenKind {
    /// Prompt tokens that were neither read from nor written to a cache.
    Input = 0,
    /// Prompt tokens read from the provider's cache.
    CacheRead = 1,
    /// Prompt tokens written to the provider's cache.
    CacheWrite = 2,
    /// Completion tokens without reasoning.
    Output = 3,
    /// Reasoning ("thinking") tokens.
    Reasoning = 4,
    /// Audio tokens, in either direction.
    Audio = 5,
}

impl TokenKind {
    /// All kinds, in the order of [`Totals::tokens`](crate::Totals::tokens).
    pub const ALL: [Self; TOKEN_KINDS] = [
        Self::Input,
        Self::CacheRead,
        Self::CacheWrite,
        Self::Output,
        Self::Reasoning,
        Self::Audio,
    ];

    /// Position of this kind in token arrays, 0 to 5.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name that reports use, for example `cache_read`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::CacheRead => "cache_read",
            Self::CacheWrite => "cache_write",
            Self::Output => "output",
            Self::Reasoning => "reasoning",
            Self::Audio => "audio",
        }
    }
}

/// How a call ended. Everything but [`Outcome::Ok`] counts as an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// The provider answered and the answer was delivered.
    #[default]
    Ok = 0,
    /// The provider refused the request (a 4xx other than 429).
    ClientError = 1,
    /// The provider refused for rate or quota (429).
    RateLimited = 2,
    /// The provider failed (5xx, or an error in mid-stream).
    UpstreamError = 3,
    /// No answer in time.
    Timeout = 4,
    /// The client went away before the end.
    Cancelled = 5,
    /// A content filter stopped the call.
    Filtered = 6,
    /// Anything else, such as a connection that could not be made.
    Other = 7,
}

impl Outcome {
    /// All outcomes, in the order of [`Totals::outcomes`](crate::Totals::outcomes).
    pub const ALL: [Self; OUTCOMES] = [
        Self::Ok,
        Self::ClientError,
        Self::RateLimited,
        Self::UpstreamError,
        Self::Timeout,
        Self::Cancelled,
        Self::Filtered,
        Self::Other,
    ];

    /// Position of this outcome in outcome arrays, 0 to 7.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name that reports use, for example `rate_limited`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientError => "client_error",
            Self::RateLimited => "rate_limited",
            Self::UpstreamError => "upstream_error",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Filtered => "filtered",
            Self::Other => "other",
        }
    }

    /// Whether this outcome counts as an error.
    #[must_use]
    pub const fn is_error(self) -> bool {
        !matches!(self, Self::Ok)
    }
}

/// The bits of [`UsageRecord`]'s `flags`.
///
/// ```text
///  15   14   13 12    11 10 9 8 7 6       5         4         3        2 1 0
/// +---+-----+-----+-------------------+---------+---------+----------+--------+
/// | - |cost |t  l | reported, by kind |saturated|estimated| streamed |outcome |
/// +---+-----+-----+-------------------+---------+---------+----------+--------+
/// ```
pub(crate) mod flag {
    pub(crate) const OUTCOME_MASK: u16 = 0b111;
    pub(crate) const STREAMED: u16 = 1 << 3;
    pub(crate) const ESTIMATED: u16 = 1 << 4;
    pub(crate) const SATURATED: u16 = 1 << 5;
    pub(crate) const REPORTED_SHIFT: u16 = 6;
    pub(crate) const HAS_LATENCY: u16 = 1 << 12;
    pub(crate) const HAS_TTFT: u16 = 1 << 13;
    pub(crate) const HAS_COST: u16 = 1 << 14;
}

/// One finished model call: what [`Recorder::record`](crate::Recorder::record)
/// takes.
///
/// 56 bytes, `Copy`, built on the stack without allocation. A field that is
/// not set stays *missing*, which reports tell apart from zero. Values beyond
/// a field's range saturate and set a flag that
/// [`Totals::saturated`](crate::Totals::saturated) shows; nothing wraps.
///
/// ```
/// use std::time::Duration;
/// use quipu::{Outcome, Recorder, TokenKind, UsageRecord};
///
/// let recorder = Recorder::in_memory();
/// let model = recorder.model("openai", "gpt-4o")?;
/// let usage = UsageRecord::new(model)
///     .tokens(TokenKind::Input, 812)
///     .tokens(TokenKind::Output, 143)
///     .cost_nanos(4_110_000)
///     .latency(Duration::from_millis(730))
///     .outcome(Outcome::Ok);
/// assert_eq!(usage.reported(TokenKind::Input), Some(812));
/// assert_eq!(usage.reported(TokenKind::Reasoning), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct UsageRecord {
    pub(crate) at: u64,
    pub(crate) cost: u64,
    pub(crate) tokens: [u32; TOKEN_KINDS],
    pub(crate) tenant: u32,
    pub(crate) model: u16,
    pub(crate) flags: u16,
    pub(crate) latency_us: u32,
    pub(crate) ttft_us: u32,
}

const _: () = assert!(size_of::<UsageRecord>() == RECORD_WORDS * 8);
const _: () = assert!(align_of::<UsageRecord>() == 8);

impl UsageRecord {
    /// A successful call of `model` with nothing reported yet, no tenant, and
    /// the time at which the consumer drains it.
    #[must_use]
    #[inline]
    pub const fn new(model: ModelId) -> Self {
        Self {
            at: 0,
            cost: 0,
            tokens: [0; TOKEN_KINDS],
            tenant: TenantId::NONE.0,
            model: model.0,
            flags: 0,
            latency_us: 0,
            ttft_us: 0,
        }
    }

    /// Attributes the call to `tenant`.
    #[must_use]
    #[inline]
    pub const fn tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant.0;
        self
    }

    /// Sets the tokens of one kind; zero is a report of zero. Replaces what
    /// was set before. Saturates at `u32::MAX`, about 4.3 billion.
    #[must_use]
    #[inline]
    pub const fn tokens(mut self, kind: TokenKind, tokens: u64) -> Self {
        let (tokens, flags) = saturate(tokens, self.flags);
        self.tokens[kind.index()] = tokens;
        self.flags = flags | (1 << (flag::REPORTED_SHIFT + kind as u16));
        self
    }

    /// Sets the cost in nano-US-dollars (1 USD = 1 000 000 000). Without it
    /// the call counts as unpriced.
    #[must_use]
    #[inline]
    pub const fn cost_nanos(mut self, nanos: u64) -> Self {
        self.cost = nanos;
        self.flags |= flag::HAS_COST;
        self
    }

    /// Sets the time from request to the end of the answer. Kept in whole
    /// microseconds; saturates at about 71 minutes.
    #[must_use]
    #[inline]
    pub const fn latency(mut self, latency: Duration) -> Self {
        let (us, flags) = micros(latency, self.flags);
        self.latency_us = us;
        self.flags = flags | flag::HAS_LATENCY;
        self
    }

    /// Sets the time from request to the first token of the answer. Kept in
    /// whole microseconds; saturates at about 71 minutes.
    #[must_use]
    #[inline]
    pub const fn time_to_first_token(mut self, ttft: Duration) -> Self {
        let (us, flags) = micros(ttft, self.flags);
        self.ttft_us = us;
        self.flags = flags | flag::HAS_TTFT;
        self
    }

    /// Sets the moment that decides the bucket (UTC). Without it, the moment
    /// at which the consumer drains the record counts. Range: 1970 to 2554;
    /// what lies outside saturates.
    #[must_use]
    #[inline]
    pub fn at(mut self, at: SystemTime) -> Self {
        // 0 stands for "stamp at drain", so the epoch itself becomes 1 ns.
        let (at, inexact) = match at.duration_since(UNIX_EPOCH) {
            Ok(since) => match nanos(since) {
                Some(nanos) => (nanos.max(1), false),
                None => (u64::MAX, true),
            },
            Err(_) => (1, true),
        };
        self.at = at;
        if inexact {
            self.flags |= flag::SATURATED;
        }
        self
    }

    /// Sets the moment that decides the bucket, as [`UsageRecord::at`] does, in
    /// nanoseconds since 1970-01-01T00:00Z; 0 becomes 1. For who has the number
    /// at hand: the conversion of a [`SystemTime`] takes about as long as a
    /// call of `record`.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    /// # let recorder = quipu::Recorder::in_memory();
    /// # let model = recorder.model("openai", "gpt-4o")?;
    /// let nanos = 1_700_000_000_000_000_000;
    /// let usage = quipu::UsageRecord::new(model).at_nanos(nanos);
    /// assert_eq!(usage, quipu::UsageRecord::new(model).at(UNIX_EPOCH + Duration::from_nanos(nanos)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub const fn at_nanos(mut self, nanos: u64) -> Self {
        // As in `at`.
        self.at = if nanos == 0 { 1 } else { nanos };
        self
    }

    /// Sets how the call ended; [`Outcome::Ok`] unless set.
    #[must_use]
    #[inline]
    pub const fn outcome(mut self, outcome: Outcome) -> Self {
        self.flags = (self.flags & !flag::OUTCOME_MASK) | outcome as u16;
        self
    }

    /// Says whether the answer was streamed.
    #[must_use]
    #[inline]
    pub const fn streamed(mut self, streamed: bool) -> Self {
        self.flags = with(self.flags, flag::STREAMED, streamed);
        self
    }

    /// Says that the token counts are the gateway's estimate, not the
    /// provider's word (for example after a stream that was cut).
    #[must_use]
    #[inline]
    pub const fn estimated(mut self, estimated: bool) -> Self {
        self.flags = with(self.flags, flag::ESTIMATED, estimated);
        self
    }

    /// The model that the call used.
    #[must_use]
    #[inline]
    pub const fn model_id(&self) -> ModelId {
        ModelId(self.model)
    }

    /// The tenant that the call is attributed to.
    #[must_use]
    #[inline]
    pub const fn tenant_id(&self) -> TenantId {
        TenantId(self.tenant)
    }

    /// The tokens of one kind, `None` where the provider did not say.
    #[must_use]
    #[inline]
    pub const fn reported(&self, kind: TokenKind) -> Option<u32> {
        if self.flags & (1 << (flag::REPORTED_SHIFT + kind as u16)) == 0 {
            None
        } else {
            Some(self.tokens[kind.index()])
        }
    }

    /// Whether a value was beyond the range of its field.
    #[must_use]
    #[inline]
    pub const fn is_saturated(&self) -> bool {
        self.flags & flag::SATURATED != 0
    }

    pub(crate) const fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    pub(crate) const fn outcome_index(&self) -> usize {
        (self.flags & flag::OUTCOME_MASK) as usize
    }
}

impl std::fmt::Debug for UsageRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let present = |has: u16, value: u64| self.has(has).then_some(value);
        f.debug_struct("UsageRecord")
            .field("at_nanos", &self.at)
            .field("model", &self.model)
            .field("tenant", &self.tenant)
            .field("tokens", &TokenKind::ALL.map(|kind| self.reported(kind)))
            .field("cost_nanos", &present(flag::HAS_COST, self.cost))
            .field(
                "latency_us",
                &present(flag::HAS_LATENCY, self.latency_us.into()),
            )
            .field("ttft_us", &present(flag::HAS_TTFT, self.ttft_us.into()))
            .field("outcome", &Outcome::ALL[self.outcome_index()])
            .field("streamed", &self.has(flag::STREAMED))
            .field("estimated", &self.has(flag::ESTIMATED))
            .field("saturated", &self.is_saturated())
            .finish()
    }
}

#[inline]
const fn with(flags: u16, bit: u16, on: bool) -> u16 {
    if on { flags | bit } else { flags & !bit }
}

#[inline]
const fn saturate(value: u64, flags: u16) -> (u32, u16) {
    if value > u32::MAX as u64 {
        (u32::MAX, flags | flag::SATURATED)
    } else {
        (value as u32, flags)
    }
}

#[inline]
const fn micros(duration: Duration, flags: u16) -> (u32, u16) {
    // In 64 bits, which are enough below that many seconds: the standard
    // library's `as_micros` takes 128.
    if duration.as_secs() > u32::MAX as u64 {
        return (u32::MAX, flags | flag::SATURATED);
    }
    let us = duration.as_secs() * 1_000_000 + duration.subsec_micros() as u64;
    saturate(us, flags)
}

/// Whole nanoseconds, where 64 bits are enough.
#[inline]
fn nanos(duration: Duration) -> Option<u64> {
    let whole = duration.as_secs().checked_mul(1_000_000_000)?;
    whole.checked_add(duration.subsec_nanos().into())
}
