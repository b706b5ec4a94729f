//! Prints results.

use crate::Format;
use crate::kill::Loss;
use crate::measure::Results;
use crate::ours::RECORD;
use crate::peer::Row;

/// The lower quartile (1), the median (2), or the upper quartile (3).
fn quarter(values: &[f64], n: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * n / 4]
}

/// The median of the ratios of values that were measured in the same round.
fn ratio(of: &[f64], to: &[f64]) -> f64 {
    let ratios: Vec<f64> = of.iter().zip(to).map(|(of, to)| of / to).collect();
    quarter(&ratios, 2)
}

/// Digits in groups of three; small numbers with a decimal.
fn number(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    count(value.round() as u64)
}

fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

type Column = (&'static str, fn(&Results) -> &Vec<f64>);

const COLUMNS: [Column; 4] = [
    ("ns per event, one thread, consumer asleep", |r| &r.one),
    ("ns per event, two threads at once, consumer asleep", |r| {
        &r.two
    }),
    ("ns per event, one thread, steady", |r| &r.steady),
    ("events/s until all are visible, one thread", |r| &r.through),
];

pub(crate) fn speeds(rows: &[Row], results: &[Results], format: Format) {
    let ours = rows.iter().position(|row| row.name == RECORD).unwrap();
    if format == Format::Csv {
        println!("what,peer,median,lower quartile,upper quartile,ratio to record()");
    }
    for (title, of) in COLUMNS {
        if format == Format::Table {
            println!(
                "{title:<52} {:>12} {:>25} {:>9}",
                "median", "middle half", "ratio"
            );
        }
        for (row, result) in rows.iter().zip(results) {
            let values = of(result);
            let [low, median, high] = [1, 2, 3].map(|n| quarter(values, n));
            let ratio = ratio(values, of(&results[ours]));
            if format == Format::Csv {
                let (what, name) = (quoted(title), quoted(row.name));
                println!("{what},{name},{median:.2},{low:.2},{high:.2},{ratio:.4}");
                continue;
            }
            let half = format!("{} – {}", number(low), number(high));
            let ratio = format!("{ratio:.2}");
            println!(
                "  {:<50} {:>12} {half:>25} {ratio:>9}",
                row.name,
                number(median)
            );
        }
        if format == Format::Table {
            println!();
        }
    }
}

pub(crate) fn losses(losses: &[Loss], format: Format) {
    match format {
        Format::Table => println!(
            "{:<52} {:>6} {:>12} {:>12} {:>12}",
            "killed by SIGKILL, events of all kills", "kills", "recorded", "found", "lost"
        ),
        Format::Csv => println!("\nkilled peer,kills,recorded,found,lost,where"),
    }
    for loss in losses {
        let (recorded, found) = (loss.recorded, loss.found.unwrap_or(0));
        let place = loss.found.map_or("in memory only", |_| "on disk");
        if format == Format::Csv {
            let name = quoted(loss.name);
            let (kills, lost) = (loss.kills, loss.lost);
            println!("{name},{kills},{recorded},{found},{lost},{place}");
            continue;
        }
        let place = loss.found.map_or("  in memory only", |_| "");
        let [recorded, found, lost] = [recorded, found, loss.lost].map(count);
        println!(
            "  {:<50} {:>6} {recorded:>12} {found:>12} {lost:>12}{place}",
            loss.name, loss.kills
        );
    }
}

/// A field that may hold commas.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
