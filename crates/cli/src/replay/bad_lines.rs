//! The lines of a trace that could not be read.

use crate::format::{Count, plural};
use crate::text::visible_message;
use crate::trace::BadLine;

/// Counts all, keeps those that are to be shown.
#[derive(Debug, Default)]
pub(super) struct BadLines {
    count: u64,
    /// Even where nothing is to be shown, one for the error if there is
    /// nothing else.
    first: Vec<BadLine>,
    shown: usize,
}

impl BadLines {
    pub(super) fn new(shown: usize) -> Self {
        Self {
            shown,
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, line: BadLine) {
        self.count += line.lines;
        if self.first.len() < self.shown.max(1) {
            self.first.push(line);
        }
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
        let mut others = self.count;
        for bad in self.first.iter().take(self.shown) {
            let BadLine { line, reason, .. } = bad;
            lines.push(format!("  line {line}: {}", visible_message(reason)));
            others -= bad.lines;
        }
        if others > 0 {
            lines.push(format!(
                "  and {} more, which --bad-lines all shows",
                Count(others)
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_shown_and_all_are_counted() {
        let mut bad = BadLines::new(10);
        assert_eq!(bad.lines(), Vec::<String>::new());
        for line in 1..=12 {
            let reason = "x\u{1b}[2J".to_owned();
            let lines = 1 + u64::from(line == 12);
            bad.push(BadLine {
                line,
                lines,
                reason,
            });
        }
        let lines = bad.lines();
        assert_eq!(lines.len(), 12);
        assert_eq!(lines[0], "13 lines could not be read and count nowhere:");
        assert_eq!(lines[1], "  line 1: x\\u{1b}[2J");
        assert_eq!(lines[11], "  and 3 more, which --bad-lines all shows");
    }
}
