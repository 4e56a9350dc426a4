use std::time::Duration;

use super::connect::ConnectReason;
use super::context::CallContext;
use super::recovery::SoftDeleteState;
use crate::Error;
use crate::operation::Resource;

/// The context of an error, shared or mutable: `$deref` is `as_deref` or `as_deref_mut`.
macro_rules! context_of {
    ($error:expr, $deref:ident, $again:ident) => {
        match $error {
            Error::Unauthorized { context }
            | Error::PermissionDenied { context }
            | Error::NotFound { context, .. }
            | Error::AlreadyExists { context, .. }
            | Error::Conflict { context }
            | Error::SoftDeleted { context, .. }
            | Error::MissingFields { context, .. }
            | Error::InvalidRequest { context, .. }
            | Error::StoreFailed { context }
            | Error::RateLimited { context, .. }
            | Error::Service { context }
            | Error::UnexpectedStatus { context }
            | Error::Timeout { context }
            | Error::Connect { context, .. }
            | Error::Transport { context, .. }
            | Error::Decode { context, .. }
            | Error::ResponseTooLarge { context, .. }
            | Error::UnexpectedRedirect { context, .. } => Some(context),
            Error::KeyNotSupported { context, .. }
            | Error::EmptyGroup { context }
            | Error::NoSecretStore { context, .. } => context.$deref(),
            Error::PartiallyApplied { source, .. } => source.$again(),
            Error::Config { .. }
            | Error::InvalidInput { .. }
            | Error::Credentials { .. }
            | Error::ValueHidden { .. }
            | Error::ConcurrentEdit { .. }
            | Error::Unresolved { .. }
            | Error::InvalidSettings { .. }
            | Error::Stale { .. } => None,
        }
    };
}

impl Error {
    /// The request and its response, if the failure belongs to one call.
    pub fn context(&self) -> Option<&CallContext> {
        context_of!(self, as_deref, context)
    }

    fn context_mut(&mut self) -> Option<&mut CallContext> {
        context_of!(self, as_deref_mut, context_mut)
    }

    /// Marks the failure of a read that should have confirmed a write: the write may have been
    /// applied.
    pub(crate) fn after_a_write(mut self) -> Self {
        if let Self::ConcurrentEdit { applied, .. } = &mut self {
            *applied = true;
        } else if let Some(context) = self.context_mut() {
            context.may_have_been_applied = true;
        }
        self
    }

    /// Whether a group was not found, rather than a key or a store.
    pub(crate) fn is_missing_group(&self) -> bool {
        matches!(self, Self::NotFound { resource: Resource::SecretGroup, .. })
    }

    /// Whether a write may take effect after this error was returned.
    pub(crate) fn may_still_arrive(&self) -> bool {
        self.context().is_some_and(|context| context.may_still_arrive)
    }

    /// The error of a write that the next edit of the group waits for.
    pub(crate) fn with_edit_wait(mut self, wait: Duration) -> Self {
        if let Some(context) = self.context_mut() {
            context.edit_wait = Some(wait).filter(|wait| !wait.is_zero());
        }
        self
    }

    /// The status of the last response, if one came.
    pub fn status(&self) -> Option<u16> {
        self.context()?.status()
    }

    /// The identifier that the server gave the request.
    pub fn request_id(&self) -> Option<&str> {
        self.context()?.request_id()
    }

    /// Whether the group, secret or store does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether the same call can succeed later without any change by the caller.
    ///
    /// It does not mean that a retry is harmless: before retrying a create or an update, check
    /// [`may_have_been_applied`](Self::may_have_been_applied).
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Service { .. }
            | Self::StoreFailed { .. }
            | Self::Timeout { .. }
            | Self::Transport { .. }
            | Self::ConcurrentEdit { .. } => true,
            Self::Connect { reason, .. } => {
                !reason.is_certificate() && *reason != ConnectReason::ProxyAuthRequired
            }
            Self::SoftDeleted { details, .. } => details.state() != SoftDeleteState::Deleted,
            Self::PartiallyApplied { source, .. } => source.is_retryable(),
            Self::Credentials { source } => may_pass(&**source),
            _ => false,
        }
    }

    /// Whether a write may have been applied despite this error: its response was lost, cut or not
    /// understood, the status was 408, 424 or 5xx, or part of an edit was applied. Read the group
    /// before retrying a create or an update.
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Self::PartiallyApplied { .. } => true,
            Self::ConcurrentEdit { applied, .. } => *applied,
            _ => self.context().is_some_and(|context| context.may_have_been_applied),
        }
    }
}

/// Whether a source of credentials can succeed later: it timed out, or failed with a retryable
/// error of this crate.
fn may_pass(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let is_late = |error: &std::io::Error| error.kind() == std::io::ErrorKind::TimedOut;
    error.downcast_ref().is_some_and(is_late)
        || error.downcast_ref().is_some_and(Error::is_retryable)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use crate::Error;

    #[test]
    fn a_partial_edit_leaves_its_cause_to_the_source() {
        let cause = Error::config("timeout", "is told once");
        let error = Error::PartiallyApplied {
            done: Box::new(["A".to_owned()]),
            failed: "B".into(),
            not_tried: Box::new(["C".to_owned()]),
            source: Box::new(cause),
        };
        assert_eq!(error.to_string(), "removed A, but \"B\" could not be removed; not tried: C");
        let source = error.source().unwrap();
        assert_eq!(source.to_string(), "timeout is told once");
    }
}
