//! The command line: help, versions, mistakes, exit codes, pipes, colours.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;

use quipu::Recorder;
use support::{DEADLINE, command, failure, hours, record, run, stdout, store};

const READING: [&str; 5] = ["report", "stats", "verify", "top", "tail"];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn help_is_enough_to_succeed() {
    let help = stdout(["--help"]);
    for word in READING.iter().chain(&["replay", "Examples", "Exit codes"]) {
        assert!(help.contains(word), "{word}: {help}");
    }
    for command in READING {
        let help = stdout([command, "--help"]);
        assert!(help.contains("Examples:"), "{help}");
        assert!(
            help.contains(&format!("quipu {command} usage.quipu")),
            "{help}"
        );
        for line in help.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
    assert_eq!(
        stdout(["--version"]),
        concat!("quipu ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn help_that_cannot_be_written_is_a_failure() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        println!("skipped: there is no /dev/full");
        return;
    };
    for args in [&["--help"][..], &["report", "--help"], &["--version"]] {
        let output = command(args)
            .stdout(full.try_clone().unwrap())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {errors}");
        assert!(errors.contains("can't write"), "{errors}");
    }
}

#[test]
fn nothing_to_do_shows_the_help() {
    let output = run::<&str>([]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Usage: quipu"));
}

#[test]
fn mistakes_get_one_line_and_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("store");
    let store = text(&missing);
    for args in [
        &["repotr"][..],
        &["report"],
        &["report", store, "--by", "colour"],
        &["report", store, "--by", ""],
        &["report", store, "--format", "xml"],
        &["report", store, "--top", "0"],
        &["report", store, "--nonsense"],
        &["report", store, "--spreadsheet"],
        &["report", store, "--sort"],
        &["stats"],
        &["stats", store, store],
        &["verify", store, "--format", "json\n"],
        &["top", store, "--interval", "soon"],
        &["top", store, "--iterations", "0"],
        &["tail", store, "--format", "csv"],
    ] {
        let line = failure(2, args);
        assert!(
            line.contains("quipu") && line.len() > 20,
            "{args:?}: {line}"
        );
    }
    assert!(!missing.exists(), "nothing is half made");
}

#[test]
fn a_store_that_is_not_there_is_failure_1() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("nowhere");
    for command in ["report", "stats", "verify"] {
        let line = failure(1, [command, text(&missing)]);
        assert!(
            line.contains(text(&missing)) && line.contains("check the path"),
            "{line}"
        );
    }
    assert!(!missing.exists());
}

#[test]
fn what_is_not_a_store_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let file = dir.path().join("file\nname");
    fs::write(&file, "not a store").unwrap();
    for place in [&empty, &file] {
        for command in ["report", "stats", "verify"] {
            let line = failure(1, [command, text(place)]);
            assert!(line.contains("not a quipu store"), "{line}");
        }
    }
    assert_eq!(fs::read_dir(&empty).unwrap().count(), 0);
    assert_eq!(fs::read(&file).unwrap(), b"not a store");
}

#[test]
fn a_damaged_store_is_failure_3() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| record(recorder, "p", "m", 10));
    let aggregate = place.join("aggregate");
    let mut bytes = fs::read(&aggregate).unwrap();
    // All but what says that it is one of quipu's files.
    for byte in &mut bytes[64..] {
        *byte = !*byte;
    }
    fs::write(&aggregate, &bytes).unwrap();
    for command in ["report", "stats", "verify"] {
        let line = failure(3, [command, text(&place)]);
        assert!(line.contains(text(&place)), "{line}");
    }
    assert_eq!(fs::read(&aggregate).unwrap(), bytes, "and untouched");
}

#[test]
fn several_stores_are_all_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| record(recorder, "p", "m", 10));
    let line = failure(
        1,
        ["report", text(&place), text(&dir.path().join("nowhere"))],
    );
    assert!(line.contains("nowhere"), "{line}");
}

#[test]
fn a_reader_needs_no_write_permission() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| record(recorder, "p", "m", 10));
    let chmod = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod(dir.path(), 0o755);
    for entry in fs::read_dir(&place).unwrap() {
        chmod(&entry.unwrap().path(), 0o444);
    }
    chmod(&place, 0o555);
    let mut ran = 0;
    for arg in ["report", "stats", "verify"] {
        let mut command = command([arg, text(&place)]);
        // Permissions mean nothing to root: it has to be somebody else.
        let is_root = fs::metadata("/proc/self")
            .is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
        if is_root {
            command.uid(65_534).gid(65_534);
        }
        match command.output() {
            Ok(output) => {
                let errors = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.code(), Some(0), "{arg}: {errors}");
                ran += 1;
            }
            // The program itself lies where nobody else may look.
            Err(error) if is_root && error.kind() == std::io::ErrorKind::PermissionDenied => {
                println!("skipped: another user can't run the program: {error}");
            }
            Err(error) => panic!("{error}"),
        }
    }
    // As root, without the right to look, nothing was tried.
    println!("{ran} of 3 commands ran read-only");
    chmod(&place, 0o755);
}

#[test]
fn reading_works_while_a_writer_runs() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    let recorder = Recorder::open(&place).unwrap();
    record(&recorder, "p", "m", 100);
    recorder.flush(DEADLINE).unwrap();
    let report = stdout(["report", text(&place), "--format", "json"]);
    assert!(report.contains("\"requests\":100,"), "{report}");
    let table = stdout(["report", text(&place)]);
    let alive = format!("writer alive (process {})", std::process::id());
    assert!(table.contains(&alive), "{table}");
    stdout(["verify", text(&place)]);
    record(&recorder, "p", "m", 11);
    recorder.close(DEADLINE).unwrap();
    let report = stdout(["report", text(&place), "--format", "json"]);
    assert!(report.contains("\"requests\":111,"), "{report}");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| {
        let model = recorder.model("p", "m").unwrap();
        // Much more than a pipe holds.
        for n in 0..5_000 {
            let tenant = recorder.tenant(&format!("tenant-{n}")).unwrap();
            let usage = quipu::UsageRecord::new(model).tenant(tenant).at(hours(0));
            recorder.record_timeout(usage, DEADLINE).unwrap();
        }
    });
    for format in ["table", "json", "csv"] {
        let mut child = command(["report", text(&place), "--by", "tenant", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 100];
        let mut out = child.stdout.take().unwrap();
        std::io::Read::read_exact(&mut out, &mut first).unwrap();
        drop(out);
        let mut errors = String::new();
        for line in BufReader::new(child.stderr.take().unwrap()).lines() {
            errors.push_str(&line.unwrap());
        }
        assert_eq!(child.wait().unwrap().code(), Some(0), "{format}: {errors}");
        assert_eq!(errors, "", "{format}");
    }
}

#[test]
fn colour_is_for_terminals_and_those_who_ask() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("store");
    store(&place, |recorder| record(recorder, "p", "m", 10));
    let escapes = |variables: &[(&str, &str)]| {
        let mut command = command(["report", text(&place)]);
        command.envs(variables.iter().copied());
        let output = command.output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!escapes(&[]));
    assert!(escapes(&[("CLICOLOR_FORCE", "1")]));
    assert!(!escapes(&[("NO_COLOR", "1")]));
}
