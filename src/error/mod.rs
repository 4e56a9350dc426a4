//! The crate's errors: variants for programs to match on, and texts and hints for people.

mod connect;
mod context;
mod debug;
mod hint;
mod predicates;
mod recovery;
mod response;

pub use connect::ConnectReason;
pub use context::CallContext;
pub use recovery::{RecoveryOption, SoftDeleteState, SoftDeleted};
pub(crate) use response::{
    ErrorBody, ErrorClass, classify, cut, key_named, other_than_json, parse, secret_named,
    stated_failure,
};

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::models::SecretRef;
use crate::operation::Resource;
use crate::redact::{Escaped, List, Named, Quoted, Wait};
use crate::stores::SecretStoreKind;

/// The result of this crate's methods.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of all methods of this crate, with one variant for each kind of failure.
///
/// `Display` is one line that stands alone; [`hint`](Self::hint) is the next step in a sentence or two. `{:?}` is
/// both on one line, which is what a `main` that returns this crate's [`Result`] prints; `{:#?}` is the
/// structure. The cause, if another library reported one, is in [`source`](std::error::Error::source) only
/// (its type is not part of the stable API). No error text contains a secret value or the API key.
///
/// ```
/// # async fn f(client: truefoundry_secrets::Client) -> Result<(), truefoundry_secrets::Error> {
/// use truefoundry_secrets::Error;
///
/// match client.secret_groups().get_by_name("prod-secrets").await {
///     Ok(group) => println!("{}", group.id()),
///     Err(Error::NotFound { .. }) => println!("it does not exist yet"),
///     Err(Error::RateLimited { retry_after, .. }) => println!("retry in {retry_after:?}"),
///     Err(error) => {
///         eprintln!("{error}\nhint: {}", error.hint());
///         return Err(error);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting of the client is missing or invalid. Nothing was written.
    #[error("{setting} {reason}")]
    #[non_exhaustive]
    Config {
        /// The setting, as the builder or the environment names it.
        setting: &'static str,
        /// What is wrong with it, such as `is not set`; never the key itself.
        reason: Cow<'static, str>,
    },

    /// An argument is invalid, or does not match what was read. Nothing was written.
    #[error("invalid {what}: {reason}")]
    #[non_exhaustive]
    InvalidInput {
        /// The argument.
        what: Cow<'static, str>,
        /// What is wrong with it; never a value.
        reason: Cow<'static, str>,
    },

    /// No token could be obtained from the client's [`Credentials`](crate::Credentials), either the
    /// first one or one to replace a token that the server rejected. Nothing was written.
    #[error("cannot obtain a token for the control plane")]
    #[non_exhaustive]
    Credentials {
        /// Why, as the source of credentials reports it.
        source: SharedError,
    },

    /// 401: the API key is missing, expired or wrong.
    #[error("cannot {}: the control plane rejected the API key{context}", context.operation)]
    #[non_exhaustive]
    Unauthorized {
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// 403: the API key is known, but may not do this.
    #[error("cannot {}: permission denied{context}", context.operation)]
    #[non_exhaustive]
    PermissionDenied {
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// 404, or a look-up by name that found nothing.
    #[error("{resource}{} not found{context}", Named(id))]
    #[non_exhaustive]
    NotFound {
        /// What was looked for.
        resource: Resource,
        /// The identifier or name that was looked up; empty if there were several.
        id: Box<str>,
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// A secret group of this name exists already.
    #[error("a secret group named {} already exists{context}", Quoted(name))]
    #[non_exhaustive]
    AlreadyExists {
        /// The name that is in use.
        name: Box<str>,
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// Another 409: the state of the resource does not allow this now.
    #[error("cannot {}: conflict{context}", context.operation)]
    #[non_exhaustive]
    Conflict {
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// The store still holds a deleted secret of this name.
    #[error("{details}{context}")]
    #[non_exhaustive]
    SoftDeleted {
        /// The secret, the store, how long it is kept, and the recovery options.
        details: Box<SoftDeleted>,
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// The store behind the group does not accept this key name.
    #[error("{} is not accepted: {}{}", the_key(key), rule(key, store.as_deref()),
        tail(context.as_deref()))]
    #[non_exhaustive]
    KeyNotSupported {
        /// The key; empty if the server did not say which.
        key: Box<str>,
        /// The store, if known.
        store: Option<Box<SecretStoreKind>>,
        /// A similar name that the store accepts.
        suggestion: Option<Box<str>>,
        /// The response; `None` if the key was refused before anything was written.
        context: Option<Box<CallContext>>,
    },

    /// The change would leave the group without a secret, which the API refuses on update.
    #[error("a secret group cannot be left without secrets{}", tail(context.as_deref()))]
    #[non_exhaustive]
    EmptyGroup {
        /// The response; `None` if this crate refused it before the write.
        context: Option<Box<CallContext>>,
    },

    /// No secret store (of this kind) is connected.
    #[error("no {} store is connected{}", of_kind(kind.as_deref()), tail(context.as_deref()))]
    #[non_exhaustive]
    NoSecretStore {
        /// The kind that was looked for, if any.
        kind: Option<Box<SecretStoreKind>>,
        /// The response; `None` if the list of stores was read and has none.
        context: Option<Box<CallContext>>,
    },

    /// An entry was sent without `key` or `value`.
    #[error("cannot {}: every secret needs a key and a value{context}", context.operation)]
    #[non_exhaustive]
    MissingFields {
        /// The keys that were sent without a value.
        keys: Box<[String]>,
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// 400 or 422: the server refused the request for another reason.
    #[error("cannot {}: the server refused the request{context}", context.operation)]
    #[non_exhaustive]
    InvalidRequest {
        /// The server's list of problems, at most 32 of 512 bytes each, withheld in the same way as
        /// the message; empty if the server sent a single message.
        problems: Box<[String]>,
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// 424: the store behind the platform failed or cannot be reached.
    #[error("cannot {}: the secret store behind the platform failed{context}", context.operation)]
    #[non_exhaustive]
    StoreFailed {
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// 429: too many requests.
    #[error("cannot {}: rate limited{}{context}", context.operation, after(*retry_after))]
    #[non_exhaustive]
    RateLimited {
        /// How long the server asks to wait, at most a year; `None` if it does not say.
        retry_after: Option<Duration>,
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// 5xx or 408: the control plane, or a proxy in front of it, failed.
    #[error("cannot {}: the control plane failed{context}", context.operation)]
    #[non_exhaustive]
    Service {
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// A status that the API does not document, such as a proxy's 407.
    #[error("cannot {}: {}{context}", context.operation, unexpected(context))]
    #[non_exhaustive]
    UnexpectedStatus {
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// The call's time limit, retries included, has passed. If [`attempts`](CallContext::attempts)
    /// is 0, nothing was sent: an earlier edit of the group did not end in time.
    #[error("cannot {}: {} {}{context}", context.operation, waited(context), Wait(context.elapsed))]
    #[non_exhaustive]
    Timeout {
        /// The request.
        context: Box<CallContext>,
    },

    /// The last attempt could not connect, and sent nothing. An earlier attempt may have sent the
    /// request: see [`may_have_been_applied`](Self::may_have_been_applied).
    #[error("cannot {}: cannot connect: {reason}{context}", context.operation)]
    #[non_exhaustive]
    Connect {
        /// Why.
        reason: ConnectReason,
        /// The request.
        context: Box<CallContext>,
        /// The cause, as the HTTP library reports it.
        source: BoxError,
    },

    /// The connection broke after the request was, or may have been, sent.
    #[error("cannot {}: connection lost before the response was complete{context}", context.operation)]
    #[non_exhaustive]
    Transport {
        /// The request.
        context: Box<CallContext>,
        /// The cause, as the HTTP library reports it.
        source: BoxError,
    },

    /// A successful response whose body is not what the API describes.
    #[error("cannot {}: {}{context}", context.operation, not_read(*line, *column, *content_type))]
    #[non_exhaustive]
    Decode {
        /// The line of the text where decoding stopped, from 1; 0 if it is not UTF-8, or if several
        /// responses contradict each other.
        line: usize,
        /// The column, in bytes from 1.
        column: usize,
        /// The content type that was received instead of JSON, such as `text/html`, if it is a
        /// well-known one.
        content_type: Option<&'static str>,
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// The response is longer than the client accepts.
    #[error("cannot {}: the response is longer than {limit} bytes{context}", context.operation)]
    #[non_exhaustive]
    ResponseTooLarge {
        /// The limit in bytes ([`ClientBuilder::response_limit`](crate::ClientBuilder::response_limit)).
        limit: usize,
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// The server sent a redirect. Redirects are never followed: they could send the API key to
    /// another host.
    #[error("cannot {}: redirected{}; redirects are not followed{context}", context.operation,
        to(location.as_deref()))]
    #[non_exhaustive]
    UnexpectedRedirect {
        /// Scheme, host and path of its target, without the query.
        location: Option<Box<str>>,
        /// The request and its response.
        context: Box<CallContext>,
    },

    /// The control plane does not show the value: viewing is switched off, or not allowed for this
    /// API key.
    #[error("the control plane does not show the value of secret {}", Quoted(id))]
    #[non_exhaustive]
    ValueHidden {
        /// The identifier or reference of the secret.
        id: Box<str>,
    },

    /// Another client changed the group since it was read.
    #[error("the secret group was changed since it was read{}{}",
        lists(&[("added", added), ("removed", removed), ("modified", modified)]), written(*applied))]
    #[non_exhaustive]
    ConcurrentEdit {
        /// Keys that were added; if `applied`, keys that the edit removed and that still exist.
        added: Box<[String]>,
        /// Keys that were removed; if `applied`, or from `ensure`, keys that should exist but do
        /// not.
        removed: Box<[String]>,
        /// Keys whose time or identifier changed. All three lists are empty if the group changed in
        /// another way, or kept changing while it was read.
        modified: Box<[String]>,
        /// Whether this edit was, or may have been, written before the other change undid it; if
        /// `false`, nothing was written.
        applied: bool,
    },

    /// Some keys were removed before the removal of another one failed.
    #[error("{}{} could not be removed{}", removed(done), Quoted(failed), not_tried_of(not_tried))]
    #[non_exhaustive]
    PartiallyApplied {
        /// The keys that were removed.
        done: Box<[String]>,
        /// The key whose removal failed.
        failed: Box<str>,
        /// The keys whose removal was not attempted.
        not_tried: Box<[String]>,
        /// Why it failed.
        source: Box<Error>,
    },

    /// Some references could not be resolved.
    #[error("{}", unresolved(missing, hidden))]
    #[non_exhaustive]
    Unresolved {
        /// References that name no secret visible to this API key.
        missing: Box<[SecretRef]>,
        /// References whose value the control plane does not show.
        hidden: Box<[SecretRef]>,
    },

    /// A group's values do not fit the settings type of the program
    /// ([`SecretMap::deserialize`](crate::SecretMap::deserialize)). The error holds names of keys
    /// and types, and no value.
    #[error("{}", settings(missing, invalid, *incomplete))]
    #[non_exhaustive]
    InvalidSettings {
        /// The fields that no key matches.
        missing: Box<[String]>,
        /// The keys with invalid values, each with what was expected.
        invalid: Box<[(String, String)]>,
        /// Whether there may be further problems: the search ended at a type that accepts no
        /// stand-in for its value, or at its limit.
        incomplete: bool,
    },

    /// The values of a [`Watch`](crate::Watch) are older than the program allows, or a read that it
    /// requested failed. The watch still holds them.
    #[error("the watched values were last confirmed {} ago", Wait(*age))]
    #[non_exhaustive]
    Stale {
        /// How long ago the control plane last confirmed the values.
        age: Duration,
        /// Why they could not be confirmed since; `None` if no read has failed.
        source: Option<Arc<Error>>,
    },
}

/// An error of another library. Its concrete type is not part of the stable API.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A [`BoxError`] that several callers share.
pub(crate) type SharedError = Arc<dyn std::error::Error + Send + Sync>;

const _: () = assert!(size_of::<Error>() <= 64, "every Result in a user's program carries this");

impl Error {
    pub(crate) fn config(setting: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Config { setting, reason: reason.into() }
    }

    pub(crate) fn invalid_input(
        what: impl Into<Cow<'static, str>>,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::InvalidInput { what: what.into(), reason: reason.into() }
    }

    pub(crate) fn concurrent_edit(
        added: Vec<String>,
        removed: Vec<String>,
        modified: Vec<String>,
        applied: bool,
    ) -> Self {
        let (added, removed, modified) = (added.into(), removed.into(), modified.into());
        Self::ConcurrentEdit { added, removed, modified, applied }
    }

    pub(crate) fn key_not_supported(key: &str, store: &SecretStoreKind) -> Self {
        Self::KeyNotSupported {
            key: key.into(),
            store: Some(Box::new(store.clone())),
            suggestion: store.suggest_key(key).map(String::into_boxed_str),
            context: None,
        }
    }
}

fn tail(context: Option<&CallContext>) -> String {
    context.map(ToString::to_string).unwrap_or_default()
}

fn the_key(key: &str) -> String {
    if key.is_empty() { "a key".to_owned() } else { format!("key {}", Quoted(key)) }
}

fn rule(key: &str, store: Option<&SecretStoreKind>) -> String {
    match store.map(|store| (store, store.check_key(key))) {
        Some((_, Err(problem))) if !key.is_empty() => problem.to_string(),
        Some((store, _)) => format!("{store} refused it"),
        None => "the store refused it".to_owned(),
    }
}

fn of_kind(kind: Option<&SecretStoreKind>) -> String {
    kind.map_or_else(|| "secret".to_owned(), ToString::to_string)
}

fn after(wait: Option<Duration>) -> String {
    wait.map(|wait| format!("; retry after {}", Wait(wait))).unwrap_or_default()
}

fn not_read(line: usize, column: usize, content_type: Option<&str>) -> String {
    match content_type {
        Some(other) => format!("expected JSON, got {other}"),
        None if line == 0 => "the response is not what the API describes".to_owned(),
        None => {
            format!("the response is not what the API describes (line {line}, column {column})")
        }
    }
}

fn waited(context: &CallContext) -> &'static str {
    if context.attempts == 0 {
        "an earlier edit of this group is still under way after"
    } else {
        "no response within"
    }
}

fn unexpected(context: &CallContext) -> &'static str {
    match context.status {
        Some(407) => "the proxy requires authentication",
        _ => "unexpected response",
    }
}

fn written(applied: bool) -> &'static str {
    if applied { "; what this edit wrote may have been undone" } else { "; nothing was written" }
}

/// ` (added: A, B; removed: C)`, without the lists that are empty.
fn lists(all: &[(&str, &[String])]) -> String {
    let filled = all.iter().filter(|(_, names)| !names.is_empty());
    let texts: Vec<String> =
        filled.map(|(what, names)| format!("{what}: {}", List(names))).collect();
    if texts.is_empty() { String::new() } else { format!(" ({})", texts.join("; ")) }
}

fn removed(done: &[String]) -> String {
    if done.is_empty() { String::new() } else { format!("removed {}, but ", List(done)) }
}

fn not_tried_of(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; not tried: {}", List(names)) }
}

fn unresolved(missing: &[SecretRef], hidden: &[SecretRef]) -> String {
    let count = missing.len() + hidden.len();
    let mut reasons = Vec::new();
    if !missing.is_empty() {
        let verb = if missing.len() == 1 { "does" } else { "do" };
        reasons.push(format!("{} {verb} not exist", List(missing)));
    }
    if !hidden.is_empty() {
        let value = if hidden.len() == 1 { "value of {} is" } else { "values of {} are" };
        let value = value.replace("{}", &List(hidden).to_string());
        reasons.push(format!("the {value} not shown"));
    }
    let references = if count == 1 { "reference" } else { "references" };
    format!("cannot resolve {count} {references}: {}", reasons.join("; "))
}

fn settings(missing: &[String], invalid: &[(String, String)], incomplete: bool) -> String {
    let mut problems = Vec::new();
    if !missing.is_empty() {
        problems.push(format!("missing: {}", List(missing)));
    }
    let expected = |(key, expected): &(String, String)| format!("{key} (expected {expected})");
    let invalid: Vec<String> = invalid.iter().map(expected).collect();
    if !invalid.is_empty() {
        problems.push(format!("invalid: {}", List(&invalid)));
    }
    let more = if incomplete { ", and possibly more" } else { "" };
    format!("invalid settings ({}{more})", problems.join("; "))
}

fn to(location: Option<&str>) -> String {
    location.map(|place| format!(" to {}", Escaped(place))).unwrap_or_default()
}
