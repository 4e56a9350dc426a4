//! Turns what went wrong on the wire into the public [`Error`].

use std::cell::LazyCell;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, LOCATION};
use jiff::Timestamp;
use url::Url;

use super::Head;
use super::request::Request;
use super::retry::AttemptOutcome;
use crate::Error;
use crate::error::{
    BoxError, CallContext, ConnectReason, ErrorBody, ErrorClass, SharedError, SoftDeleted,
    classify, cut, key_named, secret_named,
};
use crate::models::decode::DecodeFailure;
use crate::redact::Scrubber;

/// Where services and the proxies in front of them put a request's identifier.
static REQUEST_ID_HEADERS: [HeaderName; 4] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-correlation-id"),
    HeaderName::from_static("x-amzn-requestid"),
    HeaderName::from_static("cf-ray"),
];
const REQUEST_ID_LIMIT: usize = 128;
const LOCATION_LIMIT: usize = 1024;

/// One attempt that did not succeed.
pub(super) struct Failure {
    pub(super) outcome: AttemptOutcome,
    pub(super) status: Option<u16>,
    pub(super) request_id: Option<Box<str>>,
    pub(super) retry_after: Option<Duration>,
    pub(super) cause: Cause,
    /// What the response was compared with when it was read.
    pub(super) scrubber: Option<Box<Scrubber>>,
    /// Whether it may be due to an `http://` URL that names a TLS port.
    pub(super) may_expect_tls: bool,
}

pub(super) enum Cause {
    Response(ErrorBody),
    Redirect(Option<Box<str>>),
    Connect(ConnectReason, BoxError),
    Wire(BoxError),
    Timeout,
    /// No token could be obtained.
    Credentials(SharedError),
    TooLarge(usize),
    /// With the content type that was received instead of JSON.
    Decode(DecodeFailure, Option<&'static str>),
}

/// What an error says about its call in addition to the failure.
pub(super) struct CallStats {
    pub(super) path: Box<str>,
    pub(super) attempts: u32,
    pub(super) elapsed: Duration,
    pub(super) may_have_been_applied: bool,
    pub(super) may_still_arrive: bool,
    /// When the token that was sent last expired, by this machine's clock.
    pub(super) token_expired: Option<Timestamp>,
}

impl Cause {
    /// Without its URL: the query can hold what the caller looked for.
    pub(super) fn wire(error: reqwest::Error) -> Self {
        Self::Wire(Box::new(error.without_url()))
    }
}

impl Failure {
    /// A failure after a response, or at least its head, arrived.
    pub(super) fn after(head: Head, outcome: AttemptOutcome, cause: Cause) -> Self {
        let Head { status, request_id, .. } = head;
        let status = Some(status);
        Self { status, request_id, ..Self::without_response(outcome, cause) }
    }

    /// A failure to read a successful response.
    pub(super) fn unreadable(head: Head, cause: Cause) -> Self {
        Self::after(head, AttemptOutcome::Unreadable, cause)
    }

    pub(super) fn undecodable(head: Head, failure: DecodeFailure) -> Self {
        let content_type = head.content_type;
        Self::unreadable(head, Cause::Decode(failure, content_type))
    }

    pub(super) fn without_response(outcome: AttemptOutcome, cause: Cause) -> Self {
        Self {
            outcome,
            status: None,
            request_id: None,
            retry_after: None,
            cause,
            scrubber: None,
            may_expect_tls: false,
        }
    }

    pub(super) fn from_wire(error: reqwest::Error, may_expect_tls: bool) -> Self {
        if !error.is_connect() && !error.is_builder() {
            let not_http = may_expect_tls && is_not_http(&error);
            let outcome = if not_http { AttemptOutcome::Unreadable } else { AttemptOutcome::Lost };
            let failure = Self::without_response(outcome, Cause::wire(error));
            return Self { may_expect_tls, ..failure };
        }
        // The URL is removed first: a host, or a name that was looked up, could contain the words
        // of a reason.
        let error = error.without_url();
        let reason = ConnectReason::of(&error, error.is_timeout());
        let never = reason.is_certificate() || reason.is_proxy() || error.is_builder();
        let outcome = if never { AttemptOutcome::Refused } else { AttemptOutcome::NeverSent };
        Self::without_response(outcome, Cause::Connect(reason, Box::new(error)))
    }

    pub(super) fn without_token(error: SharedError) -> Self {
        Self::without_response(AttemptOutcome::NeverSent, Cause::Credentials(error))
    }

    /// Whether the request may still take effect despite this failure.
    pub(super) fn may_still_arrive(&self) -> bool {
        let has_ended = matches!(&self.cause, Cause::Response(body) if body.has_ended(body.status));
        self.outcome.is_unclear() && !has_ended
    }

    pub(super) fn into_error(
        self,
        request: &Request<'_>,
        credentials: &[&str],
        stats: CallStats,
    ) -> Error {
        let scrubber = self.scrubber;
        let scrubber = LazyCell::new(|| {
            scrubber.unwrap_or_else(|| Box::new(request.scrubber(credentials.iter().copied())))
        });
        let context = Box::new(CallContext {
            operation: request.operation,
            path: stats.path,
            status: self.status,
            code: None,
            message: None,
            details: None,
            request_id: self
                .request_id
                .filter(|id| !scrubber.shows(id))
                .map(|id| cut(&id, REQUEST_ID_LIMIT).into()),
            attempts: stats.attempts,
            elapsed: stats.elapsed,
            may_have_been_applied: stats.may_have_been_applied,
            may_still_arrive: stats.may_still_arrive,
            token_expired: stats.token_expired,
            may_expect_tls: self.may_expect_tls,
            edit_wait: None,
        });
        match self.cause {
            Cause::Response(body) => {
                from_response(body, &scrubber, request, self.retry_after, context)
            }
            Cause::Redirect(location) => {
                let location = location
                    .filter(|place| !scrubber.shows(place))
                    .map(|place| cut(&place, LOCATION_LIMIT).into());
                Error::UnexpectedRedirect { location, context }
            }
            Cause::Connect(reason, source) => Error::Connect { reason, context, source },
            Cause::Wire(source) => Error::Transport { context, source },
            Cause::Timeout => Error::Timeout { context },
            Cause::Credentials(source) => Error::Credentials { source },
            Cause::TooLarge(limit) => Error::ResponseTooLarge { limit, context },
            Cause::Decode(DecodeFailure { line, column }, content_type) => {
                Error::Decode { line, column, content_type, context }
            }
        }
    }
}

/// Whether the first bytes of a response were not those of HTTP, such as a TLS alert.
fn is_not_http(error: &dyn std::error::Error) -> bool {
    let mut causes = std::iter::successors(error.source(), |error| error.source());
    causes.any(|cause| cause.to_string() == "invalid HTTP version parsed")
}

/// The text is classified and searched for names as the server sent it; only then is it scrubbed,
/// to be kept.
fn from_response(
    mut body: ErrorBody,
    scrubber: &Scrubber,
    request: &Request<'_>,
    retry_after: Option<Duration>,
    mut context: Box<CallContext>,
) -> Error {
    let class = classify(&body);
    let name = match &class {
        ErrorClass::SoftDeleted { store, .. } => {
            secret_named(&body, store, request.claimed_name, all_keys(request))
        }
        // The server need not say which key it means.
        ErrorClass::KeyNotSupported { .. } => key_named(&body, all_keys(request))
            .or_else(|| all_keys(request).find(|key| key.contains('_')).map(str::to_owned)),
        _ => None,
    };
    body.scrub(scrubber);
    context.code = body.code.map(String::into_boxed_str);
    context.message = body.message.map(String::into_boxed_str);
    context.details = body.details.map(String::into_boxed_str);
    match class {
        ErrorClass::Unauthorized => Error::Unauthorized { context },
        ErrorClass::PermissionDenied => Error::PermissionDenied { context },
        ErrorClass::NotFound => match request.not_found_subject {
            Some((resource, id)) => Error::NotFound { resource, id: id.into(), context },
            None => Error::UnexpectedStatus { context },
        },
        ErrorClass::AlreadyExists => match request.claimed_name {
            Some(name) => Error::AlreadyExists { name: name.into(), context },
            // Something other than a group of this name exists.
            None if body.status == 409 => Error::Conflict { context },
            None => Error::InvalidRequest { problems: body.problems.into(), context },
        },
        ErrorClass::Conflict => Error::Conflict { context },
        ErrorClass::SoftDeleted { store, state } => {
            let details = Box::new(SoftDeleted::new(name, Some(store), state));
            Error::SoftDeleted { details, context }
        }
        ErrorClass::KeyNotSupported { store } => {
            let key = name.unwrap_or_default();
            let suggestion = store.suggest_key(&key).map(String::into_boxed_str);
            let (key, store, context) = (key.into(), Some(Box::new(store)), Some(context));
            Error::KeyNotSupported { key, store, suggestion, context }
        }
        ErrorClass::EmptyGroup => Error::EmptyGroup { context: Some(context) },
        ErrorClass::NoSecretStore => Error::NoSecretStore { kind: None, context: Some(context) },
        ErrorClass::MissingFields => {
            let keys = request.kept_keys.iter().map(|key| (*key).to_owned()).collect();
            Error::MissingFields { keys, context }
        }
        ErrorClass::InvalidRequest => {
            Error::InvalidRequest { problems: body.problems.into(), context }
        }
        ErrorClass::StoreFailed => Error::StoreFailed { context },
        ErrorClass::RateLimited => Error::RateLimited { retry_after, context },
        ErrorClass::Service => Error::Service { context },
        ErrorClass::UnexpectedStatus => Error::UnexpectedStatus { context },
    }
}

fn all_keys<'a>(request: &Request<'a>) -> impl Iterator<Item = &'a str> {
    request.keys.iter().chain(&request.kept_keys).copied()
}

pub(super) fn request_id(headers: &HeaderMap) -> Option<Box<str>> {
    let header = REQUEST_ID_HEADERS.iter().find_map(|name| headers.get(name))?;
    let id = header.to_str().ok()?;
    // This only bounds what is kept. The cut to the final length comes after scrubbing, so that
    // half a value cannot get through.
    Some(id.get(..8 * REQUEST_ID_LIMIT).unwrap_or(id).into())
}

/// Where a redirect points to: scheme, host and path. The query is left out, as is any user name.
pub(super) fn location(headers: &HeaderMap, asked: &Url) -> Option<Box<str>> {
    let target = asked.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    let host = target.host_str().unwrap_or_default();
    let port = target.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{host}{port}{}", target.scheme(), target.path()).into())
}

/// The error of a response that no server sent, for tests of how an application handles it.
#[cfg(feature = "testing")]
pub(crate) fn of_response(
    operation: crate::operation::Operation,
    status: u16,
    body: &str,
) -> Error {
    let request =
        Request::new(operation, "testing").or_not_found(operation.resource(), "").claims_name("");
    let outcome = AttemptOutcome::Responded(status);
    let failure = Failure {
        outcome,
        status: Some(status),
        request_id: None,
        retry_after: None,
        cause: Cause::Response(crate::error::parse(status, None, body.as_bytes())),
        scrubber: None,
        may_expect_tls: false,
    };
    let unclear =
        outcome.is_unclear() && operation.idempotency() != crate::operation::Idempotency::Safe;
    let call = CallStats {
        path: "/testing".into(),
        attempts: 1,
        elapsed: Duration::ZERO,
        may_have_been_applied: unclear,
        may_still_arrive: false,
        token_expired: None,
    };
    failure.into_error(&request, &[], call)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_header_is_too_odd(value in prop_oneof![".{0,80}", "(https?:)?//[^ ]{0,40}", "[/?#.%]{0,30}"]) {
            let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else { return Ok(()) };
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, value.clone());
            headers.insert("x-request-id", value);
            let asked = Url::parse("https://host.example/api").unwrap();
            if let Some(place) = location(&headers, &asked) {
                prop_assert!(!place.contains(['?', '#']), "{}", place);
            }
            prop_assert!(request_id(&headers).is_none_or(|id| id.len() <= 8 * REQUEST_ID_LIMIT));
        }
    }
}
