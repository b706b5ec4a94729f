//! Figures as a person reads them.

use super::sample::Sample;

/// The heading over what [`line`] prints.
pub(crate) fn heading() {
    println!(
        "{:<58} {:>14} {:>22} {:>10}",
        "what", "median", "middle half", "ratio"
    );
}

/// One line: the median, the middle half, the ratio to what it is compared to.
pub(crate) fn line(what: &str, sample: &Sample, unit: &str, ratio: Option<f64>) {
    let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    println!(
        "{what:<58} {:>14} {:>22} {ratio:>10}",
        format!("{} {unit}", number(sample.median())),
        format!(
            "{} – {}",
            number(sample.quarter(1)),
            number(sample.quarter(3))
        ),
    );
}

/// One line with one figure.
pub(crate) fn figure(what: &str, figure: f64, unit: &str) {
    println!("{what:<58} {:>14}", format!("{} {unit}", number(figure)));
}

/// Two digits or more, thousands apart.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        v if v < 1.0 => 2,
        v if v < 1000.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    format!("{}{rest}", thousands(whole))
}

fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A count, thousands apart.
pub(crate) fn count(value: usize) -> String {
    thousands(&value.to_string())
}

/// A table whose columns are as wide as they must be, numbers to the right.
#[derive(Debug)]
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self(vec![head.iter().map(ToString::to_string).collect()])
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.0.push(cells);
    }

    pub(crate) fn print(&self) {
        let columns = self.0[0].len();
        let width = |n: usize| self.0.iter().map(|row| row[n].chars().count()).max();
        let widths: Vec<_> = (0..columns).map(|n| width(n).unwrap()).collect();
        for row in &self.0 {
            let mut text = format!("{:<1$}", row[0], widths[0]);
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                text += &format!("  {cell:>width$}");
            }
            println!("{}", text.trim_end());
        }
    }
}
