//! Shared maps that the recording thread updates itself; the locked one is
//! also what aggregators add up into.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use dashmap::DashMap;

use crate::aggregator::Sink;
use crate::event::{Event, Key, Totals};
use crate::peer::{Each, Handle, Peer, Row};

pub(crate) const ROWS: &[Row] = &[
    Row::in_memory("Mutex<HashMap>", |_| Box::new(Map::default())),
    Row::in_memory("DashMap", |_| Box::new(Dash(DashMap::new()))),
];

#[derive(Clone, Default)]
pub(crate) struct Map(pub(crate) Arc<Mutex<HashMap<Key, Totals>>>);

impl Peer for Map {
    fn handle(&self) -> Box<dyn Handle + '_> {
        Box::new(Each(|event: &Event| {
            let mut map = self.0.lock().unwrap();
            map.entry(event.key()).or_default().add(event);
        }))
    }

    fn settle(&self, _: u64) {}

    fn totals(&self) -> Totals {
        Totals::sum(self.0.lock().unwrap().values())
    }
}

impl Sink for Map {
    const BATCH: usize = 1024;

    fn commit(&self, next: &mut dyn FnMut() -> Option<Event>) {
        let mut map = self.0.lock().unwrap();
        while let Some(event) = next() {
            map.entry(event.key()).or_default().add(&event);
        }
    }

    fn totals(&self) -> Totals {
        Peer::totals(self)
    }
}

struct Dash(DashMap<Key, Totals>);

impl Peer for Dash {
    fn handle(&self) -> Box<dyn Handle + '_> {
        Box::new(Each(|event: &Event| {
            self.0.entry(event.key()).or_default().add(event);
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
