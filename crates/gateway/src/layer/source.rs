//! Where a request says whose it is.

use std::fmt;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

/// Headers in which providers' clients send their keys, beside
/// `authorization`.
const KEYS: [HeaderName; 3] = [
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

const BEARER: &[u8] = b"bearer";

/// Bytes of a key's hash that are kept: 64 bits tell any number of tenants
/// apart and give nothing away.
const HASHED: usize = 8;

type Function = dyn Fn(&Parts) -> Option<String> + Send + Sync;

/// Where a tenant's or a model's name is taken from.
///
/// ```
/// use quipu_gateway::layer::Source;
///
/// // The header where there is one, else the key, hashed.
/// let tenant = Source::header("x-tenant").or(Source::key_hash());
/// ```
#[derive(Clone)]
pub struct Source {
    first: Way,
    /// Where the first has nothing.
    others: Vec<Way>,
}

#[derive(Clone)]
enum Way {
    Fixed(String),
    /// No header has a name that isn't one.
    Header(Option<HeaderName>),
    KeyHash,
    Segment(usize),
    Field(String),
    Function(Arc<Function>),
}

/// What a source says before the body is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Numbers of the fields of the request's body that decide, the first first.
    pub(super) fields: SmallVec<[usize; 2]>,
    /// The name where they are not there.
    pub(super) name: Option<String>,
}

impl Source {
    const fn of(first: Way) -> Self {
        Self {
            first,
            others: Vec::new(),
        }
    }

    /// Always this name.
    #[must_use]
    pub fn fixed(name: impl Into<String>) -> Self {
        Self::of(Way::Fixed(name.into()))
    }

    /// A header's value; one that is not ASCII is none.
    #[must_use]
    pub fn header(name: impl Into<String>) -> Self {
        Self::of(Way::Header(HeaderName::try_from(name.into()).ok()))
    }

    /// A hash of the key that the client sends (`authorization`, `x-api-key`,
    /// `api-key`, `x-goog-api-key`): `key-` and the first 16 hexadecimal digits
    /// of its SHA-256. Names the client without giving its key away.
    #[must_use]
    pub const fn key_hash() -> Self {
        Self::of(Way::KeyHash)
    }

    /// A segment of the path, 0 for the first: of `/acme/v1/messages`, 0 is
    /// `acme`.
    #[must_use]
    pub const fn path_segment(segment: usize) -> Self {
        Self::of(Way::Segment(segment))
    }

    /// A string in the request's JSON body, by its path with dots:
    /// `metadata.user_id`, `model`. It is read while the body passes; at most
    /// seven steps and 256 bytes.
    #[must_use]
    pub fn json(path: impl Into<String>) -> Self {
        Self::of(Way::Field(path.into()))
    }

    /// Whatever this function finds in the request's head. It must be quick and
    /// must not wait.
    #[must_use]
    pub fn with(find: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::of(Way::Function(Arc::new(find)))
    }

    /// Asks `other` where this has nothing.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.others.push(other.first);
        self.others.extend(other.others);
        self
    }

    fn ways(&self) -> impl Iterator<Item = &Way> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Paths of fields that may be asked for.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.ways().filter_map(|way| match way {
            Way::Field(path) => Some(&**path),
            _ => None,
        })
    }

    /// What the request's head says. `field` gives the number of a field of the
    /// body.
    pub(super) fn find(&self, head: &Parts, field: impl Fn(&str) -> Option<usize>) -> Found {
        let mut found = Found::default();
        for way in self.ways() {
            let name = match way {
                Way::Fixed(name) => Some(name.clone()),
                Way::Header(name) => text(name.as_ref().and_then(|name| head.headers.get(name))),
                Way::KeyHash => key(head).map(hashed),
                Way::Segment(segment) => segment_of(head.uri.path(), *segment),
                Way::Function(find) => find(head),
                Way::Field(path) => {
                    found.fields.extend(field(path));
                    None
                }
            };
            found.name = name.filter(|name| !name.is_empty());
            if found.name.is_some() {
                break;
            }
        }
        found
    }
}

fn text(value: Option<&HeaderValue>) -> Option<String> {
    let text = value?.to_str().ok()?.trim();
    Some(text.to_owned())
}

fn key(head: &Parts) -> Option<&[u8]> {
    let of = |name: &HeaderName| head.headers.get(name).map(HeaderValue::as_bytes);
    let bearer = of(&AUTHORIZATION).map(|value| {
        let (scheme, key) = value.split_at(value.len().min(BEARER.len()));
        if scheme.eq_ignore_ascii_case(BEARER) {
            key
        } else {
            value
        }
    });
    let found = bearer.or_else(|| KEYS.iter().find_map(of))?;
    let found = found.trim_ascii();
    (!found.is_empty()).then_some(found)
}

fn hashed(key: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let mut name = String::with_capacity("key-".len() + 2 * HASHED);
    name.push_str("key-");
    for byte in Sha256::digest(key).iter().take(HASHED) {
        name.push(DIGITS[usize::from(byte >> 4)]);
        name.push(DIGITS[usize::from(byte & 15)]);
    }
    name
}

fn segment_of(path: &str, segment: usize) -> Option<String> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.nth(segment).map(str::to_owned)
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ways()).finish()
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(name) => write!(f, "fixed {name:?}"),
            Self::Header(Some(name)) => write!(f, "header {name:?}"),
            Self::Header(None) => f.write_str("no header"),
            Self::KeyHash => f.write_str("hash of the key"),
            Self::Segment(segment) => write!(f, "segment {segment} of the path"),
            Self::Field(path) => write!(f, "field {path:?}"),
            Self::Function(_) => f.write_str("a function"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(build: impl FnOnce(http::request::Builder) -> http::request::Builder) -> Parts {
        let request = build(http::Request::builder()).body(()).unwrap();
        request.into_parts().0
    }

    fn name(source: &Source, head: &Parts) -> Option<String> {
        source.find(head, |_| None).name
    }

    #[test]
    fn a_key_is_the_same_tenant_in_whichever_header_it_comes() {
        let source = Source::key_hash();
        let bearer = head(|it| it.header("authorization", "Bearer sk-123"));
        // echo -n sk-123 | sha256sum
        let found = name(&source, &bearer).unwrap();
        assert_eq!(found, "key-acb42a4fa3d3621a");
        for (header, value) in [
            ("authorization", "bearer  sk-123 "),
            ("x-api-key", "sk-123"),
            ("api-key", "sk-123"),
            ("x-goog-api-key", "sk-123"),
        ] {
            let other = head(|it| it.header(header, value));
            assert_eq!(name(&source, &other), Some(found.clone()), "{header}");
        }
        for nothing in ["", "Bearer ", "Bearer"] {
            let head = head(|it| it.header("authorization", nothing));
            assert_eq!(name(&source, &head), None, "{nothing:?}");
        }
        let other = head(|it| it.header("x-api-key", "sk-124"));
        assert_ne!(name(&source, &other).unwrap(), found);
    }

    #[test]
    fn sources_are_asked_in_order() {
        let source = Source::header("x-team")
            .or(Source::path_segment(1))
            .or(Source::with(|head| head.uri.query().map(str::to_owned)))
            .or(Source::fixed("nobody"));
        let cases = [
            (head(|it| it.uri("/a/b").header("X-Team", " red ")), "red"),
            (head(|it| it.uri("/a/b").header("x-team", "")), "b"),
            (head(|it| it.uri("/a/?q").header("x-team", "\u{e9}")), "q"),
            (head(|it| it.uri("/")), "nobody"),
        ];
        for (head, expected) in cases {
            assert_eq!(name(&source, &head).as_deref(), Some(expected));
        }
    }

    #[test]
    fn fields_are_asked_for_only_where_nothing_goes_before() {
        let source = Source::header("x-team")
            .or(Source::json("user"))
            .or(Source::fixed("x"));
        let fields: Vec<_> = source.fields().collect();
        assert_eq!(fields, ["user"]);
        let number = |path: &str| (path == "user").then_some(3);
        let found = source.find(&head(|it| it), number);
        assert_eq!(
            (&found.fields[..], found.name.as_deref()),
            (&[3][..], Some("x"))
        );
        let found = source.find(&head(|it| it.header("x-team", "red")), number);
        assert_eq!(
            (&found.fields[..], found.name.as_deref()),
            (&[][..], Some("red"))
        );
    }
}
