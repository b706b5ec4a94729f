//! The source as text, without comments and tests.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of `src/`.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path within `src/`.
    pub(crate) name: String,
    /// Its lines, each up to the comment.
    pub(crate) code: String,
}

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the repository.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// All files below `dir` that hold Rust.
pub(crate) fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs"))
        .collect()
}

/// All of `src/`.
pub(crate) fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut files = rust_files(&src);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines();
            let code = lines.map(|line| line.split("//").next().unwrap_or_default());
            Source {
                name: path.strip_prefix(&src).unwrap().display().to_string(),
                code: code.flat_map(|line| [line, "\n"]).collect(),
            }
        })
        .collect()
}

impl Source {
    /// Lines that hold `needle`, as `file:line`.
    pub(crate) fn places(&self, needle: &str) -> Vec<String> {
        let lines = self.code.lines().enumerate();
        lines
            .filter(|(_, line)| line.contains(needle))
            .map(|(number, _)| format!("{}:{}", self.name, number + 1))
            .collect()
    }

    /// The code without the file's own tests, which come last.
    pub(crate) fn without_tests(&self) -> &str {
        let tests = self.code.find("#[cfg(test)]\nmod tests");
        &self.code[..tests.unwrap_or(self.code.len())]
    }
}
