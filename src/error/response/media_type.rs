//! The content type of a response that is not JSON.

/// What proxies, login pages and file servers send. The header is the server's own text, so no
/// other type is shown.
const KNOWN: [&str; 9] = [
    "text/html",
    "text/plain",
    "text/xml",
    "text/css",
    "text/javascript",
    "application/xhtml+xml",
    "application/xml",
    "application/javascript",
    "application/octet-stream",
];

/// The type that the header's value names, without its parameters.
pub(crate) fn other_than_json(content_type: &str) -> Option<&'static str> {
    // The usual case, which needs no look-up.
    if content_type.starts_with("application/json") {
        return None;
    }
    let named = content_type.split(';').next()?.trim();
    KNOWN.into_iter().find(|known| named.eq_ignore_ascii_case(known))
}
