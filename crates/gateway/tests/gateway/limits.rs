//! What is too long, or no HTTP.

use crate::cases::{CHAT, streamed};
use crate::client::{page, post, post_http2, send_raw};
use crate::setup::{ROUTE, Setup, requests};

fn limited() -> Setup {
    let limits = "max_body_bytes = 1000\nmax_header_bytes = 10000\n";
    Setup::with(&[], &format!("{limits}{ROUTE}"))
}

fn body_of(bytes: usize) -> String {
    let padding = "x".repeat(bytes - CHAT.body.len());
    CHAT.body.replacen("Hello", &format!("Hello{padding}"), 1)
}

#[test]
fn bodies_that_say_they_are_too_long_are_not_read() {
    let setup = limited();
    for post in [post, post_http2] {
        let answer = post(&setup.gateway, CHAT.path, &[], &body_of(1001)).unwrap();
        assert_eq!(answer.status, 413);
        assert_eq!(answer.json()["error"]["type"], "request_too_large");
        assert!(answer.text().contains("1000 bytes"));
    }
    assert_eq!(requests(&setup.served()), 0);
    let answer = post(&setup.gateway, CHAT.path, &[], &body_of(1000)).unwrap();
    assert_eq!(answer.status, 200);
    // What never was on its way is no call.
    assert_eq!(setup.counted(1)["errors"], 0);
}

#[test]
fn bodies_that_turn_out_too_long_are_not_sent() {
    let setup = limited();
    let path = CHAT.path;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: g\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let chunked = |body: &str| {
        let chunks = body.as_bytes().chunks(100);
        let chunks = chunks.map(|chunk| {
            let text = std::str::from_utf8(chunk).unwrap();
            format!("{:x}\r\n{text}\r\n", chunk.len())
        });
        format!("{head}{}0\r\n\r\n", chunks.collect::<String>())
    };
    let answer = send_raw(&setup.gateway, chunked(&body_of(2000)).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("request_too_large"), "{answer}");
    assert_eq!(setup.counted(1)["errors_client_error"], 1);
    let answer = send_raw(&setup.gateway, chunked(&body_of(1000)).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(setup.counted(2)["errors"], 1);
    assert_eq!(setup.served()["requests"]["complete"], 1);
}

#[test]
fn headers_have_a_limit() {
    let setup = limited();
    let long = "x".repeat(100_000);
    let many: String = (0..1000).map(|n| format!("n{n}: 1\r\n")).collect();
    for headers in [format!("long: {long}\r\n"), many] {
        let request = format!("GET /v1/models HTTP/1.1\r\nhost: g\r\n{headers}\r\n");
        let answer = send_raw(&setup.gateway, request.as_bytes());
        // It may close before the client has written everything, which then
        // sees a reset.
        let is_refused = answer.is_empty() || answer.starts_with("HTTP/1.1 431 ");
        assert!(is_refused, "{answer}");
    }
    let headers = [("long", &*long)];
    let answer = post_http2(&setup.gateway, CHAT.path, &headers, CHAT.body);
    assert!(answer.is_none_or(|answer| answer.status == 431));
    assert_eq!(page(&setup.gateway, "/healthz", &[]).status, 200);
    assert_eq!(requests(&setup.served()), 0);
    assert_eq!(setup.counted(0)["requests"], 0);
}

#[test]
fn what_is_no_http_closes_its_connection_and_nothing_else() {
    let setup = limited();
    let path = CHAT.path;
    let bad = [
        "\0\u{1}\u{2}\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\r\n\r\n".to_owned(),
        format!("POST {path} HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef"),
        format!("POST {path} HTTP/1.1\r\ncontent-length: -1\r\n\r\n"),
        format!(
            "POST {path} HTTP/1.1\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"
        ),
        "GET /%zz%00 HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n".to_owned(),
        "OPTIONS * HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n".to_owned(),
        "CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\nconnection: close\r\n\r\n"
            .to_owned(),
    ];
    for request in bad {
        let answer = send_raw(&setup.gateway, request.as_bytes());
        assert!(!answer.starts_with("HTTP/1.1 2"), "{request:?}: {answer}");
    }
    let answer = post(&setup.gateway, path, &[], &streamed(CHAT.body)).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(setup.served()["requests"]["complete"], 1);
}

#[test]
fn a_body_that_breaks_off_is_the_clients_failure() {
    let setup = Setup::new(&[]);
    let path = CHAT.path;
    let head = format!("POST {path} HTTP/1.1\r\nhost: g\r\nconnection: close\r\n");
    let bad = format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n");
    let answer = send_raw(&setup.gateway, bad.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let total = setup.counted(1);
    assert_eq!(
        (
            &total["errors_client_error"],
            &total["errors_upstream_error"]
        ),
        (&1.into(), &0.into())
    );
}

#[test]
fn what_a_proxy_must_not_pass_on_is_refused() {
    let setup = Setup::new(&[]);
    for (request, status) in [
        ("CONNECT evil:443", 405),
        ("TRACE /v1/models", 405),
        ("GET /v1/../served", 400),
        ("GET /v1/%2E%2e/served", 400),
    ] {
        let raw = format!("{request} HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n");
        let answer = send_raw(&setup.gateway, raw.as_bytes());
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{request}: {answer}");
    }
    assert_eq!(requests(&setup.served()), 0);
}
