//! What the tests of the command share: stores made through the library, and
//! the command as a process.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use quipu::{Reader, Recorder, TokenKind, Totals, UsageRecord};

/// More than any machine needs for anything here.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// 2023-11-16T00:00:00Z
pub(crate) const DAY: u64 = 1_700_092_800;

/// Names that break what doesn't escape.
pub(crate) const NASTY: [&str; 10] = [
    "line\nbreak\r\n",
    "quote\"s and 'apostrophes'",
    "comma,semicolon;tab\t",
    "\u{1b}[31mred\u{1b}[0m\u{7f}\0",
    "\u{202e}backwards\u{2066}",
    "zero\u{200b}width\u{feff}",
    "模型-é-🦙",
    "=1+1",
    "back\\slash\\n",
    "\u{301}mark first",
];

/// The command, with nothing from the outside that changes its output.
pub(crate) fn command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quipu"));
    command
        .args(args)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null());
    command
}

/// Runs the command to its end.
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Output {
    command(args).output().unwrap()
}

/// What the command prints when all is well.
pub(crate) fn stdout<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> String {
    let output = run(args);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert_eq!(errors, "");
    String::from_utf8(output.stdout).unwrap()
}

/// The one line that the command says when it fails with `code`, having
/// printed nothing else.
pub(crate) fn failure<S: AsRef<OsStr>>(code: i32, args: impl IntoIterator<Item = S>) -> String {
    let output = run(args);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.starts_with("quipu: "), "{errors}");
    errors
}

/// A moment some hours after the beginning of [`DAY`].
pub(crate) fn hours(hours: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(DAY + hours * 3_600)
}

/// Makes a store, lets `fill` record into it, and closes it.
pub(crate) fn store(path: &Path, fill: impl FnOnce(&Recorder)) {
    let recorder = Recorder::open(path).unwrap();
    fill(&recorder);
    recorder.close(DEADLINE).unwrap();
}

/// Records `n` calls of one model on the first day.
pub(crate) fn record(recorder: &Recorder, provider: &str, model: &str, n: u64) {
    let model = recorder.model(provider, model).unwrap();
    for i in 0..n {
        let usage = UsageRecord::new(model)
            .at(hours(i % 24))
            .tokens(TokenKind::Input, 100)
            .tokens(TokenKind::Output, 10)
            .cost_nanos(1_000)
            .latency(Duration::from_millis(250));
        recorder.record_timeout(usage, DEADLINE).unwrap();
    }
}

/// Waits until `ready` gives something.
pub(crate) fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ends a process as Ctrl-C does.
pub(crate) fn interrupt(pid: u32) {
    let status = Command::new("kill")
        .args(["-INT", &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// A trace in quipu's own format.
pub(crate) const CSV: &str = "provider,model,tenant,input,output,outcome,at\n\
    openai,gpt-4o,acme,10,5,ok,2024-02-29T12:00:00Z\n\
    openai,gpt-4o,,20,7,timeout,2024-02-29T12:00:01Z\n\
    mistral,large,acme,,1,,\n";

/// Writes a file and gives its path.
pub(crate) fn file(directory: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The command that replays `trace` into `store`.
pub(crate) fn replay(trace: &Path, store: &Path, more: &[&str]) -> Command {
    let mut command = command([
        "replay".as_ref(),
        trace.as_os_str(),
        "--store".as_ref(),
        store.as_os_str(),
    ]);
    command.args(more);
    command
}

/// What a command prints that has nothing to complain of.
pub(crate) fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

/// What a store holds that was closed in order.
pub(crate) fn total(store: &Path) -> Totals {
    let reader = Reader::open(store).unwrap();
    assert!(reader.status().unwrap().clean);
    reader.snapshot().unwrap().total()
}
