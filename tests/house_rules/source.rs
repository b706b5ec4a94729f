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
    let dir = root().join("src");
    let mut files = rust_files(&dir);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(&dir).unwrap().display().to_string();
            assert!(!text.contains("/*"), "{name}: a comment that is no line's");
            let code = text.lines().map(|line| without_comment(line, &name));
            Source {
                code: code.flat_map(|line| [line, "\n"]).collect(),
                name,
            }
        })
        .collect()
}

/// The line up to its comment. Two slashes in a string would hide what comes
/// after them, so there must be none.
fn without_comment<'a>(line: &'a str, name: &str) -> &'a str {
    let Some((code, _)) = line.split_once("//") else {
        return line;
    };
    let quotes = code.matches('"').count() - code.matches("\\\"").count();
    let quotes = quotes - code.matches("'\"'").count();
    assert!(
        quotes.is_multiple_of(2),
        "{name}: slashes in a text: {line}"
    );
    code
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
        let Some((code, tests)) = self.code.split_once("#[cfg(test)]\nmod tests {\n") else {
            return &self.code;
        };
        let (_, rest) = tests.split_once("\n}\n").unwrap();
        assert_eq!(rest, "", "{}: code after the tests", self.name);
        code
    }
}
