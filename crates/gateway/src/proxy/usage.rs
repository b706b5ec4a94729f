//! `/usage`: what was counted, with the fields of `quipu report --format json`.

use quipu::{By, Day, Group, Outcome, RollUp, Snapshot, Stats, Timing, TokenKind, Totals};
use serde_json::{Map, Value, json};

/// What somebody wants to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Question {
    by: By,
    since: Option<Day>,
    until: Option<Day>,
}

impl Question {
    /// Reads a query such as `by=day,model&since=2026-01-31`. Without `by`,
    /// rows are by day, provider, model and tenant.
    pub(super) fn parse(query: &str) -> Result<Self, String> {
        let mut question = Self {
            by: By {
                day: true,
                provider: true,
                model: true,
                tenant: true,
                ..By::default()
            },
            ..Self::default()
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "by" => question.by = keys(value)?,
                "since" => question.since = Some(day(value)?),
                "until" => question.until = Some(day(value)?),
                other => {
                    return Err(format!(
                        "unknown parameter {other:?}; known are by, since, until"
                    ));
                }
            }
        }
        Ok(question)
    }
}

fn keys(names: &str) -> Result<By, String> {
    let mut by = By::default();
    for name in names
        .replace("%2C", ",")
        .split(',')
        .filter(|name| !name.is_empty())
    {
        let key = match name {
            "day" => &mut by.day,
            "hour" => &mut by.hour,
            "provider" => &mut by.provider,
            "model" => &mut by.model,
            "tenant" => &mut by.tenant,
            other => {
                return Err(format!(
                    "can't group by {other:?}; known are day, hour, provider, model, tenant"
                ));
            }
        };
        *key = true;
    }
    Ok(by)
}

fn day(text: &str) -> Result<Day, String> {
    text.parse().map_err(|error| format!("{text:?}: {error}"))
}

/// The answer.
pub(super) fn answer(question: &Question, snapshot: &Snapshot, stats: &Stats) -> Value {
    let mut roll_up = RollUp::new(question.by);
    if let Some(since) = question.since {
        roll_up = roll_up.since(since);
    }
    if let Some(until) = question.until {
        roll_up = roll_up.until(until);
    }
    roll_up.add(snapshot);
    let rows: Vec<Value> = roll_up.groups().iter().map(row).collect();
    json!({
        "generation": snapshot.generation(),
        "rows": rows,
        "total": totals(roll_up.total()),
        "recorder": recorder(stats),
    })
}

fn row(group: &Group) -> Value {
    let mut row = Map::new();
    let mut name = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            row.insert(key.to_owned(), value);
        }
    };
    let label = |label: &Option<quipu::Label>| label.as_ref().map(|it| it.as_str().into());
    name("day", group.day.map(|day| day.to_string().into()));
    name("hour", group.hour.map(Value::from));
    name("provider", label(&group.provider));
    name("model", label(&group.model));
    name("tenant", label(&group.tenant));
    row.append(&mut totals(&group.totals));
    row.into()
}

fn totals(totals: &Totals) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut add = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    add("requests", totals.requests.into());
    add("errors", totals.errors.into());
    for kind in TokenKind::ALL {
        add(kind.name(), totals.reported_tokens(kind).into());
    }
    let cost = (totals.priced > 0).then_some(totals.cost_nanos);
    add("cost_nanos", cost.into());
    for (name, timing) in [
        ("latency", &totals.latency),
        ("ttft", &totals.time_to_first_token),
    ] {
        for (of, micros) in micros(timing) {
            add(&format!("{name}_{of}_us"), micros.into());
        }
    }
    add("priced", totals.priced.into());
    add("streamed", totals.streamed.into());
    add("estimated", totals.estimated.into());
    for outcome in Outcome::ALL.into_iter().filter(|it| it.is_error()) {
        let name = format!("errors_{}", outcome.name());
        add(&name, totals.outcome(outcome).into());
    }
    add("saturated", totals.saturated.into());
    fields
}

fn micros(timing: &Timing) -> [(&'static str, Option<u64>); 4] {
    let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    [
        ("mean", timing.mean()),
        ("p50", timing.quantile(0.5)),
        ("p90", timing.quantile(0.9)),
        ("p99", timing.quantile(0.99)),
    ]
    .map(|(name, time)| (name, time.map(micros)))
}

fn recorder(stats: &Stats) -> Value {
    json!({
        "attempted": stats.attempted,
        "accepted": stats.accepted,
        "rejected": stats.rejected,
        "rejected_full": stats.rejected_full,
        "rejected_closed": stats.rejected_closed,
        "in_ring": stats.in_ring,
        "committed": stats.committed,
        "unwritten": stats.unwritten,
        "lost": stats.lost,
        "replayed": stats.replayed,
        "names_refused": stats.names_refused,
        "degraded": stats.degraded,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read_or_say_what_is_wrong() {
        let by = |query: &str| Question::parse(query).unwrap().by;
        assert!(by("").tenant && by("").day);
        let expected = By {
            model: true,
            ..By::default()
        };
        assert_eq!(by("by=model"), expected);
        assert_eq!(by("by="), By::default());
        assert!(by("by=day%2Chour").hour);
        let question = Question::parse("since=2026-01-31&until=2026-02-01").unwrap();
        assert_eq!(question.since.unwrap().to_string(), "2026-01-31");
        for (query, part) in [
            ("by=colour", "known are day, hour"),
            ("since=yesterday", "yesterday"),
            ("limit=3", "known are by, since, until"),
        ] {
            let error = Question::parse(query).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
