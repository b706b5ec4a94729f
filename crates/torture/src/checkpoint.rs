//! The checkpoint by itself, as it would be found after a power cut.

use std::fs;
use std::io;
use std::path::Path;

use quipu::Reader;

use crate::counted::Counted;
use crate::settings;

/// What the checkpoint holds; `None` where there is none yet.
pub(crate) fn read(place: &Path) -> Result<Option<Counted>, String> {
    let copy = place.join("checkpoint.quipu");
    let copied = fs::create_dir_all(&copy).and_then(|()| {
        let checkpoint = settings::store(place).join("checkpoint");
        fs::copy(checkpoint, copy.join("aggregate"))
    });
    match copied {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| format!("the checkpoint can't be copied: {error}"))?,
    };
    let found = quipu::verify(&copy).map_err(|error| format!("the checkpoint: {error}"))?;
    if let Some(problem) = found.problems.first() {
        return Err(format!("the checkpoint: {problem}"));
    }
    let reader = Reader::open(&copy).map_err(|error| format!("the checkpoint: {error}"))?;
    let snapshot = reader.snapshot();
    let snapshot = snapshot.map_err(|error| format!("the checkpoint: {error}"))?;
    Counted::read(&snapshot).map(Some)
}
