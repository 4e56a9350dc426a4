//! The one path to the wire: every call of the crate passes through [`Transport::send`].

mod attempt;
mod calls;
mod credentials;
mod failure;
mod recycle;
mod request;
mod request_body;
mod response_body;
mod retry;
pub(crate) mod trace;
mod wiped_body;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use url::Url;

use crate::error::{CallContext, SharedError};
use crate::models::SecretGroupId;
use crate::models::decode::FromWire;
use crate::operation::{Idempotency, Operation, Resource};
use crate::redact::Scrubber;
use crate::{Error, Result};
pub(crate) use calls::{Calls, Sends};
use credentials::KeptToken;
pub(crate) use credentials::{Claims, TokenKeeper, sensitive};
pub use credentials::{Credentials, Token};
#[cfg(feature = "testing")]
pub(crate) use failure::of_response;
use failure::{Cause, Failure};
pub(crate) use recycle::ConnectionRecycler;
pub(crate) use request::{Query, Request};
pub(crate) use request_body::{json, json_with};
use response_body::Body;
use retry::AttemptOutcome;
pub(crate) use retry::Budget;
pub use retry::RetryPolicy;
pub(crate) use retry::fraction;

/// The settings of the transport, and the state that calls share.
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    /// The API's root: the user's base URL and `/api/svc/v1`.
    pub(crate) base: Url,
    /// The headers that every request carries, including the token.
    pub(crate) tokens: Arc<TokenKeeper>,
    pub(crate) timeout: Duration,
    pub(crate) response_limit: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Budget,
    pub(crate) recycler: ConnectionRecycler,
    /// Whether a response has confirmed the base URL's `http://`.
    pub(crate) speaks_http: AtomicBool,
}

/// The progress of a call, kept outside of its future so that it survives a timeout.
struct Progress {
    started: Instant,
    /// How long the call may take, retries included.
    timeout: Duration,
    attempts: u32,
    /// A failed attempt may have done the work.
    unclear: bool,
    /// An attempt may still take effect.
    may_still_arrive: bool,
    /// An attempt is under way at this moment.
    sending: bool,
    tokens: CallTokens,
}

/// The tokens that a call has sent.
#[derive(Default)]
struct CallTokens {
    current: Option<Arc<KeptToken>>,
    /// The one before, which the server refused: a call asks for another token once.
    refused: Option<Arc<KeptToken>>,
}

/// A successful response.
struct Received {
    body: Body,
    head: Head,
}

/// The outcome of a delete.
pub(crate) enum Deletion {
    /// It was deleted. Holds how many were, if the server says so.
    Done(Option<u64>),
    /// It was not found, after an attempt that may have deleted it.
    NotFound,
}

/// What a failure says about the response it came from.
struct Head {
    status: u16,
    request_id: Option<Box<str>>,
    /// The well-known type of a body that is not JSON.
    content_type: Option<&'static str>,
}

impl Transport {
    /// Sends a request and decodes its response.
    async fn call<T: FromWire>(&self, request: &Request<'_>, timeout: Duration) -> Result<T> {
        let url = request.url(&self.base)?;
        let mut progress = Progress::start(timeout);
        let result = match self.send(request, &url, &mut progress).await {
            Ok(Received { body, head }) => {
                body.decode().map_err(|failure| Failure::undecodable(head, failure))
            }
            Err(failure) => Err(failure),
        };
        result.map_err(|failure| self.error(request, failure, &progress))
    }

    /// Sends a delete.
    async fn delete(&self, request: &Request<'_>, timeout: Duration) -> Result<Deletion> {
        let url = request.url(&self.base)?;
        let mut progress = Progress::start(timeout);
        let result = match self.send(request, &url, &mut progress).await {
            // Nothing is left to delete: an earlier attempt may have deleted it.
            Err(failure) if progress.unclear && failure.status == Some(404) => {
                self.pay_back(&progress);
                Ok(Deletion::NotFound)
            }
            Ok(Received { body, head }) => {
                let count = body.deleted_count().map(Deletion::Done);
                count.map_err(|failure| Failure::undecodable(head, failure))
            }
            Err(failure) => Err(failure),
        };
        result.map_err(|failure| self.error(request, failure, &progress))
    }

    async fn send(
        &self,
        request: &Request<'_>,
        url: &Url,
        progress: &mut Progress,
    ) -> Result<Received, Failure> {
        self.budget.earn();
        let limit = progress.timeout;
        let result = {
            // Pinned here, so that `timeout` does not move a future of more than a kilobyte.
            let attempts = self.attempts(request, url, progress);
            timeout(limit, pin!(trace::call(request.operation, attempts))).await
        };
        let Ok(result) = result else {
            // Connecting and sending are one future here, so the request counts as sent.
            let outcome =
                if progress.sending { AttemptOutcome::Lost } else { AttemptOutcome::NeverSent };
            return Err(Failure::without_response(outcome, Cause::Timeout));
        };
        if result.is_ok() {
            self.pay_back(progress);
        }
        result
    }

    fn pay_back(&self, progress: &Progress) {
        self.budget.pay_back(progress.tries().saturating_sub(1));
    }

    async fn attempts(
        &self,
        request: &Request<'_>,
        url: &Url,
        progress: &mut Progress,
    ) -> Result<Received, Failure> {
        let idempotency = request.operation.idempotency();
        if request.operation.sends_key() {
            // The limit is the rest of the call's time, so that the reason for a failure is not
            // lost to the call's timeout.
            let token = self.tokens.token(progress.left()).await;
            progress.tokens.current = Some(token.map_err(Failure::without_token)?);
        }
        loop {
            progress.attempts += 1;
            progress.sending = true;
            let attempt = self.attempt(request, url, &progress.tokens);
            let result = trace::attempt(progress.attempts, attempt).await;
            progress.sending = false;
            let failure = match result {
                Ok(received) => return Ok(received),
                Err(failure) => failure,
            };
            progress.unclear |= failure.outcome.is_unclear();
            progress.may_still_arrive |= failure.may_still_arrive();
            if failure.status == Some(401) {
                match self.renew_token(progress).await {
                    Ok(true) => continue,
                    // If an earlier attempt may have been applied, the 401 is returned, whose
                    // context says so.
                    Err(error) if !progress.unclear => return Err(Failure::without_token(error)),
                    _ => {}
                }
            }
            let wait = (!request.single_attempt)
                .then(|| self.wait_before_retry(&failure, idempotency, progress))
                .flatten();
            match wait {
                Some(wait) => {
                    // This drops the copies of what was sent.
                    drop(failure);
                    trace::waiting(wait);
                    tokio::time::sleep(wait).await;
                }
                None => return Err(failure),
            }
        }
    }

    /// Whether to retry with another token, after the server refused the last one.
    async fn renew_token(&self, progress: &mut Progress) -> Result<bool, SharedError> {
        let (Some(refused), None) = (&progress.tokens.current, &progress.tokens.refused) else {
            return Ok(false);
        };
        let Some(token) = self.tokens.another(refused, progress.left()).await? else {
            return Ok(false);
        };
        progress.tokens.refused = progress.tokens.current.replace(token);
        Ok(true)
    }

    fn wait_before_retry(
        &self,
        failure: &Failure,
        idempotency: Idempotency,
        progress: &Progress,
    ) -> Option<Duration> {
        let attempts = progress.tries();
        if !failure.outcome.allows_retry(idempotency) || !self.retry.allows(attempts) {
            return None;
        }
        // Our own jitter in addition to what the server asks for, since it tells every client the same wait.
        let asked = failure.retry_after.unwrap_or_default();
        let wait = asked.saturating_add(self.retry.delay(attempts, retry::fraction()));
        (wait < progress.left() && self.budget.spend()).then_some(wait)
    }

    /// The tenant that the newest token names, if there is one and it is a JWT.
    pub(crate) fn claimed_tenant(&self) -> Option<Arc<str>> {
        self.tokens.newest()?.tenant()
    }

    /// Whether a failure can come from a TLS port behind an `http://` URL.
    fn may_expect_tls(&self) -> bool {
        self.base.scheme() == "http" && !self.speaks_http.load(Ordering::Relaxed)
    }

    /// What no text may show, in addition to the request's values: the tokens that the call has
    /// sent, the client's newest one, and the values of the user's own headers, such as a gateway's
    /// token. Shorter header values are names rather than tokens, and searching for them would
    /// withhold messages that show no secret.
    fn credentials<'s>(
        &'s self,
        sent: &'s CallTokens,
        newest: Option<&'s KeptToken>,
    ) -> impl Iterator<Item = &'s str> {
        const MIN_HEADER: usize = 16;
        let tokens = [sent.current.as_deref(), sent.refused.as_deref(), newest];
        let headers = self.tokens.common().values().filter(|value| value.is_sensitive());
        let headers = headers.filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
        tokens
            .into_iter()
            .flatten()
            .map(KeptToken::text)
            .chain(headers.filter(|text| text.len() >= MIN_HEADER))
    }

    /// Returns a scrubber for everything that a response to this request may echo.
    fn scrubber(&self, request: &Request<'_>, sent: &CallTokens) -> Scrubber {
        let newest = self.tokens.newest();
        request.scrubber(self.credentials(sent, newest.as_deref()))
    }

    /// The error of a look-up that succeeded but found nothing.
    pub(crate) fn not_found(&self, operation: Operation, collection: &str, name: &str) -> Error {
        Error::not_found(operation.resource(), name, self.succeeded(operation, collection))
    }

    /// The error of a secret that a list of secrets does not have.
    pub(crate) fn no_such_secret(&self, reference: &str) -> Error {
        let context = self.succeeded(Operation::ListSecrets, "secrets");
        Error::not_found(Resource::Secret, reference, context)
    }

    /// The error of a key that a group does not have.
    pub(crate) fn no_such_key(&self, group: &SecretGroupId, key: &str) -> Error {
        let path = format!("secret-groups/{}", request::segment(group.as_str()));
        let context = self.succeeded(Operation::GetSecretGroup, &path);
        Error::not_found(Resource::Secret, key, context)
    }

    /// The error of responses that are valid alone, but contradict each other.
    pub(crate) fn not_understood(&self, operation: Operation, collection: &str) -> Error {
        Error::not_understood(self.succeeded(operation, collection))
    }

    /// The error of an edit that waited for an earlier one of its group; nothing was sent.
    pub(crate) fn edit_under_way(&self, group: &SecretGroupId, waited: Duration) -> Error {
        let operation = Operation::UpdateSecretGroup;
        let path = match Request::new(operation, "secret-groups").id(group.as_str()) {
            Ok(request) => request.path,
            Err(error) => return error,
        };
        let mut context = self.succeeded(operation, path.trim_start_matches('/'));
        context.attempts = 0;
        context.elapsed = waited;
        Error::Timeout { context: Box::new(context) }
    }

    fn succeeded(&self, operation: Operation, collection: &str) -> CallContext {
        CallContext::of_success(operation, format!("{}/{collection}", self.base.path()))
    }

    fn error(&self, request: &Request<'_>, failure: Failure, progress: &Progress) -> Error {
        let unclear = progress.unclear || failure.outcome.is_unclear();
        let may_still_arrive = progress.may_still_arrive || failure.may_still_arrive();
        let changes = request.operation.idempotency() != Idempotency::Safe;
        let stats = failure::CallStats {
            path: format!("{}{}", self.base.path(), request.path).into(),
            attempts: progress.attempts,
            elapsed: progress.started.elapsed(),
            may_have_been_applied: unclear && changes,
            may_still_arrive: may_still_arrive && changes,
            token_expired: progress
                .tokens
                .current
                .as_ref()
                .filter(|_| failure.status == Some(401))
                .and_then(|token| token.expired_at()),
        };
        let newest = self.tokens.newest();
        let credentials: Vec<&str> =
            self.credentials(&progress.tokens, newest.as_deref()).collect();
        failure.into_error(request, &credentials, stats)
    }
}

impl Progress {
    fn start(timeout: Duration) -> Self {
        Self {
            started: Instant::now(),
            timeout,
            attempts: 0,
            unclear: false,
            may_still_arrive: false,
            sending: false,
            tokens: CallTokens::default(),
        }
    }

    fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.started.elapsed())
    }

    /// The number of attempts, without the one for another token.
    fn tries(&self) -> u32 {
        self.attempts - u32::from(self.tokens.refused.is_some())
    }
}
