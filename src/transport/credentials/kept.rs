//! The token in use, ready to be sent.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use jiff::Timestamp;
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::{Claims, Token};
use crate::secret_value::SecretValue;
use crate::wipe::Zeroizing;

const SCHEME: &str = "Bearer ";
/// If less time than this is left, the source is asked for the next token: a request that waits for
/// its turn, or a clock that is off, must not send a token that has just expired.
const MIN_LEFT: Duration = Duration::from_secs(120);
/// The shortest time between two requests for a token, whatever the token says: even with a wrong
/// clock, the source must not be asked on every call.
const MIN_PAUSE: Duration = Duration::from_secs(10);

/// A token with the headers of a request. Nothing else in this crate keeps a copy of it.
///
/// The clock of these times may stop while the machine sleeps; the server's 401 then shows that the
/// token has expired.
pub(crate) struct KeptToken {
    headers: HeaderMap,
    /// From its claims; read once, because look-ups by name use it.
    tenant: Option<Arc<str>>,
    expires_at: Option<Instant>,
    /// When to ask the source again; `None` if only after a 401.
    ask_at: Option<Instant>,
}

impl KeptToken {
    /// `common` is what a request carries in addition to the token.
    ///
    /// # Errors
    /// What is wrong with the token, without quoting it.
    pub(super) fn new(common: &HeaderMap, token: &Token) -> Result<Self, &'static str> {
        let mut headers = common.clone();
        headers.insert(AUTHORIZATION, bearer(token.value())?);
        let now = Instant::now();
        let left = token.expires_at.map(|time| {
            Duration::try_from(time.duration_since(Timestamp::now())).unwrap_or_default()
        });
        let until_refresh = left.map(|left| left.saturating_sub(MIN_LEFT).max(MIN_PAUSE));
        let next = until_refresh.into_iter().chain(token.recheck_after).min();
        let claims = Claims::of(token.value().expose_secret());
        Ok(Self {
            headers,
            tenant: claims.and_then(|claims| claims.tenant().map(Into::into)),
            // A time too far away to represent never comes.
            expires_at: left.and_then(|left| now.checked_add(left)),
            ask_at: next.and_then(|next| now.checked_add(next)),
        })
    }

    /// The same token, after the source could not give another one.
    pub(super) fn asked_in_vain(&self) -> Self {
        let ask_at = Instant::now().checked_add(MIN_PAUSE);
        Self {
            headers: self.headers.clone(),
            tenant: self.tenant.clone(),
            expires_at: self.expires_at,
            ask_at,
        }
    }

    /// What a request carries.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The token itself.
    pub(crate) fn text(&self) -> &str {
        let header = self.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let text = header.and_then(|header| std::str::from_utf8(header).ok());
        text.and_then(|text| text.strip_prefix(SCHEME)).unwrap_or_default()
    }

    pub(crate) fn tenant(&self) -> Option<Arc<str>> {
        self.tenant.clone()
    }

    /// When it expired, according to its claims; `None` if they do not say, or if it has not
    /// expired.
    pub(crate) fn expired_at(&self) -> Option<Timestamp> {
        Claims::of(self.text())?.expires_at().filter(|time| *time <= Timestamp::now())
    }

    pub(super) fn is_due(&self) -> bool {
        self.ask_at.is_some_and(|time| time <= Instant::now())
    }

    pub(super) fn is_good(&self) -> bool {
        self.expires_at.is_none_or(|time| Instant::now() < time)
    }

    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.text().as_bytes().ct_eq(other.text().as_bytes()).into()
    }
}

/// `Bearer <token>`.
///
/// # Errors
/// What is wrong with the token, without quoting it.
fn bearer(token: &SecretValue) -> Result<HeaderValue, &'static str> {
    let text = token.expose_secret().as_bytes();
    if text.is_empty() {
        return Err("is empty");
    }
    if text.iter().any(u8::is_ascii_control) {
        return Err("contains a control character, such as the line break at the end of a file");
    }
    if !text.iter().all(u8::is_ascii_graphic) {
        return Err("contains whitespace or non-ASCII characters");
    }
    sensitive(SCHEME, token).ok_or("contains a character not allowed in an HTTP header")
}

/// A header's value, in a buffer that is wiped when the last request is dropped; `None` if it is
/// not valid in a header.
pub(crate) fn sensitive(scheme: &str, secret: &SecretValue) -> Option<HeaderValue> {
    let text = secret.expose_secret();
    let mut header = Zeroizing::new(Vec::with_capacity(scheme.len() + text.len()));
    header.extend_from_slice(scheme.as_bytes());
    header.extend_from_slice(text.as_bytes());
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(header)).ok()?;
    value.set_sensitive(true);
    Some(value)
}
