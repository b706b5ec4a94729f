//! quipu's own price lists: TOML, in US dollars for a million tokens.

use serde::Deserialize;
use std::collections::BTreeMap;

use crate::prices::decimal::Rate;
use crate::prices::error::PriceError;
use crate::prices::rates::{ModelPrice, RateKind, Rates};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    model: Vec<Model>,
}

#[derive(Debug, Deserialize)]
struct Model {
    provider: String,
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    service: BTreeMap<String, Tier>,
    // Not checked for unknown fields by serde, because of the flattening;
    // `Tier` gathers them.
    #[serde(flatten)]
    standard: Tier,
}

/// Rates, and rates above sizes of the prompt. Prices are texts, so that no
/// binary float comes between.
#[derive(Debug, Deserialize)]
struct Tier {
    input: Option<String>,
    output: Option<String>,
    cache_read: Option<String>,
    cache_write: Option<String>,
    cache_write_1h: Option<String>,
    reasoning: Option<String>,
    audio_input: Option<String>,
    audio_output: Option<String>,
    image_input: Option<String>,
    image_output: Option<String>,
    cache_read_audio: Option<String>,
    cache_read_image: Option<String>,
    /// Above how many tokens; only within `above`.
    tokens: Option<u64>,
    #[serde(default)]
    above: Vec<Tier>,
    #[serde(flatten)]
    unknown: BTreeMap<String, toml::Value>,
}

/// One model of the list, under one of its names.
pub(in crate::prices) struct Entry {
    pub(in crate::prices) provider: String,
    pub(in crate::prices) names: Vec<String>,
    pub(in crate::prices) price: ModelPrice,
}

impl Tier {
    fn put(&self, rates: &mut Rates, model: &str) -> Result<(), PriceError> {
        if let Some(field) = self.unknown.keys().next() {
            return Err(PriceError::Own(format!(
                "{model}: there is no field {field:?}; fields are input, output, cache_read, \
                 cache_write, cache_write_1h, reasoning, audio_input, audio_output, image_input, \
                 image_output, cache_read_audio, cache_read_image, above"
            )));
        }
        for (kind, text) in [
            (RateKind::Input, &self.input),
            (RateKind::Output, &self.output),
            (RateKind::CacheRead, &self.cache_read),
            (RateKind::CacheWrite, &self.cache_write),
            (RateKind::CacheWrite1h, &self.cache_write_1h),
            (RateKind::Reasoning, &self.reasoning),
            (RateKind::AudioInput, &self.audio_input),
            (RateKind::AudioOutput, &self.audio_output),
            (RateKind::ImageInput, &self.image_input),
            (RateKind::ImageOutput, &self.image_output),
            (RateKind::CacheReadAudio, &self.cache_read_audio),
            (RateKind::CacheReadImage, &self.cache_read_image),
        ] {
            let Some(text) = text else { continue };
            let rate = Rate::per_million(text).map_err(|why| PriceError::Rate {
                model: model.to_owned(),
                field: kind.name(),
                why,
            })?;
            rates.set(kind, rate);
        }
        Ok(())
    }

    fn put_all(
        &self,
        price: &mut ModelPrice,
        service: Option<&str>,
        model: &str,
    ) -> Result<(), PriceError> {
        if self.tokens.is_some() {
            return Err(PriceError::Own(format!(
                "{model}: `tokens` belongs into an `above` table"
            )));
        }
        let tiers = price.tiers(service);
        self.put(tiers.above(0), model)?;
        for tier in &self.above {
            let tokens = tier.tokens.filter(|tokens| *tokens > 0);
            let Some(tokens) = tokens.filter(|_| tier.above.is_empty()) else {
                return Err(PriceError::Own(format!(
                    "{model}: an `above` table needs `tokens`, the size of the prompt in tokens \
                     above which its prices hold, and no `above` of its own"
                )));
            };
            tier.put(tiers.above(tokens), model)?;
        }
        Ok(())
    }
}

/// Reads the list.
pub(in crate::prices) fn parse(text: &str) -> Result<Vec<Entry>, PriceError> {
    let file: File = toml::from_str(text).map_err(|why| PriceError::Own(why.to_string()))?;
    let mut entries = Vec::with_capacity(file.model.len());
    for model in file.model {
        let label = format!("{}/{}", model.provider, model.name);
        let mut price = ModelPrice::default();
        model.standard.put_all(&mut price, None, &label)?;
        for (service, tier) in &model.service {
            tier.put_all(&mut price, Some(service), &label)?;
        }
        if price.is_empty() {
            return Err(PriceError::Own(format!(
                "{label} has no price: give at least `input` or `output`"
            )));
        }
        let mut names = model.aliases;
        names.insert(0, model.name);
        entries.push(Entry {
            provider: model.provider,
            names,
            price,
        });
    }
    Ok(entries)
}
