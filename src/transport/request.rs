//! One request, described without any I/O.

use std::fmt::Write as _;

use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, PercentEncode, utf8_percent_encode};
use url::Url;

use crate::operation::{Operation, Resource};
use crate::redact::Scrubber;
use crate::secret_value::SecretValue;
use crate::{Error, Result};

/// Everything that has a meaning in a path, a query or a log line, and what `url` would rewrite.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'&')
    .add(b'+')
    .add(b',')
    .add(b';')
    .add(b'=');

/// A request of the API: what the resource modules build and [`super::Transport`] sends.
pub(crate) struct Request<'a> {
    pub(crate) operation: Operation,
    pub(crate) path: String,
    /// What a 404 means for this request; `None` if it means that the endpoint is missing.
    pub(crate) not_found_subject: Option<(Resource, &'a str)>,
    /// The group's name that the request claims, for [`Error::AlreadyExists`].
    pub(crate) claimed_name: Option<&'a str>,
    pub(crate) query: Option<Query>,
    pub(crate) body: Option<Bytes>,
    /// Values that this call, or the operation that it is part of, sends: no text of a response may show them.
    pub(crate) values: Vec<&'a SecretValue>,
    /// Keys that are sent with a value, for [`Error::KeyNotSupported`].
    pub(crate) keys: Vec<&'a str>,
    /// Keys that are sent without a value, for [`Error::MissingFields`].
    pub(crate) kept_keys: Vec<&'a str>,
    /// Whether it is never retried here, because its caller retries later.
    pub(crate) single_attempt: bool,
}

impl<'a> Request<'a> {
    pub(crate) fn new(operation: Operation, collection: &'static str) -> Self {
        let mut path = String::with_capacity(64);
        path.push('/');
        path.push_str(collection);
        Self {
            operation,
            path,
            not_found_subject: None,
            claimed_name: None,
            query: None,
            body: None,
            values: Vec::new(),
            keys: Vec::new(),
            kept_keys: Vec::new(),
            single_attempt: false,
        }
    }

    /// Appends an identifier as one path segment.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an identifier that could name another endpoint.
    pub(crate) fn id(mut self, id: &'a str) -> Result<Self> {
        self.path.push('/');
        // The service's own identifiers look like this and need neither a check nor an escape.
        if !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            self.path.push_str(id);
        } else {
            check_segment(id)?;
            let _ = write!(self.path, "{}", segment(id));
        }
        let resource = self.operation.resource();
        Ok(self.or_not_found(resource, id))
    }

    pub(crate) fn child(mut self, name: &'static str) -> Self {
        self.path.push('/');
        self.path.push_str(name);
        self
    }

    pub(crate) fn or_not_found(mut self, resource: Resource, id: &'a str) -> Self {
        self.not_found_subject = Some((resource, id));
        self
    }

    pub(crate) fn or_not_found_some(mut self, resource: Resource, id: Option<&'a str>) -> Self {
        self.not_found_subject = id.map(|id| (resource, id));
        self
    }

    pub(crate) fn claims_name(mut self, group_name: &'a str) -> Self {
        self.claimed_name = Some(group_name);
        self
    }

    pub(crate) fn query(mut self, query: Query) -> Self {
        self.query = Some(query);
        self
    }

    pub(crate) fn body(mut self, body: Bytes) -> Self {
        self.body = Some(body);
        self
    }

    /// A scrubber for the values and these credentials, which no text of a response may show.
    pub(crate) fn scrubber<'s>(&self, credentials: impl Iterator<Item = &'s str>) -> Scrubber
    where
        'a: 's,
    {
        Scrubber::new(self.values.iter().map(|value| value.expose_secret()).chain(credentials))
    }

    /// `base` with this request's path and query.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the `url` crate would send another path than the one built here.
    pub(crate) fn url(&self, base: &Url) -> Result<Url> {
        let mut url = base.clone();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'/';
        if self.path.bytes().all(is_plain) {
            // Nothing in it has to be escaped, and the base's own path need not be read again.
            if let Ok(mut segments) = url.path_segments_mut() {
                segments.extend(self.path.split('/').skip(1));
            }
        } else {
            url.set_path(&[base.path(), &self.path].concat());
        }
        if url.path().strip_prefix(base.path()) != Some(&self.path) {
            return Err(Error::invalid_input("identifier", "it would change the request's path"));
        }
        // An empty query is still a `?` on the wire.
        let query = self.query.as_ref().filter(|query| !query.0.is_empty());
        url.set_query(query.map(|query| query.0.as_str()));
        Ok(url)
    }
}

/// An identifier as it appears in a path.
pub(super) fn segment(id: &str) -> PercentEncode<'_> {
    utf8_percent_encode(id, SEGMENT)
}

fn check_segment(id: &str) -> Result<()> {
    let refuse = |reason: &'static str| Err(Error::invalid_input("identifier", reason));
    if id.is_empty() {
        return refuse("it is empty");
    }
    if id.chars().any(char::is_control) {
        return refuse("it has a control character");
    }
    // A proxy may decode `%2e` and `%2f` before it looks for dot segments.
    let decoded = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
    if decoded.split(['/', '\\']).any(|part| part == "." || part == "..") {
        return refuse("it has a dot segment, which could name another endpoint");
    }
    Ok(())
}

/// A query string that is built in order.
#[derive(Clone, Default)]
pub(crate) struct Query(String);

impl Query {
    pub(crate) fn with(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        let value = value.to_string();
        let encoded = utf8_percent_encode(&value, SEGMENT);
        let _ = write!(self.0, "{name}={encoded}");
        self
    }

    pub(crate) fn with_some(
        self,
        name: &'static str,
        value: Option<impl std::fmt::Display>,
    ) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Url {
        Url::parse("https://host.example/prefix/api/svc/v1").unwrap()
    }

    proptest! {
        #[test]
        fn no_identifier_changes_which_endpoint_is_called(id in any::<String>()) {
            let request = Request::new(Operation::GetSecret, "secrets");
            if let Ok(request) = request.id(&id) {
                let url = request.url(&base()).unwrap();
                let segments: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(&segments[..5], ["prefix", "api", "svc", "v1", "secrets"]);
                prop_assert_eq!(segments.len(), 6);
                let back = percent_encoding::percent_decode_str(segments[5]).decode_utf8().unwrap();
                prop_assert_eq!(back, id.as_str());
                prop_assert_eq!(url.query(), None);
                prop_assert_eq!(url.fragment(), None);
            }
        }

        #[test]
        fn a_query_value_comes_back_as_it_was(value in any::<String>()) {
            let query = Query::default().with("limit", 1).with("search", &value);
            let url = Request::new(Operation::ListSecretGroups, "secret-groups")
                .query(query).url(&base()).unwrap();
            let pairs: Vec<_> = url.query_pairs().into_owned().collect();
            let expected = vec![("limit".to_owned(), "1".to_owned()), ("search".to_owned(), value)];
            prop_assert_eq!(pairs, expected);
        }
    }

    #[test]
    fn what_could_name_another_endpoint_is_refused() {
        for id in [
            "",
            ".",
            "..",
            "%2e",
            "%2E%2e",
            ".%2e",
            "../users",
            "a%2F..\\b",
            "a\nb",
            "a\tb",
            "\0",
            "\u{85}",
        ] {
            let refused = Request::new(Operation::GetSecret, "secrets").id(id);
            assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{id:?}");
        }
        for id in ["...", "a..b", "a/b", "%2f", "users?x=y#z", "é ☃"] {
            let request = Request::new(Operation::GetSecret, "secrets").id(id).unwrap();
            assert!(request.url(&base()).is_ok(), "{id:?}");
        }
    }
}
