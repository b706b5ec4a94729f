//! Setting aside: what can't be used keeps its bytes under a new name (I11).

use std::fmt;
use std::path::{Path, PathBuf};

use crate::bucket::now_nanos;
use crate::disk::files;
use crate::error::OpenError;
use crate::fault::point;

/// A file of a store that could not be used. It was renamed, its bytes are as
/// they were.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetAside {
    /// Where the file was.
    pub original: PathBuf,
    /// Where it is now: beside that place, with the time and the reason in its
    /// name.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} could not be used ({}): it was set aside as {}, bytes unchanged",
            self.original.display(),
            self.reason,
            self.path.display()
        )
    }
}

/// The longest reason in a file's name.
const LONGEST_SLUG: usize = 48;
/// Names that are tried when things are set aside within one second.
const TRIES: u32 = 1000;

/// Gives the file at `path` a name that says when and why it was set aside.
pub(crate) fn set_aside(path: &Path, reason: impl Into<String>) -> Result<SetAside, OpenError> {
    let reason = reason.into();
    let mut taken = None;
    for attempt in 0..TRIES {
        let to = name_for(path, &reason, attempt);
        match files::rename_to_new(path, &to) {
            Ok(()) => {
                point!("set aside: after the rename");
                return Ok(SetAside {
                    original: path.to_owned(),
                    path: to,
                    reason,
                });
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => taken = Some(error),
            Err(error) => return Err(OpenError::io("set aside", path, error)),
        }
    }
    let taken = taken.unwrap_or_else(|| std::io::ErrorKind::AlreadyExists.into());
    Err(OpenError::io("set aside", path, taken))
}

fn name_for(path: &Path, reason: &str, attempt: u32) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.{}", time(now_nanos()), slug(reason)));
    if attempt > 0 {
        name.push(format!(".{attempt}"));
    }
    path.with_file_name(name)
}

/// UTC to the second, without characters that a shell would care about.
fn time(nanos: u64) -> String {
    let seconds = i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds)
        .unwrap_or(jiff::Timestamp::MAX)
        .to_string()
        .replace(':', "")
}

/// The reason as a part of a file's name.
fn slug(reason: &str) -> String {
    let mut slug = String::new();
    for c in reason.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => slug.push(c.to_ascii_lowercase()),
            '\'' | '`' => {}
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
        if slug.len() == LONGEST_SLUG {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when_and_why() {
        assert_eq!(time(1_764_035_294_000_000_000), "2025-11-25T014814Z");
        assert_eq!(
            slug("row 17: it doesn't have its checksum (`x`)"),
            "row-17-it-doesnt-have-its-checksum-x"
        );
        assert_eq!(slug("../../etc"), "etc");
        assert!(slug(&"long ".repeat(100)).len() <= LONGEST_SLUG);
    }
}
