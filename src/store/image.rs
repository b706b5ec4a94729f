//! A whole aggregate file written from memory: a checkpoint, or a store's file
//! anew after somebody took it away.

use std::path::Path;

use super::aggregate::{Aggregate, View};
use super::identity::Identity;
use super::names_log::NamesLog;
use super::rows::RowsFile;
use crate::disk::files;
use crate::error::OpenError;
use crate::ledger::Row;
use crate::names::Names;

/// The parts of a file that was just written.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) aggregate: Aggregate,
    pub(super) rows: RowsFile,
    pub(super) names_log: NamesLog,
}

/// Writes a file at `path` that holds `view`, in place of what was there from
/// an attempt before. `each` hands out every row by number, from 0 on; what
/// they add to the digest is noted in them and in the view.
pub(super) fn write_image(
    path: &Path,
    identity: Identity,
    names: &Names,
    view: &mut View,
    each: impl FnOnce(&mut dyn FnMut(u32, &mut Row)),
) -> Result<Image, OpenError> {
    files::remove(path)?;
    let image = fill(path, identity, names, view, each);
    if image.is_err() {
        // Best effort: the error that is on its way says more.
        let _ = files::remove(path);
    }
    image
}

fn fill(
    path: &Path,
    identity: Identity,
    names: &Names,
    view: &mut View,
    each: impl FnOnce(&mut dyn FnMut(u32, &mut Row)),
) -> Result<Image, OpenError> {
    let aggregate = Aggregate::create(path, identity)?;
    let mut names_log = NamesLog::default();
    for (kind, id, name) in names.all() {
        names_log.append(&aggregate, kind, id, &name)?;
    }
    let View { generation, block } = view;
    let mut rows = RowsFile::default();
    rows.reserve(&aggregate, block.rows as usize)?;
    block.digest = 0;
    block.names = names_log.len();
    each(&mut |number, row| {
        rows.write(number, 0, *generation, row);
        block.digest = block.digest.wrapping_add(row.share);
    });
    aggregate.commit(0, *generation, block);
    Ok(Image {
        aggregate,
        rows,
        names_log,
    })
}
