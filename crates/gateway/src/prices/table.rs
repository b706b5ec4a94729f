//! The table: provider and model → price.

use std::collections::HashMap;
use std::sync::Arc;

use super::cost::{Unpriced, cost};
use super::error::PriceError;
use super::load::{Skipped, litellm, own};
use super::names::{candidates, family};
use super::rates::ModelPrice;
use crate::usage::{Provider, Tokens, Usage};

/// The models of one provider.
#[derive(Clone, Debug, Default)]
struct Models {
    by_name: HashMap<Box<str>, Model>,
}

#[derive(Clone, Debug)]
struct Model {
    /// Which of a list's entries of one name goes before: the lower.
    rank: (usize, bool),
    price: Arc<ModelPrice>,
}

/// Prices by provider and model. Made once, then only read.
///
/// ```
/// use quipu_gateway::prices::PriceTable;
/// use quipu_gateway::usage::Tokens;
///
/// let table = PriceTable::builder()
///     .own(r#"
///         [[model]]
///         provider = "openai"
///         name = "gpt-4o"
///         input = "2.50"
///         output = "10"
///     "#)?
///     .build();
/// let tokens = Tokens { input: Some(812), output: Some(143), ..Tokens::default() };
/// let nanos = table.cost("openai", "gpt-4o-2024-08-06", &tokens, None)?;
/// assert_eq!(nanos, 3_460_000); // 812 × 2 500 + 143 × 10 000
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PriceTable {
    providers: HashMap<Box<str>, Models>,
    skipped: Vec<Skipped>,
}

/// Makes a [`PriceTable`] out of lists; of several, the last that has a model
/// holds for it.
#[derive(Clone, Debug, Default)]
pub struct PriceTableBuilder {
    table: PriceTable,
}

impl PriceTableBuilder {
    /// Adds LiteLLM's `model_prices_and_context_window.json`. Entries that
    /// can't be read are skipped, see [`PriceTable::skipped`].
    ///
    /// # Errors
    /// [`PriceError::LiteLlm`] where the text is no such list.
    pub fn litellm(mut self, text: &str) -> Result<Self, PriceError> {
        let (entries, skipped) = litellm::parse(text)?;
        let mut list = PriceTable::default();
        for entry in entries {
            let models = list.models(&entry.provider);
            let known = models.by_name.get(entry.model.as_ref());
            // Which of two goes before doesn't depend on their order.
            if known.is_none_or(|known| entry.rank < known.rank) {
                let model = Model {
                    rank: entry.rank,
                    price: Arc::new(entry.price),
                };
                models.by_name.insert(entry.model.as_ref().into(), model);
            }
        }
        self.table.extend(list);
        self.table.skipped.extend(skipped);
        Ok(self)
    }

    /// Adds a list in quipu's own format; docs/prices.md describes it.
    ///
    /// # Errors
    /// [`PriceError`] says which entry is wrong.
    pub fn own(mut self, text: &str) -> Result<Self, PriceError> {
        let mut list = PriceTable::default();
        for entry in own::parse(text)? {
            let provider = canonical(&entry.provider);
            let price = Arc::new(entry.price);
            for name in entry.names {
                let models = list.models(&provider);
                let model = Model {
                    rank: (0, false),
                    price: Arc::clone(&price),
                };
                if models.by_name.insert(name.as_str().into(), model).is_some() {
                    return Err(PriceError::Twice {
                        model: format!("{provider}/{name}"),
                    });
                }
            }
        }
        self.table.extend(list);
        Ok(self)
    }

    /// The table.
    #[must_use]
    pub fn build(self) -> PriceTable {
        self.table
    }
}

/// quipu's name for a provider, whatever it is called.
fn canonical(name: &str) -> String {
    match name.parse::<Provider>() {
        Ok(provider) => provider.name().to_owned(),
        Err(_) => family(name).0.to_owned(),
    }
}

impl PriceTable {
    /// Begins an empty table.
    #[must_use]
    pub fn builder() -> PriceTableBuilder {
        PriceTableBuilder::default()
    }

    fn models(&mut self, provider: &str) -> &mut Models {
        self.providers.entry(provider.into()).or_default()
    }

    fn extend(&mut self, list: Self) {
        for (provider, models) in list.providers {
            let own = self.providers.entry(provider).or_default();
            own.by_name.extend(models.by_name);
        }
    }

    /// Names of models that have a price, all providers together.
    #[must_use]
    pub fn len(&self) -> usize {
        let models = self.providers.values();
        models.map(|models| models.by_name.len()).sum()
    }

    /// Whether no model has a price.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries of LiteLLM's list that can't be read.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The price of a model, found in this order: under its name (without a
    /// leading `models/`) or an alias of a list of quipu's own; for a
    /// fine-tuned model `ft:base:owner:name:id` under `ft:base`; without the
    /// date at its end (`-20250929`, `-2025-09-29`, `@20250929`). Nothing
    /// else: an unknown model has no price.
    #[must_use]
    pub fn find(&self, provider: &str, model: &str) -> Option<&Arc<ModelPrice>> {
        let models = self.providers.get(provider)?;
        let found = candidates(model).find_map(|name| models.by_name.get(name));
        found.map(|model| &model.price)
    }

    /// The cost of a call in nano-US-dollars.
    ///
    /// Tokens × rate are summed up exactly, in atto-dollars, and rounded once
    /// to nano-dollars, half to even. The size of the prompt (input, cache
    /// reads and writes, audio heard) decides the tier, for the whole call.
    /// What the provider did not count costs nothing. Saturates at `u64::MAX`.
    ///
    /// # Errors
    /// [`Unpriced`] says what is missing; the call is to be recorded without a
    /// cost then.
    pub fn cost(
        &self,
        provider: &str,
        model: &str,
        tokens: &Tokens,
        service_tier: Option<&str>,
    ) -> Result<u64, Unpriced> {
        let price = self.find(provider, model).ok_or(Unpriced::UnknownModel)?;
        cost(price, tokens, service_tier)
    }

    /// The cost of what a response said that it billed, in nano-US-dollars, by
    /// the model that the request's path names, or else the body; see
    /// [`cost`](Self::cost).
    ///
    /// # Errors
    /// [`Unpriced`] says what is missing.
    pub fn cost_of(&self, usage: &Usage) -> Result<u64, Unpriced> {
        let provider = usage.provider.ok_or(Unpriced::NoName)?.name();
        let names = [&usage.path_model, &usage.model];
        let mut names = names.into_iter().flatten().peekable();
        if names.peek().is_none() {
            return Err(Unpriced::NoName);
        }
        let price = names.find_map(|name| self.find(provider, name));
        let price = price.ok_or(Unpriced::UnknownModel)?;
        cost(price, usage.billed_tokens(), usage.service_tier.as_deref())
    }
}
