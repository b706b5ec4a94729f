//! The named points, and what it takes to reach them.

use std::process::ExitCode;

use quipu::fault::POINTS;

/// What must be so that a writer comes by a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// There is no store yet.
    NewStore,
    /// The live file is damaged, and a checkpoint is there.
    Damage,
    /// The writer makes checkpoints.
    Checkpoints,
    /// Many rows.
    Rows,
    /// The writer before left records that are not committed.
    Ring,
}

/// The situation for a point.
pub(crate) fn needs(point: &str) -> Needs {
    match point {
        _ if point.starts_with("create:") => Needs::NewStore,
        _ if point.starts_with("set aside:") || point.starts_with("restore:") => Needs::Damage,
        _ if point.starts_with("checkpoint:") => Needs::Checkpoints,
        _ if point.starts_with("growth:") => Needs::Rows,
        "recovery: mid replay" => Needs::Ring,
        _ => Needs::Nothing,
    }
}

/// The writer dies when it comes by for the n-th time: the greatest n that is
/// tried.
pub(crate) fn most(point: &str) -> u64 {
    match point {
        "record: claimed" | "record: half written" | "record: published" => 3000,
        "consumer: mid batch" => 3000,
        "recovery: mid replay" => 1000,
        "names: half written" => 20,
        "names: before they count" => 4,
        "growth: allocated" | "growth: before it counts" => 3,
        "commit: mid row" => 1000,
        "commit: before the store" | "commit: after the store" => 40,
        "commit: before the release" => 40,
        "checkpoint: written" | "checkpoint: renamed" => 3,
        _ => 1,
    }
}

/// The point of this name, with the life that names of the program have.
pub(crate) fn find(name: &str) -> Option<&'static str> {
    POINTS.into_iter().find(|point| *point == name)
}

/// Prints all names.
pub(crate) fn list() -> ExitCode {
    for point in POINTS {
        println!("{point}");
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_situation_is_that_of_a_point() {
        let of = |needs_this| {
            POINTS
                .iter()
                .filter(move |point| needs(point) == needs_this)
        };
        assert_eq!(of(Needs::NewStore).count(), 3);
        assert_eq!(of(Needs::Damage).count(), 2);
        assert_eq!(of(Needs::Checkpoints).count(), 2);
        assert_eq!(of(Needs::Rows).count(), 2);
        assert_eq!(of(Needs::Ring).count(), 1);
    }
}
