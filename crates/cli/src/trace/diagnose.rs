//! Why a line of JSON is not a call. The parser tells where it stopped; people
//! want to know which key is wrong. Only bad lines come here.

use serde_json::Value;

use super::field::shown;

/// A line's object, as far as it tells formats apart.
pub(super) type Object = serde_json::Map<String, Value>;

/// What is behind a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Whole,
    Number,
    Text,
    Flag,
    List,
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Whole => value.is_u64(),
            Self::Number => value.is_number(),
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::List => value.is_array(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Whole => "a whole number from 0 on",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Flag => "true or false",
            Self::List => "a list",
        }
    }
}

/// A key of a format.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    name: &'static str,
    kind: Kind,
    is_needed: bool,
}

pub(super) const fn needed(name: &'static str, kind: Kind) -> Key {
    Key {
        name,
        kind,
        is_needed: true,
    }
}

pub(super) const fn optional(name: &'static str, kind: Kind) -> Key {
    Key {
        name,
        kind,
        is_needed: false,
    }
}

/// What is wrong with a line that the parser refused with `error`, if it isn't
/// one of what `of_object` looks for.
pub(super) fn reason(
    error: &serde_json::Error,
    line: &[u8],
    of_object: impl FnOnce(&Object) -> Option<String>,
) -> String {
    let twice = error.to_string();
    let twice = twice.strip_prefix("duplicate field `");
    if let Some((key, _)) = twice.and_then(|rest| rest.split_once('`')) {
        return format!("the key {} is there twice", shown(key));
    }
    match serde_json::from_slice(line) {
        Ok(Value::Object(object)) => of_object(&object)
            .unwrap_or_else(|| format!("column {} doesn't fit the format", error.column())),
        Ok(_) => "it isn't a JSON object".to_owned(),
        Err(error) => syntax(&error),
    }
}

/// What is wrong with something that isn't JSON.
pub(super) fn syntax(error: &serde_json::Error) -> String {
    if error.is_eof() {
        "its JSON breaks off".to_owned()
    } else {
        format!("it isn't valid JSON from column {} on", error.column())
    }
}

/// The first of these keys that is missing or has another kind of value.
pub(super) fn wrong_key(object: &Object, keys: &[Key]) -> Option<String> {
    keys.iter().find_map(|key| {
        let Key {
            name,
            kind,
            is_needed,
        } = *key;
        match object.get(name) {
            None | Some(Value::Null) => is_needed.then(|| format!("{name} is missing")),
            Some(value) if kind.fits(value) => None,
            Some(Value::String(text)) => Some(wrong(name, text, kind)),
            Some(value) => Some(wrong(name, &value.to_string(), kind)),
        }
    })
}

fn wrong(name: &str, value: &str, kind: Kind) -> String {
    format!("{name}: {} is not {}", shown(value), kind.name())
}
