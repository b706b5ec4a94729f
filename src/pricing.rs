//! Pricing: the station between drain and fold where the caller's prices meet
//! records that come without a cost.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::names::{Label, Names};
use crate::record::{UsageRecord, flag};
use crate::sync::{Arc, Mutex, MutexGuard, lock};

/// The names of a record's model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PricedModel<'a> {
    /// The provider's name, as [`Recorder::model`](crate::Recorder::model) was
    /// given it; [`OTHER`](crate::OTHER) beyond the limits.
    pub provider: &'a str,
    /// The model's name, likewise.
    pub model: &'a str,
}

/// Prices calls in the consumer, off the request path: see
/// [`Builder::price_with`](crate::Builder::price_with). Closures are prices,
/// too.
pub trait Price: Send {
    /// Called before each batch of records, at least once for every
    /// [`flush_interval`](crate::Builder::flush_interval): the place to look
    /// for newer prices. The default does nothing.
    fn refresh(&mut self) {}

    /// The cost of a call in nano-US-dollars (1 USD = 1 000 000 000), `None`
    /// where there is no price: the call then counts as unpriced. Only called
    /// for records without a cost.
    ///
    /// Runs in the thread that counts: it must be quick, and must not wait,
    /// flush or close. A panic leaves the call unpriced and shows as
    /// [`Stats::degraded`](crate::Stats::degraded).
    fn price(&mut self, record: &UsageRecord, model: PricedModel<'_>) -> Option<u64>;
}

impl<F: FnMut(&UsageRecord, PricedModel<'_>) -> Option<u64> + Send> Price for F {
    fn price(&mut self, record: &UsageRecord, model: PricedModel<'_>) -> Option<u64> {
        self(record, model)
    }
}

/// The caller's prices, as a builder and its clones share them.
#[derive(Clone)]
pub(crate) struct Prices(Arc<Mutex<dyn Price>>);

impl Prices {
    pub(crate) fn new(price: impl Price + 'static) -> Self {
        Self(Arc::new(Mutex::new(price)))
    }
}

impl fmt::Debug for Prices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prices")
    }
}

/// Prices, with the names that they go by.
#[derive(Debug)]
pub(crate) struct Pricing {
    prices: Prices,
    /// By model; those that were looked up.
    names: Vec<Option<(Label, Label)>>,
    has_panicked: bool,
}

impl Pricing {
    pub(crate) const fn new(prices: Prices) -> Self {
        Self {
            prices,
            names: Vec::new(),
            has_panicked: false,
        }
    }

    /// Begins a batch of records whose models are in `table`.
    pub(crate) fn batch<'a>(&'a mut self, table: &'a Names) -> Batch<'a> {
        let mut prices = lock(&self.prices.0);
        let refresh = AssertUnwindSafe(|| prices.refresh());
        self.has_panicked |= catch_unwind(refresh).is_err();
        Batch {
            prices,
            table,
            names: &mut self.names,
            has_panicked: &mut self.has_panicked,
        }
    }

    /// Whether the caller's code ever panicked.
    pub(crate) const fn has_panicked(&self) -> bool {
        self.has_panicked
    }
}

/// Prices for one batch.
pub(crate) struct Batch<'a> {
    prices: MutexGuard<'a, dyn Price + 'static>,
    table: &'a Names,
    names: &'a mut Vec<Option<(Label, Label)>>,
    has_panicked: &'a mut bool,
}

impl Batch<'_> {
    /// The record with a cost, where it has one or there is a price. The ring
    /// keeps its own: after a kill it is priced again, and counted once (I2).
    pub(crate) fn price(&mut self, record: &UsageRecord) -> UsageRecord {
        if record.has(flag::HAS_COST) {
            return *record;
        }
        let number = usize::from(record.model);
        if self.names.len() <= number {
            self.names.resize(number + 1, None);
        }
        let (provider, model) =
            self.names[number].get_or_insert_with(|| self.table.model(record.model));
        let model = PricedModel { provider, model };
        // Whatever the caller's code leaves half done is the caller's own.
        let price = AssertUnwindSafe(|| self.prices.price(record, model));
        match catch_unwind(price) {
            Ok(Some(nanos)) => record.cost_nanos(nanos),
            Ok(None) => *record,
            Err(_) => {
                *self.has_panicked = true;
                *record
            }
        }
    }
}
