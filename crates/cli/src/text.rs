//! Names on their way to a screen: visible, and as wide as they look.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

/// A name with everything that would move the cursor, hide or reorder text
/// (control characters, line ends, bidi marks, zero-width characters) written
/// as an escape such as `\n` or `\u{202e}`. A backslash is doubled, so that
/// two names never look alike.
pub(crate) fn visible(name: &str) -> Cow<'_, str> {
    escaped(name, '\\')
}

/// A name in a table or on a line for people: visible, and cut where one long
/// name would make every line long. Other formats have it whole.
pub(crate) fn name(name: &str) -> Cow<'_, str> {
    const LONGEST: usize = 64;
    let visible = visible(name);
    if width(&visible) <= LONGEST {
        return visible;
    }
    Cow::Owned(shorten(&visible, LONGEST).into_owned())
}

/// The same for a sentence: backslashes stay, since a sentence may already
/// quote something.
pub(crate) fn visible_message(message: &str) -> Cow<'_, str> {
    escaped(message, '\0')
}

fn escaped(text: &str, also: char) -> Cow<'_, str> {
    let ordinary = |byte: u8| matches!(byte, b' '..=b'~') && char::from(byte) != also;
    if text.bytes().all(ordinary) {
        return Cow::Borrowed(text);
    }
    let plain = |c: char| is_visible(c) && c != also;
    if text.chars().all(plain) && !text.starts_with(is_mark) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // A mark with nothing to stand on would stand on what is before the
        // name.
        if plain(c) && !(visible.is_empty() && is_mark(c)) {
            visible.push(c);
        } else {
            visible.extend(c.escape_debug());
        }
    }
    Cow::Owned(visible)
}

/// Whether a character shows, and shows where it stands in the text.
pub(crate) fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_graphic() || c == ' ';
    }
    // The standard library knows what is printable; marks it escapes only at
    // the beginning of a string.
    let mut pair = [b'a', 0, 0, 0, 0];
    let end = 1 + c.encode_utf8(&mut pair[1..]).len();
    std::str::from_utf8(&pair[..end]).is_ok_and(|pair| pair.escape_debug().nth(1) == Some(c))
}

/// Whether a character combines with the one before it.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && is_visible(c) && c.escape_debug().next() != Some(c)
}

/// Columns that a text takes on a screen.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.width()
    }
}

/// The text broken between words into lines of at most `columns` columns;
/// a word that is longer has a line of its own, cut.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<Cow<'_, str>> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut end = 0;
    for word in text.split_inclusive(' ') {
        let until = end + word.len();
        if end > start && width(text[start..until].trim_end()) > columns {
            lines.push(shorten(text[start..end].trim_end(), columns));
            start = end;
        }
        end = until;
    }
    lines.push(shorten(text[start..].trim_end(), columns));
    lines
}

/// The text in at most `columns` columns, with an ellipsis where it was cut.
/// The middle goes: model names differ at both ends.
pub(crate) fn shorten(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let Some(room) = columns.checked_sub(1) else {
        return Cow::Borrowed("");
    };
    let head = prefix(text, room.div_ceil(2));
    let tail = suffix(text, room - width(head));
    Cow::Owned(format!("{head}…{tail}"))
}

/// The longest beginning of at most `columns` columns.
pub(crate) fn prefix(text: &str, columns: usize) -> &str {
    let cut = text
        .char_indices()
        .map(|(start, c)| start + c.len_utf8())
        .take_while(|end| width(&text[..*end]) <= columns)
        .last();
    &text[..cut.unwrap_or(0)]
}

fn suffix(text: &str, columns: usize) -> &str {
    let cut = text
        .char_indices()
        .rev()
        .map(|(start, _)| start)
        .take_while(|start| width(&text[*start..]) <= columns)
        .last();
    &text[cut.unwrap_or(text.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay() {
        for name in [
            "gpt-4o",
            "anthropic/claude \"3\"",
            "o'hara",
            "=1+2",
            "模型",
            "naïve",
            "🦙 2",
        ] {
            assert_eq!(visible(name), name);
        }
    }

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(visible("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(visible("\u{1b}[31mred\0\u{7f}"), "\\u{1b}[31mred\\0\\u{7f}");
        assert_eq!(visible("\u{202e}evil\u{200b}"), "\\u{202e}evil\\u{200b}");
        assert_eq!(visible("a\u{85}b\u{2028}c"), "a\\u{85}b\\u{2028}c");
        assert_eq!(visible("\u{feff}bom"), "\\u{feff}bom");
    }

    #[test]
    fn one_long_name_does_not_make_every_line_long() {
        assert_eq!(name("gpt-4o\n"), "gpt-4o\\n");
        let long = format!("{}-end", "模".repeat(80));
        assert!(width(&name(&long)) <= 64, "{}", name(&long));
        assert!(name(&long).ends_with("-end"));
    }

    #[test]
    fn an_escape_cannot_be_forged() {
        assert_ne!(visible("a\\nb"), visible("a\nb"));
        assert_eq!(visible("a\\nb"), "a\\\\nb");
        assert_eq!(visible_message("\"a\\nb\"\n"), "\"a\\nb\"\\n");
    }

    #[test]
    fn marks_stay_on_their_letter() {
        assert_eq!(visible("e\u{301}"), "e\u{301}");
        assert_eq!(visible("\u{301}e"), "\\u{301}e");
        assert_eq!(visible("模e\u{301}"), "模e\u{301}");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three", 80), ["one two three"]);
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two three", 4), ["one", "two", "th…e"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn shortened_texts_fit() {
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(shorten("abcdefgh", 5), "ab…gh");
        assert_eq!(shorten("abcdefgh", 4), "ab…h");
        assert_eq!(shorten("abc", 1), "…");
        assert_eq!(shorten("abc", 0), "");
        for columns in 0..12 {
            let cut = shorten("模型模型模型abc", columns);
            assert!(width(&cut) <= columns, "{cut} in {columns}");
        }
    }
}
