//! `/usage` and `/healthz`.

use quipu::{Field, Totals};
use serde_json::{Map, Value, json};

use crate::cases::{CHAT, MESSAGES, streamed};
use crate::client::{get, page, post};
use crate::server::wait_for;
use crate::setup::{ROUTE, Setup};

fn two_calls(config: &str) -> Setup {
    let setup = Setup::with(&[], config);
    for case in [CHAT, MESSAGES] {
        let headers = [case.asked, &[("x-tenant", "acme")]].concat();
        post(&setup.gateway, case.path, &headers, &streamed(case.body)).unwrap();
    }
    setup.counted(2);
    setup
}

#[test]
fn usage_answers_what_is_asked() {
    let setup = two_calls(&format!("tenant = [{{ header = \"x-tenant\" }}]\n{ROUTE}"));
    let all = setup.usage("");
    let rows = all["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(
            (&row["tenant"], &row["requests"]),
            (&json!("acme"), &json!(1))
        );
        assert!(row["latency_mean_us"].as_u64() > Some(0), "{row}");
        // Distributions are of no tenant in particular.
        assert_eq!(row["latency_p50_us"], Value::Null);
        assert!(row.get("hour").is_none());
    }
    for row in setup.usage("by=model")["rows"].as_array().unwrap() {
        for field in ["latency_p50_us", "latency_p90_us", "ttft_p99_us"] {
            assert!(row[field].as_u64() > Some(0), "{row}");
        }
    }
    let today = rows[0]["day"].as_str().unwrap();
    assert_eq!(today.len(), 10);
    for (query, count) in [
        ("by=", 1),
        ("by=tenant", 1),
        ("by=model", 2),
        ("by=provider%2Cmodel", 2),
        ("by=day,hour,tenant", 1),
        ("since=2026-01-01&until=9999-12-31", 2),
        (&format!("since={today}"), 2),
        (&format!("since={today}&until={today}"), 2),
        ("%62y=%6dodel&since=2026%2d01%2D01", 2),
        ("since=9999-12-31", 0),
        ("until=1999-12-31", 0),
        ("&&by=model&", 2),
    ] {
        let usage = setup.usage(query);
        assert_eq!(usage["rows"].as_array().unwrap().len(), count, "{query}");
        let requests = if count == 0 { 0 } else { 2 };
        assert_eq!(usage["total"]["requests"], requests, "{query}");
        let recorder = &usage["recorder"];
        assert_eq!(recorder["accepted"], 2);
        assert_eq!(recorder["attempted"], 2);
        assert_eq!(recorder["degraded"], Value::Null);
    }
}

#[test]
fn a_question_that_makes_no_sense_is_told_so() {
    let setup = Setup::new(&[]);
    for (query, part) in [
        ("by=colour", "known are day, hour, provider, model, tenant"),
        ("since=yesterday", "yesterday"),
        ("until=2026-02-30", "2026-02-30"),
        ("limit=3", "known are by, since, until"),
        (
            "since=2026-02-01&until=2026-01-31",
            "later than until=2026-01-31",
        ),
        ("by=%ff", "%ff"),
        ("by", ""),
    ] {
        let answer = page(&setup.gateway, &format!("/usage?{query}"), &[]);
        if part.is_empty() {
            assert_eq!(answer.status, 200, "{query}");
            continue;
        }
        assert_eq!(answer.status, 400, "{query}");
        let error = answer.json();
        assert_eq!(error["error"]["type"], "bad_query");
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains(part), "{message}");
    }
    let answer = post(&setup.gateway, "/usage", &[], "{}").unwrap();
    assert_eq!(answer.status, 405);
    assert_eq!(setup.usage("")["total"]["requests"], 0);
}

#[test]
fn hours_are_told_where_the_store_has_them() {
    let setup = two_calls(&format!("hours = true\n{ROUTE}"));
    let rows = setup.usage("by=day,hour");
    assert!(
        rows["rows"][0]["hour"]
            .as_u64()
            .is_some_and(|hour| hour < 24)
    );
}

#[test]
fn rows_have_the_fields_of_a_report() {
    let mut setup = two_calls(&format!("tenant = [{{ fixed = \"acme\" }}]\n{ROUTE}"));
    let usage = setup.usage("by=day,hour,provider,model,tenant");
    let fields = |totals: &Totals| -> Map<String, Value> {
        let fields = totals.fields().map(|(name, field)| {
            let value = match field {
                Field::Count(count) => json!(count),
                Field::Flag(flag) => json!(flag),
                _ => Value::Null,
            };
            (name.to_owned(), value)
        });
        fields.collect()
    };
    let stored = setup.end();
    assert_eq!(usage["total"], Value::from(fields(&stored.total())));
    let mut of_rows: Vec<Value> = Vec::new();
    for row in stored.rows() {
        let mut expected = fields(&row.totals);
        expected.insert("day".into(), row.day.to_string().into());
        // Asked for, and not kept.
        expected.insert("hour".into(), Value::Null);
        for (key, label) in [
            ("provider", &row.provider),
            ("model", &row.model),
            ("tenant", &row.tenant),
        ] {
            expected.insert(key.into(), label.as_str().into());
        }
        of_rows.push(expected.into());
    }
    let rows = usage["rows"].as_array().unwrap();
    assert_eq!(rows.len(), of_rows.len());
    for row in rows {
        assert!(of_rows.contains(row), "{row} in {of_rows:?}");
    }
}

#[test]
fn health_is_told() {
    let setup = Setup::new(&[]);
    let health = page(&setup.gateway, "/healthz", &[]);
    assert_eq!(health.status, 200);
    let expected = json!({"status": "ok", "degraded": null, "prices": null});
    assert_eq!(health.json(), expected);
    let head = get(&setup.gateway, "/metrics", &[]);
    assert_eq!(head.status, 200);
}

#[test]
fn a_gateway_that_does_not_record_passes_everything_on() {
    let setup = Setup::with(&[], &format!("record = false\n{ROUTE}"));
    let answer = post(&setup.gateway, CHAT.path, CHAT.asked, &streamed(CHAT.body)).unwrap();
    assert!(answer.status == 200 && answer.text().contains("[DONE]"));
    assert_eq!(setup.usage("")["recorder"]["attempted"], 0);
}

#[test]
fn trouble_of_the_store_is_told_where_it_runs() {
    let setup = Setup::new(&[]);
    std::fs::remove_dir_all(setup.store()).unwrap();
    post(&setup.gateway, CHAT.path, &[], CHAT.body).unwrap();
    wait_for("a word about the store", || {
        let said = setup.gateway.said();
        said.contains("calls pass, but").then_some(())
    });
    assert_eq!(
        page(&setup.gateway, "/healthz", &[]).json()["status"],
        "degraded"
    );
}
