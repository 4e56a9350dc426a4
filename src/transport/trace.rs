//! What is traced: for a call, its operation, attempts and statuses; for an edit that waits for an
//! earlier edit or write, its group; never a value, key, body or query.

use std::future::Future;
use std::time::Duration;

use crate::Error;
use crate::models::SecretGroupId;
use crate::operation::Operation;

#[cfg(feature = "tracing")]
pub(crate) fn call<F: Future>(operation: Operation, future: F) -> impl Future<Output = F::Output> {
    use tracing::Instrument as _;
    future.instrument(tracing::debug_span!("truefoundry_secrets.call", %operation))
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn call<F: Future>(_: Operation, future: F) -> impl Future<Output = F::Output> {
    future
}

#[cfg(feature = "tracing")]
pub(crate) fn attempt<F: Future>(attempt: u32, future: F) -> impl Future<Output = F::Output> {
    use tracing::Instrument as _;
    future.instrument(tracing::debug_span!("truefoundry_secrets.attempt", attempt))
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn attempt<F: Future>(_: u32, future: F) -> impl Future<Output = F::Output> {
    future
}

/// Logs, inside an attempt, how it ended. `status` is `None` if no response came.
pub(crate) fn ended(status: Option<u16>) {
    #[cfg(feature = "tracing")]
    if let Some(status) = status {
        tracing::debug!(status, "response");
    } else {
        tracing::debug!("no response");
    }
    #[cfg(not(feature = "tracing"))]
    let _ = status;
}

/// Logs that the request is retried after `wait`.
pub(crate) fn waiting(wait: Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(wait_ms = wait.as_millis(), "retrying");
    #[cfg(not(feature = "tracing"))]
    let _ = wait;
}

/// Logs that an edit waits for an earlier edit of its group.
pub(crate) fn awaiting_edit(group: &SecretGroupId, at_most: Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        group = %crate::redact::Escaped(group.as_str()),
        at_most_ms = at_most.as_millis(),
        "waiting for an earlier edit"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = (group, at_most);
}

/// Logs that an edit waits for an earlier write of its group whose outcome is not known.
pub(crate) fn awaiting_write(group: &SecretGroupId, at_most: Duration) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        group = %crate::redact::Escaped(group.as_str()),
        at_most_ms = at_most.as_millis(),
        "waiting for an earlier write of unknown outcome"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = (group, at_most);
}

/// Logs that the token in use is kept, because the source of credentials gave no other.
pub(crate) fn keeping_token(error: &(dyn std::error::Error + 'static)) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        error = %crate::redact::Escaped(&error.to_string()),
        "the token in use is kept"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = error;
}

/// Logs that other users of this machine can read the login.
#[cfg(unix)]
pub(crate) fn readable_by_others(path: &std::path::Path) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        path = %crate::redact::Escaped(&path.to_string_lossy()),
        "other users of this machine can read the login; run `chmod 600` on this file"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = path;
}

/// Logs that the login was refreshed, but its file could not be written.
#[cfg(unix)]
pub(crate) fn login_not_written(error: &std::io::Error, kept: Option<&std::path::Path>) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        %error,
        kept = kept.map(|path| crate::redact::Escaped(&path.to_string_lossy()).to_string()),
        "the refreshed login cannot be written; move the kept file, if any, into its place before the \
         next refresh, or run `tfy login` again"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = (error, kept);
}

/// Logs that a read of a watch failed, or found values that cannot be used.
pub(crate) fn watch_failed(group: &str, error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(group = %crate::redact::Escaped(group), %error, "watched values could not be refreshed");
    #[cfg(not(feature = "tracing"))]
    let _ = (group, error);
}
