//! How it ends, and begins.

use std::fs;
use std::net::TcpStream;
use std::process::Command;

use http_body_util::BodyExt;
use quipu_gateway::usage::UsageState;
use rustix::process::Signal;
use serde_json::Value;

use crate::cases::{MESSAGES, of_json, streamed};
use crate::client::{open, read, run, usage};
use crate::server::{Server, wait_for};

fn wait_until_nothing_is_accepted(server: &Server) {
    wait_for("a refusal", || {
        TcpStream::connect(server.address).err().map(drop)
    });
}

#[test]
fn what_runs_comes_to_its_end_and_the_counts_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("served.json");
    for signal in [Signal::TERM, Signal::INT] {
        let args = ["--gap-ms", "20", "--served", file.to_str().unwrap()];
        let mut server = Server::mock(args);
        let (first, rest) = run(async {
            let body = streamed(MESSAGES.body);
            let response = open(&server, MESSAGES.path, &[], &body).await.unwrap();
            let (head, mut body) = response.into_parts();
            let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
            server.signal(signal);
            wait_until_nothing_is_accepted(&server);
            (first, read(hyper::Response::from_parts(head, body)).await)
        });
        assert!(rest.is_whole);
        let frames = [&[first], &rest.frames[..]].concat();
        let usage = usage(MESSAGES.path, frames.iter());
        assert_eq!(usage.state, UsageState::Complete);
        assert!(server.wait().success());
        let counts: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(counts["requests"]["complete"], 1);
        assert_eq!(of_json(&counts["tokens"]["served"]), [4, 0, 0, 50, 0, 0]);
        fs::remove_file(&file).unwrap();
    }
}

#[test]
fn what_does_not_end_is_broken_off_by_the_time_or_by_a_second_signal() {
    let dir = tempfile::tempdir().unwrap();
    for grace in ["0", "3600"] {
        let file = dir.path().join(grace);
        let args = ["--gap-ms", "3600000", "--grace", grace, "--served"];
        let mut server = Server::mock(args.iter().copied().chain(file.to_str()));
        run(async {
            let body = streamed(MESSAGES.body);
            let response = open(&server, MESSAGES.path, &[], &body).await.unwrap();
            let (head, mut body) = response.into_parts();
            body.frame().await.unwrap().unwrap();
            server.signal(Signal::TERM);
            wait_until_nothing_is_accepted(&server);
            if grace != "0" {
                server.signal(Signal::TERM);
            }
            let rest = read(hyper::Response::from_parts(head, body)).await;
            assert!(!rest.is_whole);
        });
        assert!(server.wait().success());
        let counts: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(counts["requests"]["cancelled"], 1);
        assert_eq!(counts["running"], 0);
    }
}

#[test]
fn connections_without_a_request_do_not_hold_it_up() {
    let mut server = Server::mock(["--grace", "3600"]);
    let silent = TcpStream::connect(server.address).unwrap();
    let mut begun = TcpStream::connect(server.address).unwrap();
    std::io::Write::write_all(&mut begun, b"P").unwrap();
    // Both have been accepted by the time a later one is answered.
    assert_eq!(crate::client::get(&server, "/served", &[]).status, 200);
    server.signal(Signal::TERM);
    assert!(server.wait().success());
    drop((silent, begun));
}

#[test]
fn an_address_in_use_is_said_and_help_is_enough() {
    let server = Server::mock::<&str>([]);
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quipu-gateway"));
        command.arg("mock").args(args).output().unwrap()
    };
    let output = run(&["--listen", &server.address.to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    let expected = format!("quipu-gateway: can't listen on {}: ", server.address);
    assert!(error.starts_with(&expected), "{error}");
    assert!(error.contains("--listen with port 0"), "{error}");

    assert_eq!(run(&["--fault-rate", "2"]).status.code(), Some(2));
    assert_eq!(run(&["--fault", "explode"]).status.code(), Some(2));

    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    for name in [
        "--listen",
        "--gap-ms",
        "--served",
        "x-mock-cache-write-1h",
        "reset-after=",
        "/served/reset",
        "OPENAI_BASE_URL",
        "curl -N",
    ] {
        assert!(help.contains(name), "{name} in {help}");
    }
}
