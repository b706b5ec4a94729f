//! What standard output is: a terminal of some width, with or without colour,
//! or a pipe that wants plain text.

use std::io::{self, BufWriter, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;

/// How to write for whoever reads standard output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Columns of the terminal; `None` where output is not a terminal and
    /// lines may be as long as they need.
    pub(crate) width: Option<usize>,
    /// Lines of the terminal.
    pub(crate) height: Option<usize>,
    /// Whether to style text. Off in pipes and under `NO_COLOR`.
    pub(crate) color: bool,
}

impl Screen {
    /// Plain text of any width.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self {
        width: None,
        height: None,
        color: false,
    };

    /// What standard output is now; a terminal may be resized any time.
    pub(crate) fn of_stdout() -> Self {
        let stdout = io::stdout();
        let color = AutoStream::choice(&stdout) != ColorChoice::Never;
        if !stdout.is_terminal() {
            return Self {
                width: None,
                height: None,
                color,
            };
        }
        let size = terminal_size::terminal_size_of(&stdout)
            .map(|(width, height)| (usize::from(width.0), usize::from(height.0)))
            .filter(|(width, height)| *width > 0 && *height > 0);
        let (width, height) = size.unwrap_or((80, 24));
        Self {
            width: Some(width),
            height: Some(height),
            color,
        }
    }

    /// Whether a person is looking.
    pub(crate) const fn is_terminal(&self) -> bool {
        self.width.is_some()
    }

    /// `style` where colour is wanted, otherwise nothing.
    pub(crate) const fn style(&self, style: Style) -> Style {
        if self.color { style } else { Style::new() }
    }
}

/// Standard output in large pieces.
pub(crate) fn stdout() -> BufWriter<io::StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// A remark beside the output, on stderr.
pub(crate) fn note(message: &str) {
    // With stderr closed there is nobody to tell.
    let _ = writeln!(
        io::stderr(),
        "quipu: {}",
        crate::text::visible_message(message)
    );
}
