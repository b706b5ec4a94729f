//! LiteLLM's `model_prices_and_context_window.json`.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Skipped;
use crate::prices::decimal::Rate;
use crate::prices::error::PriceError;
use crate::prices::names::{family, model_of};
use crate::prices::rates::{ModelPrice, RateKind};

/// Two names for one rate; the second goes before.
const CACHE_HIT: &str = "input_cost_per_token_cache_hit";
const CACHE_READ: &str = "cache_read_input_token_cost";

/// Names of rates, the longer before what they begin with.
const RATES: [(&str, RateKind); 13] = [
    (CACHE_HIT, RateKind::CacheRead),
    ("input_cost_per_token", RateKind::Input),
    ("output_cost_per_token", RateKind::Output),
    (CACHE_READ, RateKind::CacheRead),
    (
        "cache_creation_input_token_cost_above_1hr",
        RateKind::CacheWrite1h,
    ),
    ("cache_creation_input_token_cost", RateKind::CacheWrite),
    ("output_cost_per_reasoning_token", RateKind::Reasoning),
    ("input_cost_per_audio_token", RateKind::AudioInput),
    ("output_cost_per_audio_token", RateKind::AudioOutput),
    ("input_cost_per_image_token", RateKind::ImageInput),
    ("output_cost_per_image_token", RateKind::ImageOutput),
    (
        "cache_read_input_audio_token_cost",
        RateKind::CacheReadAudio,
    ),
    (
        "cache_read_input_image_token_cost",
        RateKind::CacheReadImage,
    ),
];

/// A key that explains the format instead of naming a model.
const EXPLANATION: &str = "sample_spec";

type Fields<'a> = HashMap<Cow<'a, str>, &'a RawValue>;

/// One model of the list.
pub(in crate::prices) struct Entry<'a> {
    pub(in crate::prices) provider: Cow<'a, str>,
    pub(in crate::prices) model: Cow<'a, str>,
    /// Which goes before where two entries have one name: the lower.
    pub(in crate::prices) rank: (usize, bool),
    pub(in crate::prices) price: ModelPrice,
}

/// What a field's name says: which rate, above how many tokens, in which
/// service tier.
fn parse_name(name: &str) -> Option<(RateKind, u64, Option<&str>)> {
    let (kind, mut rest) = RATES
        .iter()
        .find_map(|(base, kind)| Some((*kind, name.strip_prefix(base)?)))?;
    let mut above = 0;
    if let Some(tier) = rest.strip_prefix("_above_")
        && let Some((thousands, behind)) = tier.split_once("k_tokens")
    {
        above = thousands.parse::<u64>().ok()?.checked_mul(1000)?;
        rest = behind;
    }
    if rest.is_empty() {
        return Some((kind, above, None));
    }
    let service = rest.strip_prefix('_')?;
    let is_word = !service.is_empty() && service.bytes().all(|byte| byte.is_ascii_lowercase());
    is_word.then_some((kind, above, Some(service)))
}

/// A rate as it stands in the text; `None` for null.
fn rate(value: &RawValue) -> Result<Option<Rate>, String> {
    let text = value.get();
    if text == "null" {
        return Ok(None);
    }
    let text = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    Rate::per_token(text)
        .map(Some)
        .map_err(|why| why.to_string())
}

fn string<'a>(fields: &Fields<'a>, name: &str) -> Option<Cow<'a, str>> {
    let value = fields.get(name)?;
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'a>>(value.get())
        .ok()
        .map(|text| text.0)
}

/// A list of rates by size of the prompt.
fn tiered(price: &mut ModelPrice, value: &RawValue) -> Result<(), String> {
    let tiers: Vec<Fields<'_>> =
        serde_json::from_str(value.get()).map_err(|why| format!("tiered_pricing: {why}"))?;
    // Searches have tiers by number of results.
    let is_for_tokens = |tier: &&Fields<'_>| tier.keys().any(|name| parse_name(name).is_some());
    for tier in tiers.iter().filter(is_for_tokens) {
        let range = tier.get("range").ok_or("tiered_pricing without a range")?;
        let range: Vec<f64> =
            serde_json::from_str(range.get()).map_err(|why| format!("range: {why}"))?;
        let from = range.first().copied().unwrap_or(0.0);
        if !(0.0..1e15).contains(&from) {
            return Err(format!("a range from {from}"));
        }
        // Counts of tokens, written as 256000.0; below 2⁵³, so exact.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let from = from as u64;
        for (name, value) in tier {
            if let Some((kind, 0, service)) = parse_name(name)
                && let Some(rate) = rate(value)?
            {
                price.tiers(service).above(from).set(kind, rate);
            }
        }
    }
    Ok(())
}

fn price(fields: &Fields<'_>) -> Result<ModelPrice, String> {
    let mut price = ModelPrice::default();
    for (name, value) in fields {
        if name == CACHE_HIT && fields.contains_key(CACHE_READ) {
            continue;
        }
        if let Some((kind, above, service)) = parse_name(name) {
            if let Some(rate) = rate(value).map_err(|why| format!("{name}: {why}"))? {
                price.tiers(service).above(above).set(kind, rate);
            }
        } else if name == "tiered_pricing" && value.get() != "null" {
            tiered(&mut price, value)?;
        } else if name == "off_peak_pricing" && value.get() != "null" {
            price.set_depends_on_time();
        }
    }
    Ok(price)
}

/// Reads the list; what has no price for tokens is left out, what can't be
/// read is skipped and named.
pub(in crate::prices) fn parse(text: &str) -> Result<(Vec<Entry<'_>>, Vec<Skipped>), PriceError> {
    let list: Fields<'_> =
        serde_json::from_str(text).map_err(|why| PriceError::LiteLlm(why.to_string()))?;
    let mut entries = Vec::with_capacity(list.len());
    let mut skipped = Vec::new();
    for (key, value) in list {
        if key == EXPLANATION {
            continue;
        }
        let read = serde_json::from_str::<Fields<'_>>(value.get())
            .map_err(|why| why.to_string())
            .and_then(|fields| {
                let price = price(&fields)?;
                let litellm = string(&fields, "litellm_provider").unwrap_or_default();
                Ok((litellm, price))
            });
        match read {
            Ok((_, price)) if price.is_empty() => {}
            Ok((litellm, price)) => {
                let model = model_of(&key, &litellm);
                let (provider, rank) = family(&litellm);
                entries.push(Entry {
                    // Its own name in front is how the list names what is only
                    // this provider's.
                    rank: (rank, model.len() == key.len()),
                    model: Cow::Owned(model.to_owned()),
                    provider: Cow::Owned(provider.to_owned()),
                    price,
                });
            }
            Err(why) => skipped.push(Skipped {
                model: key.into_owned(),
                why,
            }),
        }
    }
    skipped.sort_by(|a, b| a.model.cmp(&b.model));
    Ok((entries, skipped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_fields_say_kind_tier_and_service() {
        use RateKind::{AudioInput, CacheRead, CacheWrite, CacheWrite1h, Input, Output};
        for (name, expected) in [
            ("input_cost_per_token", Some((Input, 0, None))),
            (
                "output_cost_per_token_batches",
                Some((Output, 0, Some("batches"))),
            ),
            (
                "input_cost_per_token_above_200k_tokens",
                Some((Input, 200_000, None)),
            ),
            (
                "cache_read_input_token_cost_above_272k_tokens_priority",
                Some((CacheRead, 272_000, Some("priority"))),
            ),
            ("input_cost_per_token_cache_hit", Some((CacheRead, 0, None))),
            (
                "cache_creation_input_token_cost",
                Some((CacheWrite, 0, None)),
            ),
            (
                "cache_creation_input_token_cost_above_1hr",
                Some((CacheWrite1h, 0, None)),
            ),
            (
                "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
                Some((CacheWrite1h, 200_000, None)),
            ),
            (
                "input_cost_per_audio_token_flex",
                Some((AudioInput, 0, Some("flex"))),
            ),
            // Not for tokens, or for what isn't counted here.
            ("cache_creation_input_token_cost_above_12hr", None),
            (
                "cache_creation_input_token_cost_above_12hr_above_272k_tokens_flex",
                None,
            ),
            ("input_cost_per_character", None),
            ("output_cost_per_image", None),
            ("cache_creation_input_audio_token_cost", None),
            ("max_input_tokens", None),
        ] {
            assert_eq!(parse_name(name), expected, "{name}");
        }
    }
}
