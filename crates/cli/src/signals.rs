//! The signals that ask a command to end.

use std::{fs, io, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// A person, with Ctrl-C.
    Interrupt,
    /// A polite `kill`.
    Terminate,
    /// The terminal, which was closed.
    Hangup,
}

impl Signal {
    /// What a shell says of a process that the signal ended.
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::Hangup => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Hands every signal from now on to `each`, in a thread of its own.
pub(crate) fn listen(mut each: impl FnMut(Signal) + Send + 'static) -> io::Result<()> {
    let mut numbers = vec![SIGINT, SIGTERM];
    if !is_hangup_ignored() {
        numbers.push(SIGHUP);
    }
    let mut signals = Signals::new(numbers)?;
    let thread = thread::Builder::new().name("signals".to_owned());
    let listening = thread.spawn(move || {
        for number in signals.forever() {
            each(match number {
                SIGHUP => Signal::Hangup,
                SIGTERM => Signal::Terminate,
                _ => Signal::Interrupt,
            });
        }
    });
    listening.map(drop)
}

/// Whether the command is to outlive its terminal, as `nohup` asks.
fn is_hangup_ignored() -> bool {
    // Where there is no such file, nobody can tell.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}
