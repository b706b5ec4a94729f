//! Which format a body has, from its first bytes.

/// A format of bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Sse,
    EventStream,
    /// Compressed: somebody has to undo that first.
    Compressed,
    Unknown,
}

/// As many bytes as the longest beginning that is told by its name.
const HELD: usize = 6;

/// Looks at bytes until it is clear what they begin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sniffer {
    held: [u8; HELD],
    len: u8,
    /// Bytes of a byte order mark that were seen.
    mark: u8,
}

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Beginnings of a line of server-sent events.
const SSE_FIELDS: [&[u8]; 5] = [b"data", b"event", b"id", b"retry", b":"];

impl Sniffer {
    /// Takes the next byte; gives the format once it is clear. Then
    /// [`held`](Self::held) is what belongs to the body.
    pub(crate) fn push(&mut self, byte: u8) -> Option<Format> {
        if self.len == 0 {
            let mark = BYTE_ORDER_MARK.get(usize::from(self.mark));
            if mark == Some(&byte) {
                self.mark += 1;
                return None;
            }
            if matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1e) {
                return None;
            }
        }
        if let Some(room) = self.held.get_mut(usize::from(self.len)) {
            *room = byte;
            self.len += 1;
        }
        match self.held() {
            [b'{' | b'[' | b'"' | b'-' | b'0'..=b'9', ..] => Some(Format::Json),
            [0x1f, 0x8b] | [0x28, 0xb5, 0x2f, 0xfd] => Some(Format::Compressed),
            [0x1f] | [0x28] | [0x28, 0xb5] | [0x28, 0xb5, 0x2f] => None,
            // Messages of up to 16 MiB begin with a zero.
            [0, ..] => Some(Format::EventStream),
            held => by_name(held),
        }
    }

    /// The format of a body that ended before that was clear; `None` for an
    /// empty one.
    pub(crate) fn end(&self) -> Option<Format> {
        match self.held() {
            [] => None,
            held if SSE_FIELDS.contains(&held) => Some(Format::Sse),
            b"null" | b"true" | b"false" => Some(Format::Json),
            _ => Some(Format::Unknown),
        }
    }

    /// The bytes that were looked at and belong to the body.
    pub(crate) fn held(&self) -> &[u8] {
        self.held.get(..usize::from(self.len)).unwrap_or_default()
    }
}

fn by_name(held: &[u8]) -> Option<Format> {
    let (Some(last), name) = (held.last(), held.get(..held.len().saturating_sub(1))?) else {
        return None;
    };
    if held == b":" || (SSE_FIELDS.contains(&name) && matches!(last, b':' | b'\r' | b'\n')) {
        return Some(Format::Sse);
    }
    let literals: [&[u8]; 3] = [b"null", b"true", b"false"];
    if literals.contains(&name) && last.is_ascii_whitespace() {
        return Some(Format::Json);
    }
    let mut names = SSE_FIELDS.iter().chain(&literals);
    let may_become_one = names.any(|name| name.starts_with(held));
    (!may_become_one).then_some(Format::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniff(body: &[u8]) -> Option<Format> {
        let mut sniffer = Sniffer::default();
        let found = body.iter().find_map(|byte| sniffer.push(*byte));
        found.or_else(|| sniffer.end())
    }

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let bodies: [(&[u8], Option<Format>); 16] = [
            (b"{", Some(Format::Json)),
            (b"\xef\xbb\xbf \n[", Some(Format::Json)),
            (b"null", Some(Format::Json)),
            (b"data: 1", Some(Format::Sse)),
            (b"\xef\xbb\xbfevent: x", Some(Format::Sse)),
            (b"\r\n\r\n: comment", Some(Format::Sse)),
            (b"retry:5", Some(Format::Sse)),
            (b"id\n", Some(Format::Sse)),
            (b"\0\0\x01", Some(Format::EventStream)),
            (b"\x1f\x8b\x08", Some(Format::Compressed)),
            (b"\x28\xb5\x2f\xfd", Some(Format::Compressed)),
            (b"<html>", Some(Format::Unknown)),
            (b"database", Some(Format::Unknown)),
            (b"upstream connect error", Some(Format::Unknown)),
            (b"", None),
            (b" \n", None),
        ];
        for (body, format) in bodies {
            assert_eq!(sniff(body), format, "{}", String::from_utf8_lossy(body));
        }
    }
}
