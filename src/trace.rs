//! What is traced of a call: operation, attempt and status; never a value, key, body or query.

use std::future::Future;

use crate::Operation;

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

/// Says, inside an attempt, how it ended. `status` is `None` where no answer came.
pub(crate) fn ended(status: Option<u16>) {
    #[cfg(feature = "tracing")]
    if let Some(status) = status {
        tracing::debug!(status, "answered");
    } else {
        tracing::debug!("no answer");
    }
    #[cfg(not(feature = "tracing"))]
    let _ = status;
}

/// Says that the request is sent again after `wait`.
pub(crate) fn waiting(wait: std::time::Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(wait_ms = wait.as_millis(), "retrying");
    #[cfg(not(feature = "tracing"))]
    let _ = wait;
}
