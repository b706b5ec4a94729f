//! Headers that concern one connection, and not the next.

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue};

const OF_ONE_HOP: [HeaderName; 9] = [
    CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Removes what concerns the connection that a message came on.
pub(super) fn leave_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect();
    if headers.contains_key(TRANSFER_ENCODING) {
        // What the sender said beside it isn't how long the body is.
        headers.remove(CONTENT_LENGTH);
    }
    for name in OF_ONE_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

/// Makes a client's headers those of a request to an upstream.
pub(super) fn for_upstream(headers: &mut HeaderMap, key: Option<&(HeaderName, HeaderValue)>) {
    leave_hop(headers);
    // The upstream's own is put there; what a client waits for is answered
    // when its body is read.
    headers.remove(HOST);
    headers.remove(EXPECT);
    if let Some((name, value)) = key {
        for other in ["authorization", "x-api-key", "api-key", "x-goog-api-key"] {
            headers.remove(other);
        }
        headers.insert(name.clone(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_concerns_the_hop_is_left_out() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, X-Own,,;"),
            ("content-length", "5"),
            ("keep-alive", "timeout=5"),
            ("x-own", "1"),
            ("transfer-encoding", "chunked"),
            ("te", "trailers"),
            ("content-type", "application/json"),
            ("authorization", "Bearer client"),
            ("x-api-key", "client"),
            ("host", "gateway"),
            ("expect", "100-continue"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let key = (
            HeaderName::from_static("x-api-key"),
            HeaderValue::from_static("ours"),
        );
        let mut without_key = headers.clone();
        for_upstream(&mut without_key, None);
        let mut names: Vec<_> = without_key.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "content-type", "x-api-key"]);
        for_upstream(&mut headers, Some(&key));
        assert_eq!(headers["x-api-key"], "ours");
        assert!(!headers.contains_key("authorization"));
    }
}
