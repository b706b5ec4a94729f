//! A disk under a page cache, and what a power cut leaves of it.
//!
//! Of each page the disk has the content of the last sync or any that the page
//! had since; of the changes to the directory since it was synced, any may
//! have arrived. What was synced is there.

pub(crate) mod image;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use image::Dice;
use quipu::fault::Call;

pub(crate) const PAGE: usize = 4096;

type Page = [u8; PAGE];

/// Contents of a page that are remembered between two syncs.
const REMEMBERED: usize = 12;

/// What may be on the disk of one file: the content that is safe comes first,
/// the newest last.
#[derive(Clone, Debug, Default)]
struct Content {
    pages: Vec<Vec<Arc<Page>>>,
    lens: Vec<usize>,
}

/// A change to the directory that isn't safe yet.
#[derive(Clone, Debug)]
enum Change {
    Create(String, usize),
    Rename(String, String, usize),
    Remove(String),
}

/// What is on the disk, and what is on its way there, at one instant.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// What the writer was about to do.
    pub(crate) at: String,
    /// The newest generation that the writer has declared safe.
    pub(crate) declared: u64,
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    changes: Vec<Change>,
}

#[derive(Debug, Default)]
struct Inner {
    now: State,
    /// Open as long as the model lives, so that no inode is used again.
    handles: Vec<File>,
    /// Names that were about to be created when they were last seen.
    awaited: Vec<String>,
    zero: Option<Arc<Page>>,
    states: Vec<State>,
}

/// Follows the files of one store.
#[derive(Debug)]
pub(crate) struct Disk {
    store: PathBuf,
    inner: Mutex<Inner>,
}

impl Disk {
    pub(crate) fn new(store: &Path) -> Self {
        Self {
            store: store.to_owned(),
            inner: Mutex::default(),
        }
    }

    /// A call is about to be made.
    pub(crate) fn call(&self, call: &Call<'_>) {
        let Some(name) = self.name_of(call.path) else {
            return;
        };
        let inner = &mut *self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.look(&self.store);
        inner.keep(format!("{} {name}", call.name));
        match call.name {
            "create" if !name.is_empty() => inner.awaited.push(name),
            "rename" => {
                if let Some(to) = call.to.and_then(|to| self.name_of(to)) {
                    inner.rename(name, to);
                }
            }
            "remove" => inner.remove(name),
            "sync" => inner.sync(&name),
            "sync-dir" if name.is_empty() => inner.sync_directory(),
            _ => {}
        }
    }

    /// The writer passes a point of its protocol.
    pub(crate) fn point(&self, point: &str) {
        let inner = &mut *self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.look(&self.store);
        inner.keep(format!("point {point}"));
    }

    /// The writer has said that `generation` is safe.
    pub(crate) fn declare(&self, generation: u64) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.now.declared = inner.now.declared.max(generation);
    }

    /// The kernel writes some pages back on its own, and the journal.
    pub(crate) fn write_back(&self, dice: &mut Dice) {
        let inner = &mut *self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.look(&self.store);
        for number in inner.now.current().into_values() {
            inner.now.files[number].write_back(dice);
        }
        inner.sync_directory();
    }

    /// All instants that were noted.
    pub(crate) fn states(&self) -> Vec<State> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.look(&self.store);
        inner.keep("the end".into());
        std::mem::take(&mut inner.states)
    }

    /// The name in the store's directory, empty for the directory itself;
    /// `None` for what is elsewhere, and for the lock, which has no content
    /// and must not be opened a second time.
    fn name_of(&self, path: &Path) -> Option<String> {
        let name = path.strip_prefix(&self.store).ok()?.to_str()?;
        (name != "lock").then(|| name.to_owned())
    }
}

impl Inner {
    fn keep(&mut self, at: String) {
        self.now.at = at;
        self.states.push(self.now.clone());
    }

    /// Takes in what the files hold now.
    fn look(&mut self, store: &Path) {
        for name in std::mem::take(&mut self.awaited) {
            match File::open(store.join(&name)) {
                Ok(handle) => {
                    let number = self.handles.len();
                    self.handles.push(handle);
                    self.now.files.push(Content::default());
                    self.now.changes.push(Change::Create(name, number));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => self.awaited.push(name),
                Err(error) => panic!("{name}: {error}"),
            }
        }
        let zero = self.zero.get_or_insert_with(|| Arc::new([0; PAGE]));
        for number in self.now.current().into_values() {
            self.now.files[number].look(&self.handles[number], zero);
        }
    }

    fn rename(&mut self, from: String, to: String) {
        if let Some(number) = self.now.current().get(&from) {
            self.now.changes.push(Change::Rename(from, to, *number));
        }
    }

    fn remove(&mut self, name: String) {
        if self.now.current().contains_key(&name) {
            self.now.changes.push(Change::Remove(name));
        }
    }

    fn sync(&mut self, name: &str) {
        if let Some(number) = self.now.current().get(name) {
            self.now.files[*number].sync();
        }
    }

    fn sync_directory(&mut self) {
        self.now.names = self.now.current();
        self.now.changes.clear();
    }
}

impl State {
    /// The directory as the running system sees it.
    fn current(&self) -> BTreeMap<String, usize> {
        let mut names = self.names.clone();
        for change in &self.changes {
            change.apply(&mut names);
        }
        names
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Create(name, number) => drop(names.insert(name.clone(), *number)),
            Self::Rename(from, to, number) => {
                if names.get(from) == Some(number) {
                    names.remove(from);
                }
                names.insert(to.clone(), *number);
            }
            Self::Remove(name) => drop(names.remove(name)),
        }
    }
}

impl Content {
    fn look(&mut self, file: &File, zero: &Arc<Page>) {
        let len = file.metadata().unwrap().len() as usize;
        if self.lens.is_empty() {
            self.lens.push(0);
        }
        if self.lens.last() != Some(&len) {
            self.lens.push(len);
        }
        let pages = self.pages.len().max(len.div_ceil(PAGE));
        // What was never written is zeros.
        self.pages.resize_with(pages, || vec![Arc::clone(zero)]);
        let mut bytes = vec![0; pages * PAGE];
        let mut read = 0;
        while read < bytes.len() {
            match file.read_at(&mut bytes[read..], read as u64).unwrap() {
                0 => break,
                n => read += n,
            }
        }
        let (now, _) = bytes.as_chunks::<PAGE>();
        for (seen, now) in self.pages.iter_mut().zip(now) {
            if seen.last().is_none_or(|last| **last != *now) {
                seen.push(Arc::new(*now));
                if seen.len() > REMEMBERED {
                    seen.remove(1);
                }
            }
        }
    }

    /// Of some pages only the newest is left.
    fn write_back(&mut self, dice: &mut Dice) {
        let newest = self.pages.iter_mut().filter(|_| dice.below(4) != 0);
        newest.for_each(|seen| drop(seen.drain(..seen.len() - 1)));
        self.lens.drain(..self.lens.len() - 1);
    }

    /// Only the newest is left.
    fn sync(&mut self) {
        for seen in &mut self.pages {
            seen.drain(..seen.len() - 1);
        }
        self.lens.drain(..self.lens.len() - 1);
    }
}
