//! What was read so far: counts, marks, names.
//!
//! A document's values are *pending* until its frame is whole; then they
//! replace what earlier documents said, field by field. So counts that run are
//! kept, not added, and a damaged document leaves nothing behind.

use std::mem::swap;

use super::counts::{Counts, Shape};
use super::fields::{Action, Fields, Mark, Marks, fields};
use crate::json::{Bare, Node, Sink, Text};

/// A set of values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    /// Of the shapes that were met, each once: mostly of one.
    counts: Vec<(Shape, Counts)>,
    pub(crate) marks: Marks,
    pub(crate) model: Text,
    pub(crate) service_tier: Text,
    /// A field for a count held something that is none.
    pub(crate) has_bad_count: bool,
}

impl Values {
    pub(crate) fn counts(&self, shape: Shape) -> &Counts {
        const NONE: &Counts = &Counts::NONE;
        let mut counts = self.counts.iter();
        let found = counts.find(|(met, _)| *met == shape);
        found.map_or(NONE, |(_, counts)| counts)
    }

    pub(crate) fn counts_mut(&mut self, shape: Shape) -> &mut Counts {
        let known = self.counts.iter().position(|(met, _)| *met == shape);
        let place = known.unwrap_or_else(|| {
            self.counts.push((shape, Counts::NONE));
            self.counts.len() - 1
        });
        &mut self.counts[place].1
    }

    fn clear(&mut self) {
        self.counts.clear();
        self.marks.clear();
        self.model.clear();
        self.service_tier.clear();
        self.has_bad_count = false;
    }
}

/// An element of a list of counts by name.
#[derive(Clone, Copy, Debug, Default)]
struct Item {
    name: [u8; 8],
    name_len: u8,
    count: Option<u64>,
}

impl Item {
    fn name(&mut self, name: Option<&[u8]>) {
        let name = name.filter(|name| name.len() <= self.name.len());
        let name = name.unwrap_or_default();
        if let Some(room) = self.name.get_mut(..name.len()) {
            room.copy_from_slice(name);
            self.name_len = u8::try_from(name.len()).unwrap_or(0);
        }
    }

    fn is_named(&self, name: &str) -> bool {
        let own = self.name.get(..usize::from(self.name_len));
        own.is_some_and(|own| own.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// Collects what the scanner tells of.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    fields: &'static Fields,
    pending: Values,
    pub(crate) values: Values,
    item: Item,
    /// The last counts came with the end of the answer or after it.
    has_final_counts: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            fields: fields(),
            pending: Values::default(),
            values: Values::default(),
            item: Item::default(),
            has_final_counts: false,
        }
    }
}

impl Reading {
    /// Lets the pending values count.
    pub(crate) fn commit(&mut self) {
        let pending = &mut self.pending;
        let values = &mut self.values;
        values.marks.add(pending.marks);
        values.has_bad_count |= pending.has_bad_count;
        let has_counts = pending.counts.iter().any(|(_, newer)| !newer.is_empty());
        if values.counts.is_empty() {
            // As with every body that is one document.
            swap(&mut values.counts, &mut pending.counts);
        }
        for (shape, newer) in &pending.counts {
            values.counts_mut(*shape).replace(newer);
        }
        if has_counts {
            self.has_final_counts = values.marks.has(Mark::Finished);
        }
        for (newer, value) in [
            (&pending.model, &mut values.model),
            (&pending.service_tier, &mut values.service_tier),
        ] {
            // An empty name stands in for one that isn't known yet.
            if !newer.is_empty() {
                value.copy(newer);
            }
        }
        pending.clear();
    }

    /// Whether the pending values have counts.
    pub(crate) fn has_counts(&self) -> bool {
        !self.pending.counts.is_empty()
    }

    /// Forgets the pending values.
    pub(crate) fn discard(&mut self) {
        self.pending.clear();
    }

    /// Whether the counts are the last that the provider gives.
    pub(crate) fn is_final(&self) -> bool {
        self.has_final_counts || self.values.marks.has(Mark::Ended)
    }

    /// Something that the frame says, not its document; pending with it.
    pub(crate) fn mark(&mut self, mark: Mark) {
        self.pending.marks.set(mark);
    }

    /// A field for a count has this value, which may be none.
    fn count(&mut self, action: Action, value: Option<u64>) {
        match (action, value) {
            (Action::Count(shape, kind), Some(count)) => {
                self.pending.counts_mut(shape).set(kind, count);
            }
            (Action::Add(shape, kind), Some(count)) => {
                self.pending.counts_mut(shape).add(kind, count);
            }
            (Action::ItemCount, Some(count)) => self.item.count = Some(count),
            _ => self.pending.has_bad_count = true,
        }
    }
}

impl Sink for Reading {
    fn open(&mut self, node: Node) {
        for action in self.fields.actions(node) {
            match *action {
                Action::Restart(shape, kinds) => {
                    let counts = self.pending.counts_mut(shape);
                    kinds.iter().for_each(|kind| counts.void(*kind));
                }
                Action::Item => self.item = Item::default(),
                Action::Is(mark) | Action::There(mark) => self.pending.marks.set(mark),
                Action::Count(..) | Action::Add(..) | Action::ItemCount => {
                    self.count(*action, None);
                }
                _ => {}
            }
        }
    }

    fn close(&mut self, node: Node) {
        for action in self.fields.actions(node) {
            if let Action::TakeItem(name, shape, kind) = *action
                && let Some(count) = self.item.count
                && self.item.is_named(name)
            {
                self.pending.counts_mut(shape).add(kind, count);
            }
        }
    }

    fn bare(&mut self, node: Node, value: Bare) {
        for action in self.fields.actions(node) {
            match (*action, value) {
                (Action::There(mark), _) => self.pending.marks.set(mark),
                (_, Bare::Null) => {}
                (Action::Is(mark), _) | (Action::True(mark), Bare::Bool(true)) => {
                    self.pending.marks.set(mark);
                }
                (Action::Count(..) | Action::Add(..) | Action::ItemCount, _) => {
                    let count = match value {
                        Bare::Count(count) => Some(count),
                        _ => None,
                    };
                    self.count(*action, count);
                }
                _ => {}
            }
        }
    }

    fn string(&mut self, node: Node, value: Option<&[u8]>) {
        let text = value.unwrap_or_default();
        for action in self.fields.actions(node) {
            match *action {
                Action::Model => self.pending.model.set(text),
                Action::ServiceTier => self.pending.service_tier.set(text),
                Action::ItemName => self.item.name(value),
                Action::Says(word, mark) if text == word.as_bytes() => {
                    self.pending.marks.set(mark);
                }
                Action::Starts(word, mark) if text.starts_with(word.as_bytes()) => {
                    self.pending.marks.set(mark);
                }
                Action::Is(mark) | Action::There(mark) => self.pending.marks.set(mark),
                // Some gateways write 64-bit numbers as strings.
                Action::Count(..) | Action::Add(..) | Action::ItemCount => {
                    self.count(*action, crate::json::count(text));
                }
                _ => {}
            }
        }
    }
}
