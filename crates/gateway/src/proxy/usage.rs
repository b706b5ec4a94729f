//! `/usage`: what was counted, with the fields of `quipu report --format json`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use quipu::{By, Day, Field, Group, RollUp, Snapshot, Stats, Totals};
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
            let (name, value) = (decoded(name)?, decoded(value)?);
            match &*name {
                "by" => question.by = keys(&value)?,
                "since" => question.since = Some(day(&value)?),
                "until" => question.until = Some(day(&value)?),
                other => {
                    return Err(format!(
                        "unknown parameter {other:?}; known are by, since, until"
                    ));
                }
            }
        }
        if let (Some(since), Some(until)) = (question.since, question.until)
            && since > until
        {
            return Err(format!("since={since} is later than until={until}"));
        }
        Ok(question)
    }
}

/// What a part of a query stands for.
fn decoded(part: &str) -> Result<Cow<'_, str>, String> {
    percent_decode_str(part)
        .decode_utf8()
        .map_err(|_| format!("{part:?} is no text when its percent signs are decoded"))
}

fn keys(names: &str) -> Result<By, String> {
    let mut by = By::default();
    for name in names.split(',').filter(|name| !name.is_empty()) {
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
    let groups = roll_up.groups();
    let rows: Vec<Value> = groups.iter().map(|group| row(question.by, group)).collect();
    json!({
        "generation": snapshot.generation(),
        "rows": rows,
        "total": totals(roll_up.total()),
        "recorder": recorder(stats),
    })
}

/// A row with the keys that were asked for, be they unknown, and its totals.
fn row(by: By, group: &Group) -> Value {
    let label = |label: &Option<quipu::Label>| label.as_ref().map(|it| it.as_str().into());
    let keys: [(&str, bool, Option<Value>); 5] = [
        ("day", by.day, group.day.map(|day| day.to_string().into())),
        ("hour", by.hour, group.hour.map(Value::from)),
        ("provider", by.provider, label(&group.provider)),
        ("model", by.model, label(&group.model)),
        ("tenant", by.tenant, label(&group.tenant)),
    ];
    let keys = keys.into_iter().filter(|(_, is_asked, _)| *is_asked);
    let keys = keys.map(|(key, _, value)| (key.to_owned(), value.unwrap_or_default()));
    keys.chain(totals(&group.totals)).collect()
}

fn totals(totals: &Totals) -> Map<String, Value> {
    let fields = totals.fields().map(|(name, field)| {
        let value = match field {
            Field::Count(count) => count.into(),
            Field::Flag(is_so) => is_so.into(),
            _ => Value::Null,
        };
        (name.to_owned(), value)
    });
    fields.collect()
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
        assert!(by("by=day%2Chour").hour && by("by=day%2chour").hour);
        assert!(by("%62y=%74enant").tenant);
        let question = Question::parse("since=2026-01-31&until=2026-02-01").unwrap();
        assert_eq!(question.since.unwrap().to_string(), "2026-01-31");
        for (query, part) in [
            ("by=colour", "known are day, hour"),
            ("since=yesterday", "yesterday"),
            ("limit=3", "known are by, since, until"),
            (
                "since=2026-02-01&until=2026-01-31",
                "since=2026-02-01 is later",
            ),
            ("by=%ff", "%ff"),
            ("by=%zz", "%zz"),
            ("by=day+hour", "day+hour"),
        ] {
            let error = Question::parse(query).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
