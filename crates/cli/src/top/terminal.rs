//! The terminal while `quipu top` has it: a screen of its own, keys as they
//! are pressed, everything back as it was at the end, however that comes.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, queue};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::error::CliError;
use crate::screen::{self, Screen};
use crate::watch::Stop;

/// How soon a signal is noticed; keys are noticed at once.
const SLICE: Duration = Duration::from_millis(100);

/// The terminal in `top`'s hands.
#[derive(Debug)]
pub(super) struct Terminal {
    /// Whether keys can be read. Without, Ctrl-C still is a signal.
    keys: bool,
}

enum Wish {
    Nothing,
    Redraw,
    Quit,
}

impl Terminal {
    pub(super) fn take() -> Result<Self, CliError> {
        let keys = enable_raw_mode().is_ok();
        let terminal = Self { keys };
        let mut out = screen::stdout();
        queue!(out, EnterAlternateScreen, cursor::Hide)?;
        out.flush()?;
        Ok(terminal)
    }

    /// Shows a frame until the next is due, drawing it again when the window
    /// changes. Says whether the user wants to stop.
    pub(super) fn show(
        &mut self,
        interval: Duration,
        stop: &Stop,
        last: bool,
        draw: impl Fn(&Screen) -> String,
    ) -> Result<bool, CliError> {
        put(&draw(&Screen::of_stdout()))?;
        if last {
            return Ok(false);
        }
        let due = Instant::now() + interval;
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(stop.within(Duration::ZERO));
            }
            let wish = self.wait(left.min(SLICE), stop)?;
            match wish {
                Wish::Quit => return Ok(true),
                Wish::Redraw => put(&draw(&Screen::of_stdout()))?,
                Wish::Nothing => {}
            }
        }
    }

    fn wait(&mut self, slice: Duration, stop: &Stop) -> Result<Wish, CliError> {
        if !self.keys {
            let stopped = stop.within(slice);
            return Ok(if stopped { Wish::Quit } else { Wish::Nothing });
        }
        if stop.within(Duration::ZERO) {
            return Ok(Wish::Quit);
        }
        // A terminal that is gone is readable for ever, with nothing to read:
        // crossterm would look for it without end.
        let slice = if io::stdin().is_terminal() {
            if has_hung_up(slice) {
                return Ok(Wish::Quit);
            }
            Duration::ZERO
        } else {
            slice
        };
        let ready = event::poll(slice).map_err(|error| self.deaf(&error))?;
        if !ready {
            return Ok(Wish::Nothing);
        }
        Ok(match event::read().map_err(|error| self.deaf(&error))? {
            Event::Resize(..) => Wish::Redraw,
            Event::Key(key) if key.kind != KeyEventKind::Release => match key.code {
                KeyCode::Char('q' | 'Q') | KeyCode::Esc => Wish::Quit,
                KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                    Wish::Quit
                }
                _ => Wish::Nothing,
            },
            _ => Wish::Nothing,
        })
    }

    fn deaf(&self, error: &io::Error) -> CliError {
        CliError::Failed(format!("can't read keys from the terminal: {error}"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The terminal may be gone already; then there is nothing to restore.
        let mut out = screen::stdout();
        let _ = queue!(out, cursor::Show, LeaveAlternateScreen);
        let _ = out.flush();
        if self.keys {
            let _ = disable_raw_mode();
        }
    }
}

/// Waits for a key; says whether the terminal is gone instead.
fn has_hung_up(slice: Duration) -> bool {
    let time = Timespec {
        tv_sec: 0,
        tv_nsec: slice.min(SLICE).subsec_nanos().into(),
    };
    let stdin = io::stdin();
    let mut keys = [PollFd::new(&stdin, PollFlags::IN)];
    // What can't be asked is taken to be there.
    poll(&mut keys, Some(&time)).is_ok()
        && keys[0]
            .revents()
            .intersects(PollFlags::HUP | PollFlags::ERR)
}

/// Replaces what is on the screen, line by line so that nothing flickers.
fn put(frame: &str) -> Result<(), CliError> {
    let mut out = screen::stdout();
    queue!(out, cursor::MoveTo(0, 0))?;
    for (place, line) in frame.lines().enumerate() {
        if place > 0 {
            out.write_all(b"\r\n")?;
        }
        out.write_all(line.as_bytes())?;
        queue!(out, Clear(ClearType::UntilNewLine))?;
    }
    queue!(out, Clear(ClearType::FromCursorDown))?;
    out.flush()?;
    Ok(())
}
