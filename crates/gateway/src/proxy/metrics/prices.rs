//! What prices calls.

use super::super::prices::PriceLists;
use super::text::{Kind, Text};

pub(super) fn write(text: &mut Text, lists: &PriceLists) {
    let gauges = [
        (
            "quipu_prices_version",
            "Number of the price table in use, counted from the start of the process.",
            lists.version(),
        ),
        (
            "quipu_prices_refused",
            "1 while the price lists can't be used as they are, and older prices stay.",
            u64::from(lists.refused().is_some()),
        ),
    ];
    for (name, help, value) in gauges {
        text.family(Kind::Gauge, name, "", help);
        text.value(&[], value);
    }
}
