//! `/metrics` is what its formats say, and what was counted.

use crate::cases::{CHAT, MESSAGES, streamed};
use crate::client::{page, post};
use crate::exposition::Page;
use crate::server::Server;
use crate::setup::{ROUTE, Setup};

/// Both pages, which say the same.
pub(crate) fn check(gateway: &Server) -> Page {
    let plain = page(gateway, "/metrics", &[]);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(plain.header("content-type"), kind);
    let accept = "application/openmetrics-text; version=1.0.0,text/plain;q=0.5";
    let open = page(gateway, "/metrics", &[("accept", accept)]);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.header("content-type"), kind);
    // Several lines are one list.
    let accept = [
        ("accept", "application/openmetrics-text;q=0.2"),
        ("accept", "text/plain;q=0.7"),
    ];
    let less = page(gateway, "/metrics", &accept);
    assert_eq!(less.header("content-type"), plain.header("content-type"));
    let plain = Page::parse(&plain.text());
    let open = Page::parse_open_metrics(&open.text());
    assert!(plain.samples.keys().eq(open.samples.keys()));
    plain
}

#[test]
fn it_says_what_usage_says() {
    let tenant = "tenant = [{ header = \"x-tenant\" }]\n";
    let setup = Setup::with(&[], &format!("{tenant}{ROUTE}"));
    check(&setup.gateway);
    let mut calls = 0;
    for case in [CHAT, MESSAGES] {
        for tenant in ["acme", "a\\b\"c", ""] {
            for fault in ["none", "status=429"] {
                let headers = [("x-tenant", tenant), ("x-mock-fault", fault)];
                let headers = [case.asked, &headers].concat();
                post(&setup.gateway, case.path, &headers, &streamed(case.body)).unwrap();
                calls += 1;
            }
        }
    }
    let odd = CHAT.body.replace("gpt-4o", r#"ümlaut \" {}=,\n#"#);
    post(&setup.gateway, CHAT.path, &[], &odd).unwrap();
    calls += 1;
    let total = setup.counted(calls);
    let page = check(&setup.gateway);
    let is = |name: &str, field: &str| {
        let value = total[field].as_f64().unwrap();
        assert!((page.sum(name) - value).abs() < 0.5, "{name}, {total}");
    };
    is("quipu_requests_total", "requests");
    is("quipu_streamed_requests_total", "streamed");
    is("quipu_estimated_requests_total", "estimated");
    is("gen_ai_client_operation_duration_seconds_count", "requests");
    is(
        "gen_ai_server_time_to_first_token_seconds_count",
        "streamed",
    );
    let labelled = |name: &str, label: &str, value: &str| -> f64 {
        let samples = page.of(name);
        let samples =
            samples.filter(|((_, labels), _)| labels.get(label).is_some_and(|it| it == value));
        samples.map(|(_, value)| value).sum()
    };
    for kind in [
        "input",
        "cache_read",
        "cache_write",
        "output",
        "reasoning",
        "audio",
    ] {
        let tokens = labelled("quipu_tokens_total", "kind", kind);
        assert!(
            (tokens - total[kind].as_f64().unwrap()).abs() < 0.5,
            "{kind}"
        );
    }
    let limited = labelled("quipu_requests_total", "outcome", "rate_limited");
    assert!((limited - 6.0).abs() < 0.5, "{limited}");
    let of_acme = labelled("quipu_requests_total", "quipu_tenant", "acme");
    assert!((of_acme - 4.0).abs() < 0.5, "{of_acme}");
    let of_odd = labelled(
        "quipu_requests_total",
        "gen_ai_request_model",
        "ümlaut \" {}=,\n#",
    );
    assert!((of_odd - 1.0).abs() < 0.5, "{of_odd}");
}

#[test]
fn tenants_can_be_left_out() {
    let settings = "metrics_by_tenant = false\ntenant = [{ fixed = \"acme\" }]\n";
    let setup = Setup::with(&[], &format!("{settings}{ROUTE}"));
    post(&setup.gateway, CHAT.path, CHAT.asked, CHAT.body).unwrap();
    setup.counted(1);
    let page = check(&setup.gateway);
    assert!(
        page.samples
            .keys()
            .all(|(_, labels)| !labels.contains_key("quipu_tenant"))
    );
    assert!((page.sum("quipu_requests_total") - 1.0).abs() < 0.5);
}
