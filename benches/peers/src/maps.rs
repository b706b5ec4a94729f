//! Shared maps that the recording thread updates itself; the locked one is
//! also what aggregators add up into.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use dashmap::DashMap;

use crate::aggregator::Sink;
use crate::event::{Event, Ids, Key, Names, Totals};
use crate::peer::{Each, Handle, Peer, Row};

pub(crate) const ROWS: &[Row] = &[
    Row::in_memory("Mutex<HashMap>", |_| Box::new(Map::<Ids>::default())),
    Row::in_memory("Mutex<HashMap>, keyed by names", |_| {
        Box::new(Map::<Names>::default())
    }),
    Row::in_memory("DashMap", |_| Box::new(Dash::<Ids>(DashMap::new()))),
    Row::in_memory("DashMap, keyed by names", |_| {
        Box::new(Dash::<Names>(DashMap::new()))
    }),
];

pub(crate) struct Map<K>(Arc<Mutex<HashMap<K, Totals>>>);

impl<K> Clone for Map<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Map<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Key> Peer for Map<K> {
    fn handle(&self) -> Box<dyn Handle + '_> {
        Box::new(Each(|event: &Event| {
            let mut map = self.0.lock().unwrap();
            map.entry(K::of(event)).or_default().add(event);
        }))
    }

    fn settle(&self, _: u64) {}

    fn totals(&self) -> Totals {
        Totals::sum(self.0.lock().unwrap().values())
    }
}

impl<K: Key> Sink for Map<K> {
    const BATCH: usize = 1024;

    fn commit(&self, next: &mut dyn FnMut() -> Option<Event>) {
        let mut map = self.0.lock().unwrap();
        while let Some(event) = next() {
            map.entry(K::of(&event)).or_default().add(&event);
        }
    }

    fn totals(&self) -> Totals {
        Peer::totals(self)
    }
}

struct Dash<K: Key>(DashMap<K, Totals>);

impl<K: Key> Peer for Dash<K> {
    fn handle(&self) -> Box<dyn Handle + '_> {
        Box::new(Each(|event: &Event| {
            self.0.entry(K::of(event)).or_default().add(event);
        }))
    }

    fn settle(&self, _: u64) {}

    fn totals(&self) -> Totals {
        let mut sum = Totals::default();
        for row in &self.0 {
            sum.merge(row.value());
        }
        sum
    }
}
