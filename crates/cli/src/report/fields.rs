//! The fields of a row as data: what it is about, and the library's list of what
//! it adds up to.

use quipu::{Field, Group, Totals};

use super::Key;

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Nobody reported it.
    Missing,
    Int(u64),
    Bool(bool),
    Name(&'a str),
    Day(quipu::Day),
}

/// What a group is about: the keys that were asked for.
pub(crate) fn keys<'a>(
    group: &'a Group,
    keys: &[Key],
) -> impl Iterator<Item = (&'static str, Value<'a>)> {
    keys.iter().map(move |key| {
        let name = |label: &'a Option<quipu::Label>| match label {
            Some(label) => Value::Name(label),
            None => Value::Missing,
        };
        let value = match key {
            Key::Day => group.day.map_or(Value::Missing, Value::Day),
            Key::Hour => int(group.hour.map(u64::from)),
            Key::Provider => name(&group.provider),
            Key::Model => name(&group.model),
            Key::Tenant => name(&group.tenant),
        };
        (key.name(), value)
    })
}

/// What a group adds up to.
pub(crate) fn totals(
    totals: &Totals,
) -> impl Iterator<Item = (&'static str, Value<'static>)> + use<> {
    totals.fields().map(|(name, field)| {
        let value = match field {
            Field::Count(n) => Value::Int(n),
            Field::Flag(b) => Value::Bool(b),
            _ => Value::Missing,
        };
        (name, value)
    })
}

/// The cost, unless not a single call had one.
pub(crate) fn cost(totals: &Totals) -> Option<u64> {
    (totals.priced != 0).then_some(totals.cost_nanos)
}

fn int(value: Option<u64>) -> Value<'static> {
    value.map_or(Value::Missing, Value::Int)
}
