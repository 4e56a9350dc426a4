//! What a response is, if it is not JSON.

/// What proxies, login pages and file servers send. The header is the server's own text, so that no other text
/// than these is shown.
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
    // Nearly always, and then nothing has to be looked up.
    if content_type.starts_with("application/json") {
        return None;
    }
    let named = content_type.split(';').next()?.trim();
    KNOWN.into_iter().find(|known| named.eq_ignore_ascii_case(known))
}
