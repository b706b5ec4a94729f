//! What one model costs.

use super::decimal::Rate;

/// What a rate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RateKind {
    /// Prompt tokens that no cache had.
    Input,
    /// Completion tokens.
    Output,
    /// Prompt tokens read from the cache.
    CacheRead,
    /// Prompt tokens written to the cache for five minutes, or for as long as
    /// the provider's cache lives where it has only one lifetime.
    CacheWrite,
    /// Prompt tokens written to the cache for an hour.
    CacheWrite1h,
    /// Reasoning tokens. Where a model has no rate for them, they cost what
    /// completion tokens cost.
    Reasoning,
    /// Audio that the model hears.
    AudioInput,
    /// Audio that the model speaks.
    AudioOutput,
    /// Images that the model sees. Where a model has no rate for them, they
    /// cost what other prompt tokens cost.
    ImageInput,
    /// Images that the model makes. Where a model has no rate for them, they
    /// cost what completion tokens cost.
    ImageOutput,
    /// Audio read from the cache. Where a model has no rate for it, it costs
    /// what other cached tokens cost.
    CacheReadAudio,
    /// Images read from the cache. Where a model has no rate for them, they
    /// cost what other cached tokens cost.
    CacheReadImage,
}

/// Number of [`RateKind`]s.
const KINDS: usize = 12;

impl RateKind {
    /// The name in quipu's own files, for example `cache_write_1h`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::CacheRead => "cache_read",
            Self::CacheWrite => "cache_write",
            Self::CacheWrite1h => "cache_write_1h",
            Self::Reasoning => "reasoning",
            Self::AudioInput => "audio_input",
            Self::AudioOutput => "audio_output",
            Self::ImageInput => "image_input",
            Self::ImageOutput => "image_output",
            Self::CacheReadAudio => "cache_read_audio",
            Self::CacheReadImage => "cache_read_image",
        }
    }

    /// The kind whose rate holds where there is none for this one.
    pub(super) const fn stand_in(self) -> Option<Self> {
        match self {
            Self::Reasoning | Self::ImageOutput => Some(Self::Output),
            Self::ImageInput => Some(Self::Input),
            Self::CacheReadAudio | Self::CacheReadImage => Some(Self::CacheRead),
            _ => None,
        }
    }
}

/// Rates by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates([Option<Rate>; KINDS]);

impl Rates {
    /// The rate of one kind, where there is one.
    #[must_use]
    pub const fn get(&self, kind: RateKind) -> Option<Rate> {
        self.0[kind as usize]
    }

    /// Sets the rate of one kind.
    pub const fn set(&mut self, kind: RateKind, rate: Rate) {
        self.0[kind as usize] = Some(rate);
    }

    /// Whether there is no rate at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// These rates, and where one is missing the other's.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut rates = *self;
        for (rate, other) in rates.0.iter_mut().zip(other.0) {
            *rate = rate.or(other);
        }
        rates
    }
}

/// Rates by the size of the prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiers {
    /// For prompts of any size.
    base: Rates,
    /// Rates for prompts of more tokens than this, ascending.
    above: Vec<(u64, Rates)>,
}

impl Tiers {
    /// The rates for prompts of more than `tokens` tokens, to set them; 0
    /// stands for all prompts.
    pub fn above(&mut self, tokens: u64) -> &mut Rates {
        if tokens == 0 {
            return &mut self.base;
        }
        let at = match self
            .above
            .binary_search_by_key(&tokens, |(above, _)| *above)
        {
            Ok(at) => at,
            Err(at) => {
                self.above.insert(at, (tokens, Rates::default()));
                at
            }
        };
        &mut self.above[at].1
    }

    /// The rates for a prompt of so many tokens: the whole call is billed by
    /// the highest tier that it exceeds, and what that tier doesn't say is as
    /// in the tiers below.
    #[must_use]
    pub fn rates(&self, prompt: u64) -> Rates {
        let exceeded = self.above.iter().filter(|(above, _)| prompt > *above);
        exceeded.fold(self.base, |below, (_, rates)| rates.or(&below))
    }

    /// Whether there is no rate at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.base.is_empty() && self.above.iter().all(|(_, rates)| rates.is_empty())
    }
}

/// All that one model costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelPrice {
    standard: Tiers,
    services: Vec<(Box<str>, Tiers)>,
    depends_on_time: bool,
}

/// What providers call the tier that nobody asked for.
const STANDARD: [&str; 6] = ["", "default", "standard", "auto", "on_demand", "none"];

/// A tier's name as tables have it.
pub(super) fn service_name(name: &str) -> Option<String> {
    let name = name.trim().to_ascii_lowercase();
    if STANDARD.contains(&name.as_str()) {
        return None;
    }
    Some(if name == "batches" {
        "batch".into()
    } else {
        name
    })
}

impl ModelPrice {
    /// The rates of a service tier, to set them; `None` for the standard one.
    pub fn tiers(&mut self, service: Option<&str>) -> &mut Tiers {
        let Some(service) = service.and_then(service_name) else {
            return &mut self.standard;
        };
        let known = self
            .services
            .iter()
            .position(|(name, _)| **name == *service);
        let at = known.unwrap_or_else(|| {
            self.services.push((service.into(), Tiers::default()));
            self.services.len() - 1
        });
        &mut self.services[at].1
    }

    /// Says that the price depends on the time of day, which these rates can't
    /// express: calls stay unpriced.
    pub const fn set_depends_on_time(&mut self) {
        self.depends_on_time = true;
    }

    /// Whether the price depends on the time of day.
    #[must_use]
    pub const fn depends_on_time(&self) -> bool {
        self.depends_on_time
    }

    /// The rates for a call in a service tier (`None`, `default`, `standard`
    /// for the usual one) with a prompt of so many tokens. What a service tier
    /// doesn't say is as in the usual one. `None` where the model has no such
    /// tier.
    #[must_use]
    pub fn rates(&self, service: Option<&str>, prompt: u64) -> Option<Rates> {
        let standard = self.standard.rates(prompt);
        let Some(service) = service.and_then(service_name) else {
            return Some(standard);
        };
        let mut services = self.services.iter();
        let (_, tiers) = services.find(|(name, _)| **name == *service)?;
        Some(tiers.rates(prompt).or(&standard))
    }

    /// Whether there is no rate at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.standard.is_empty() && self.services.iter().all(|(_, tiers)| tiers.is_empty())
    }
}
