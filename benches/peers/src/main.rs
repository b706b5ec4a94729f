//! The same event through quipu and through what a gateway's author would
//! otherwise use: what the recording thread pays, how many events a second
//! get through, and what a killed process loses.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod aggregator;
mod channels;
mod databases;
mod event;
mod files;
mod kill;
mod maps;
mod measure;
mod otel;
mod ours;
mod peer;
mod queues;
mod registries;
// The same start as in the library's own benches.
#[path = "../../common/spin_barrier.rs"]
mod spin_barrier;
mod table;
#[cfg(test)]
mod tests;

use clap::{Parser, ValueEnum};

use peer::Row;

/// Compares quipu with what else records usage, in one process, round by
/// round.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Takes a few seconds, to see that everything runs
    #[arg(long)]
    quick: bool,
    /// Measures only the peers whose names contain NAME, and quipu's record(),
    /// to which ratios refer
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// How to print the results
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
}

/// All peers, quipu first.
fn rows() -> Vec<Row> {
    let families = [
        ours::ROWS,
        channels::ROWS,
        maps::ROWS,
        registries::ROWS,
        otel::ROWS,
        files::ROWS,
        databases::ROWS,
        queues::ROWS,
    ];
    families.concat()
}

fn main() -> std::process::ExitCode {
    if kill::is_child() {
        kill::run();
    }
    let args = Args::parse();
    let wanted = |row: &Row| {
        let name = row.name.to_lowercase();
        let is_named = |only: &String| name.contains(&only.to_lowercase());
        args.only.is_empty() || args.only.iter().any(is_named)
    };
    if !rows().iter().any(wanted) {
        let names: Vec<_> = rows().iter().map(|row| row.name).collect();
        eprintln!(
            "no peer has that name; there are:\n  {}",
            names.join("\n  ")
        );
        return std::process::ExitCode::from(2);
    }
    let rows: Vec<Row> = rows()
        .into_iter()
        .filter(|row| row.name == ours::RECORD || wanted(row))
        .collect();
    let results = measure::run(&rows, args.quick);
    table::speeds(&rows, &results, args.format);
    let losses = kill::measure(&rows, args.quick);
    table::losses(&losses, args.format);
    std::process::ExitCode::SUCCESS
}
