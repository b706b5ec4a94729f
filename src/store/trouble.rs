//! What keeps a store from being written, as one word that readers understand.

use crate::error::OpenError;

/// Where the trouble is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Commits: counts are in memory only.
    Commit = 1,
    /// Checkpoints: counts would not survive a power cut.
    Checkpoint = 2,
    /// The ring's file: records on their way would not survive a kill.
    Ring = 3,
    /// The consumer, which panics again and again.
    Consumer = 4,
    /// The caller's prices, which panicked at least once.
    Prices = 5,
}

impl Trouble {
    const ALL: [Self; 5] = [
        Self::Commit,
        Self::Checkpoint,
        Self::Ring,
        Self::Consumer,
        Self::Prices,
    ];

    const fn what(self) -> &'static str {
        match self {
            Self::Commit => "the store can't be written, counts are in the writer's memory only",
            Self::Checkpoint => "no checkpoint can be written, counts may not survive a power cut",
            Self::Ring => {
                "the ring's file is gone, records on their way to a commit don't survive a kill"
            }
            Self::Consumer => "the consumer panics again and again",
            Self::Prices => "the prices panicked, some calls are counted without a cost",
        }
    }

    /// The trouble and the system's number for the error, as the live word
    /// `degraded` has it. Never 0.
    pub(crate) fn word(self, error: Option<&OpenError>) -> u64 {
        let errno = match error {
            Some(OpenError::Io { source, .. }) => source.raw_os_error().unwrap_or(0),
            _ => 0,
        };
        self as u64 | u64::from(errno.cast_unsigned()) << 32
    }

    /// What such a word says; `None` for 0.
    pub(crate) fn explain(word: u64) -> Option<String> {
        if word == 0 {
            return None;
        }
        let trouble = Self::ALL
            .into_iter()
            .find(|trouble| *trouble as u64 == word & 0xff);
        let what = trouble.map_or("the writer is in trouble", Self::what);
        Some(match (word >> 32) as i32 {
            0 => what.to_owned(),
            errno => format!("{what}: {}", std::io::Error::from_raw_os_error(errno)),
        })
    }

    /// For the process itself, which has the whole error.
    pub(crate) fn describe(self, error: Option<&OpenError>) -> String {
        match error {
            Some(error) => format!("{}: {error}", self.what()),
            None => self.what().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_are_told_what_the_writer_was() {
        let full = OpenError::io("grow", "usage.quipu".as_ref(), rustix::io::Errno::NOSPC);
        let told = Trouble::explain(Trouble::Commit.word(Some(&full))).unwrap();
        assert!(
            told.contains("memory only") && told.contains("No space"),
            "{told}"
        );
        assert_eq!(Trouble::explain(0), None);
        assert!(
            Trouble::explain(Trouble::Ring.word(None))
                .unwrap()
                .contains("ring")
        );
    }
}
