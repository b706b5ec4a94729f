//! Prices for records, in the thread that counts them.

use std::collections::HashMap;
use std::sync::Arc;

use quipu::{ModelId, Price, PricedModel, TokenKind, UsageRecord};

use super::book::{PriceBook, Prices};
use super::cost::{Unpriced, cost};
use super::rates::{ModelPrice, RateKind};
use crate::usage::{Parts, Tokens, Usage};

/// Prices records off the request path: it remembers each model's price, and
/// forgets when the book has a new table.
///
/// A record holds less than a response: not how long written cache lives, which
/// way audio went, what was an image, or the service tier. Calls where that matters are
/// priced from the response instead, when it has ended; see
/// [`must_be_priced_at_once`].
#[derive(Debug)]
pub struct Pricer {
    book: Arc<PriceBook>,
    prices: Arc<Prices>,
    known: HashMap<ModelId, Option<Arc<ModelPrice>>>,
}

impl Pricer {
    /// A pricer that goes by this book.
    #[must_use]
    pub fn new(book: Arc<PriceBook>) -> Self {
        Self {
            prices: book.load(),
            book,
            known: HashMap::new(),
        }
    }

    /// Looks whether the book has a new table; to be called between batches.
    /// Gives the version that is in use.
    pub fn refresh(&mut self) -> u64 {
        let prices = self.book.load();
        if prices.version != self.prices.version {
            self.known.clear();
            self.prices = prices;
        }
        self.prices.version
    }

    /// The cost of a record's call in nano-US-dollars, by the standard service
    /// tier and with cache written for five minutes. `provider` and `model`
    /// are the names of the record's model.
    ///
    /// # Errors
    /// [`Unpriced`] says what is missing.
    pub fn price(
        &mut self,
        record: &UsageRecord,
        provider: &str,
        model: &str,
    ) -> Result<u64, Unpriced> {
        let table = &self.prices.table;
        let known = self.known.entry(record.model_id());
        let price = known.or_insert_with(|| table.find(provider, model).cloned());
        let price = price.as_ref().ok_or(Unpriced::UnknownModel)?;
        let reported = |kind| record.reported(kind).map(u64::from);
        let tokens = Tokens {
            input: reported(TokenKind::Input),
            cache_read: reported(TokenKind::CacheRead),
            cache_write: reported(TokenKind::CacheWrite),
            output: reported(TokenKind::Output),
            reasoning: reported(TokenKind::Reasoning),
            audio: reported(TokenKind::Audio),
            parts: Parts::default(),
        };
        if tokens.audio.unwrap_or(0) > 0 && !is_audio_one_price(price, &tokens) {
            return Err(Unpriced::NotInRecord);
        }
        cost(price, &tokens, None)
    }
}

/// For the thread that counts: see [`Builder::price_with`](quipu::Builder::price_with).
impl Price for Pricer {
    fn refresh(&mut self) {
        Self::refresh(self);
    }

    fn price(&mut self, record: &UsageRecord, of: PricedModel<'_>) -> Option<u64> {
        Self::price(self, record, of.provider, of.model).ok()
    }
}

/// Whether audio costs the same in both directions.
fn is_audio_one_price(price: &ModelPrice, tokens: &Tokens) -> bool {
    let rates = price.rates(None, tokens.prompt());
    rates.is_some_and(|rates| rates.get(RateKind::AudioInput) == rates.get(RateKind::AudioOutput))
}

/// Whether a call's price depends on what its record can't hold, so that it is
/// to be priced from the response, with
/// [`cost_of`](super::PriceTable::cost_of).
#[must_use]
pub fn must_be_priced_at_once(usage: &Usage) -> bool {
    let tokens = &usage.tokens;
    let service = usage.service_tier.as_deref();
    tokens.parts.has_any()
        || tokens.audio.unwrap_or(0) > 0
        || service.and_then(super::rates::service_name).is_some()
        || usage.billed.is_some()
}
