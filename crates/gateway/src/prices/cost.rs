//! What a call costs.

use std::fmt;

use super::rates::{ModelPrice, RateKind, Rates};
use crate::usage::Tokens;

/// Atto-dollars in a nano-dollar.
const ATTO_PER_NANO: u128 = 1_000_000_000;

/// Why a call has no price. It is counted as unpriced then, never by a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unpriced {
    /// The table doesn't have the model.
    UnknownModel,
    /// The model has no rates for the service tier.
    UnknownServiceTier,
    /// The model has no rate for a kind of token that the call used.
    NoRate(RateKind),
    /// The price depends on the time of day.
    DependsOnTime,
    /// The provider gave no counts.
    NoTokens,
    /// It isn't known who answered, or with which model.
    NoName,
    /// A record doesn't say what the price depends on: which way audio went.
    NotInRecord,
}

impl fmt::Display for Unpriced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownModel => f.write_str(
                "the price table doesn't have the model: add it to a file of your own, or an \
                 alias of one it has",
            ),
            Self::UnknownServiceTier => {
                f.write_str("the price table has no rates for this service tier of the model")
            }
            Self::NoRate(kind) => write!(
                f,
                "the price table has no rate for {} of the model",
                kind.name()
            ),
            Self::DependsOnTime => f.write_str(
                "the model's price depends on the time of day, which price tables here can't say",
            ),
            Self::NoTokens => f.write_str("the provider gave no counts"),
            Self::NoName => f.write_str("provider or model are not known"),
            Self::NotInRecord => f.write_str(
                "the price depends on something that records don't hold: price the call before \
                 it is recorded",
            ),
        }
    }
}

impl std::error::Error for Unpriced {}

/// The cost of a call in nano-dollars: the sum of tokens × rate in atto-dollars
/// over all kinds, exact, rounded once, half to even. Saturates at `u64::MAX`,
/// 18 billion dollars.
///
/// # Errors
/// [`Unpriced`] says what is missing.
pub(super) fn cost(
    price: &ModelPrice,
    tokens: &Tokens,
    service: Option<&str>,
) -> Result<u64, Unpriced> {
    if tokens.is_empty() {
        return Err(Unpriced::NoTokens);
    }
    if price.depends_on_time() {
        return Err(Unpriced::DependsOnTime);
    }
    let rates = price.rates(service, tokens.prompt());
    let rates = rates.ok_or(Unpriced::UnknownServiceTier)?;
    sum(&rates, tokens).map(nanos)
}

fn sum(rates: &Rates, tokens: &Tokens) -> Result<u128, Unpriced> {
    let of = |count: Option<u64>| count.unwrap_or(0);
    let parts = &tokens.parts;
    let (hour, spoken) = (of(parts.cache_write_1h), of(parts.audio_output));
    let (seen, made) = (of(parts.image_input), of(parts.image_output));
    let (cached_audio, cached_image) = (of(parts.cache_read_audio), of(parts.cache_read_image));
    let rest = |whole: Option<u64>, part: u64| of(whole).saturating_sub(part);
    let amounts = [
        (RateKind::Input, rest(tokens.input, seen)),
        (RateKind::ImageInput, seen),
        (RateKind::Output, rest(tokens.output, made)),
        (RateKind::ImageOutput, made),
        (
            RateKind::CacheRead,
            rest(tokens.cache_read, cached_audio.saturating_add(cached_image)),
        ),
        (RateKind::CacheReadAudio, cached_audio),
        (RateKind::CacheReadImage, cached_image),
        (RateKind::CacheWrite, rest(tokens.cache_write, hour)),
        (RateKind::CacheWrite1h, hour),
        (RateKind::Reasoning, of(tokens.reasoning)),
        (RateKind::AudioInput, rest(tokens.audio, spoken)),
        (RateKind::AudioOutput, spoken),
    ];
    let mut sum: u128 = 0;
    for (kind, amount) in amounts {
        if amount == 0 {
            continue;
        }
        let stand_in = || rates.get(kind.stand_in()?);
        let rate = rates
            .get(kind)
            .or_else(stand_in)
            .ok_or(Unpriced::NoRate(kind))?;
        // Below 2¹²⁸; the sum is what may exceed it.
        sum = sum.saturating_add(u128::from(amount) * u128::from(rate.atto()));
    }
    Ok(sum)
}

/// Rounds to nano-dollars, half to even.
fn nanos(atto: u128) -> u64 {
    let (whole, rest) = (atto / ATTO_PER_NANO, atto % ATTO_PER_NANO);
    let half = ATTO_PER_NANO / 2;
    let is_up = rest > half || (rest == half && whole % 2 == 1);
    u64::try_from(whole + u128::from(is_up)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_rounded_once_and_half_to_even() {
        for (atto, expected) in [
            (0, 0),
            (499_999_999, 0),
            (500_000_000, 0),
            (500_000_001, 1),
            (1_500_000_000, 2),
            (2_500_000_000, 2),
            (u128::MAX, u64::MAX),
        ] {
            assert_eq!(nanos(atto), expected, "{atto}");
        }
    }
}
