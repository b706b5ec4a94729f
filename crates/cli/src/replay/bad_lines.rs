//! The lines of a trace that could not be read.

use crate::format::{Count, plural};
use crate::text::visible_message;
use crate::trace::BadLine;

/// As many are shown.
const SHOWN: usize = 10;

/// Counts all, keeps the first few.
#[derive(Debug, Default)]
pub(super) struct BadLines {
    count: u64,
    first: Vec<BadLine>,
}

impl BadLines {
    pub(super) fn push(&mut self, line: BadLine) {
        self.count += 1;
        if self.first.len() < SHOWN {
            self.first.push(line);
        }
    }

    pub(super) fn extend(&mut self, lines: impl IntoIterator<Item = BadLine>) {
        lines.into_iter().for_each(|line| self.push(line));
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn first(&self) -> Option<&BadLine> {
        self.first.first()
    }

    /// One line of text for each that is kept, and one for the others.
    pub(super) fn lines(&self) -> Vec<String> {
        if self.count == 0 {
            return Vec::new();
        }
        let what = plural(self.count, "line");
        let mut lines = vec![format!("{what} could not be read and count nowhere:")];
        for BadLine { line, reason } in &self.first {
            lines.push(format!("  line {line}: {}", visible_message(reason)));
        }
        let others = self.count - self.first.len() as u64;
        if others > 0 {
            lines.push(format!("  and {} more", Count(others)));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ten_are_shown_and_all_are_counted() {
        let mut bad = BadLines::default();
        assert_eq!(bad.lines(), Vec::<String>::new());
        for line in 1..=12 {
            let reason = "x\u{1b}[2J".to_owned();
            bad.push(BadLine { line, reason });
        }
        let lines = bad.lines();
        assert_eq!(lines.len(), 12);
        assert_eq!(lines[0], "12 lines could not be read and count nowhere:");
        assert_eq!(lines[1], "  line 1: x\\u{1b}[2J");
        assert_eq!(lines[11], "  and 2 more");
    }
}
