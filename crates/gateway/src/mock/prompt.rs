//! How long a prompt is: the bytes of its text, wherever they are in it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Bytes of text that are one token.
const BYTES_PER_TOKEN: u64 = 4;

/// Text in a request: a string, a list of strings or tokens, or messages with
/// parts. It is measured while it is read, and not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    bytes: u64,
    /// Entries of the outermost list that aren't tokens.
    items: u64,
    /// Whether it is a token that was made before.
    is_token: bool,
}

impl Text {
    const TOKEN: Self = Self {
        bytes: BYTES_PER_TOKEN,
        items: 0,
        is_token: true,
    };

    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            items: self.items.saturating_add(other.items),
            is_token: false,
        }
    }

    /// One token for each four bytes begun, and one at least.
    pub(super) fn tokens(self) -> u64 {
        self.bytes.div_ceil(BYTES_PER_TOKEN).max(1)
    }

    /// How many texts it is: the entries of a list, else one.
    pub(super) fn texts(self) -> u64 {
        self.items.max(1)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, or a list of texts or messages")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text {
            bytes: text.len() as u64,
            ..Text::default()
        })
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
        Ok(Text::TOKEN)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
        Ok(Text::TOKEN)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
        Ok(Text::TOKEN)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
        Ok(Text::default())
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
        let mut all = Text::default();
        while let Some(entry) = list.next_element::<Text>()? {
            all.bytes = all.bytes.saturating_add(entry.bytes);
            all.items += u64::from(!entry.is_token);
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        let mut all = Text::default();
        while let Some(Key { holds_text }) = map.next_key()? {
            if holds_text {
                let text: Text = map.next_value()?;
                all.bytes = all.bytes.saturating_add(text.bytes);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(all)
    }
}

/// A key of a message or a part.
struct Key {
    holds_text: bool,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                Ok(Key {
                    holds_text: matches!(key, "content" | "text"),
                })
            }
        }

        from.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> Text {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn text_is_measured_wherever_it_is() {
        assert_eq!(text("\"\"").tokens(), 1);
        assert_eq!(text("\"12345\"").tokens(), 2);
        assert_eq!(text("null").tokens(), 1);
        let messages = r#"[
            {"role": "system", "content": "12345678"},
            {"role": "user", "content": [
                {"type": "text", "text": "1234"},
                {"type": "image_url", "image_url": {"url": "data:not,counted"}},
                {"type": "tool_result", "content": [{"type": "text", "text": "\u00e412"}]}
            ]}
        ]"#;
        assert_eq!(text(messages).tokens(), 4);
    }

    #[test]
    fn inputs_are_counted_and_tokens_are_one_input() {
        assert_eq!(text("\"one\"").texts(), 1);
        assert_eq!(text(r#"["one", "two", "three"]"#).texts(), 3);
        let tokens = text("[1, 2, 3]");
        assert_eq!((tokens.texts(), tokens.tokens()), (1, 3));
        let lists = text("[[1, 2], [3]]");
        assert_eq!((lists.texts(), lists.tokens()), (2, 3));
    }
}
