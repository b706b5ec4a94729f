//! Fields of a request's body, read while it passes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::{SmallVec, smallvec};

use super::source::Source;
use crate::json::{Bare, Node, Paths, Scanner, Sink};

/// The fields that sources ask for.
#[derive(Debug, Default)]
pub(super) struct Fields {
    paths: Arc<Paths>,
    fields: Vec<(String, Node)>,
}

impl Fields {
    pub(super) fn of<'a>(sources: impl IntoIterator<Item = &'a Source>) -> Self {
        let mut paths = Paths::default();
        let mut fields: Vec<(String, Node)> = Vec::new();
        for path in sources.into_iter().flat_map(Source::fields) {
            if !fields.iter().any(|(known, _)| known == path) {
                fields.push((path.to_owned(), paths.add(path)));
            }
        }
        Self {
            paths: Arc::new(paths),
            fields,
        }
    }

    /// The number of a field.
    pub(super) fn number(&self, path: &str) -> Option<usize> {
        self.fields.iter().position(|(known, _)| known == path)
    }

    /// Begins to read a body.
    pub(super) fn reader(self: &Arc<Self>) -> FieldReader {
        FieldReader(Arc::new(Mutex::new(Reader {
            scanner: Scanner::new(Arc::clone(&self.paths)),
            sink: Collector {
                fields: Arc::clone(self),
                values: smallvec![None; self.fields.len()],
                left: self.fields.len(),
            },
        })))
    }
}

/// Reads one body; shared with the call, which ends later than the body.
#[derive(Clone, Debug)]
pub(super) struct FieldReader(Arc<Mutex<Reader>>);

#[derive(Debug)]
struct Reader {
    scanner: Scanner<Arc<Paths>>,
    sink: Collector,
}

#[derive(Debug)]
struct Collector {
    fields: Arc<Fields>,
    values: SmallVec<[Option<String>; 2]>,
    left: usize,
}

impl FieldReader {
    fn lock(&self) -> MutexGuard<'_, Reader> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next bytes; `false` where no more are needed.
    pub(super) fn push(&self, bytes: &[u8]) -> bool {
        let Reader { scanner, sink } = &mut *self.lock();
        scanner.push(bytes, sink);
        sink.left > 0 && !scanner.is_broken() && scanner.documents() == 0
    }

    /// The value of the field with this number, if it was there so far.
    pub(super) fn value(&self, number: usize) -> Option<String> {
        self.lock().sink.values.get(number)?.clone()
    }
}

impl Sink for Collector {
    fn open(&mut self, _: Node) {}

    fn close(&mut self, _: Node) {}

    fn bare(&mut self, _: Node, _: Bare) {}

    fn string(&mut self, node: Node, value: Option<&[u8]>) {
        let value = value.filter(|value| !value.is_empty());
        let mut fields = self.fields.fields.iter();
        let Some(number) = fields.position(|(_, known)| *known == node) else {
            return;
        };
        if let (Some(place @ None), Some(value)) = (self.values.get_mut(number), value) {
            *place = Some(String::from_utf8_lossy(value).into_owned());
            self.left -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields `model` and `metadata.user_id` of a body that comes in pieces
    /// of this size, and how many bytes were wanted.
    fn read(body: &str, piece: usize) -> ([Option<String>; 2], usize) {
        let sources = [
            Source::json("model"),
            Source::json("metadata.user_id").or(Source::json("model")),
        ];
        let fields = Arc::new(Fields::of(&sources));
        assert_eq!(fields.number("metadata.user_id"), Some(1));
        let reader = fields.reader();
        let mut wanted = 0;
        for piece in body.as_bytes().chunks(piece) {
            wanted += piece.len();
            if !reader.push(piece) {
                break;
            }
        }
        ([reader.value(0), reader.value(1)], wanted)
    }

    #[test]
    fn fields_are_found_however_the_body_is_cut() {
        let body = r#" {"messages": [{"model": "no", "x": {"user_id": "no"}}], "model":
            "gpt-4\u006f", "metadata": {"user_id": "üser", "more": 1}, "rest": "…"}"#;
        for piece in 1..body.len() {
            let ([model, user], _) = read(body, piece);
            assert_eq!(model.as_deref(), Some("gpt-4o"), "{piece}");
            assert_eq!(user.as_deref(), Some("üser"), "{piece}");
        }
        let (_, wanted) = read(body, 1);
        assert!(wanted < body.len() - 20, "it stops when all is found");
    }

    #[test]
    fn what_is_no_string_is_not_found_and_other_bodies_end_the_search() {
        let body = r#"{"model": 7, "metadata": {"user_id": null}} {"model": "second"}"#;
        let ([model, user], wanted) = read(body, 1);
        assert_eq!((model, user), (None, None));
        assert_eq!(wanted, body.find("} {").unwrap() + 1);
        let long = format!(r#"{{"model": "{}", "metadata": 3}}"#, "m".repeat(300));
        assert_eq!(read(&long, 7).0, [None, None]);
        let (_, wanted) = read("--boundary\r\nContent-Disposition: form-data", 1);
        assert!(wanted < 20, "{wanted}");
    }
}
