//! The one path to the wire: every call of the crate passes through [`Transport::send`].

mod calls;
mod failure;
mod frames;
mod outgoing;
mod request;
mod reuse;

use std::time::Duration;

use http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use tokio::time::{Instant, timeout};
use url::Url;

use crate::decode::{self, DecodeFailure, Wire};
use crate::error::CallContext;
use crate::operation::Repeat;
use crate::retry::{self, Budget, Outcome, RetryPolicy};
use crate::{Error, Operation, Resource, Result, SecretGroupId, trace};
pub(crate) use calls::{Calls, Sends};
#[cfg(feature = "testing")]
pub(crate) use failure::of_answer;
use failure::{Cause, Failure};
use frames::Frames;
pub(crate) use outgoing::{Exposed, json};
pub(crate) use request::{Query, Request};
pub(crate) use reuse::Reuse;

/// Failures tell little in their first 64 KiB and nothing after.
const FAILURE_LIMIT: usize = 64 * 1024;
/// So long a failure's text is waited for: a stalled one must not turn a refusal into a timeout.
const FAILURE_PATIENCE: Duration = Duration::from_secs(5);
/// A server that announces more than it sends must not make us allocate it.
const RESERVE_LIMIT: usize = 1024 * 1024;

/// The settings of the wire, and what calls share.
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    /// The API's root: the user's base URL and `/api/svc/v1`.
    pub(crate) base: Url,
    /// What every request carries, the key included.
    pub(crate) headers: HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) response_limit: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Budget,
    pub(crate) reuse: Reuse,
}

/// How far a call has come: kept outside of its future, to be told when that is given up.
#[derive(Default)]
struct Progress {
    attempts: u32,
    /// An attempt may have done the work although its answer is not there.
    unclear: bool,
    /// An attempt may still take effect.
    may_still_arrive: bool,
    /// An attempt is under way at this moment.
    sending: bool,
}

/// A successful answer.
enum Answer {
    /// One that cannot hold values.
    Plain(Vec<u8>),
    /// One that can: overwritten when dropped.
    Wiped(Frames),
    /// A delete that found nothing left, after one that may have been done.
    AlreadyDeleted,
}

struct Received {
    answer: Answer,
    status: u16,
    request_id: Option<Box<str>>,
}

impl Transport {
    /// Sends a request and decodes its answer.
    async fn call<T: Wire>(&self, request: Request<'_>) -> Result<T> {
        let started = Instant::now();
        let (received, progress) = self.send(&request, started).await?;
        let decoded = match received.answer {
            Answer::Plain(bytes) => String::from_utf8(bytes)
                .map_err(|_| DecodeFailure { line: 0, column: 0 })
                .and_then(decode::shared),
            Answer::Wiped(frames) => decode::copied(frames.text()),
            Answer::AlreadyDeleted => Err(DecodeFailure { line: 0, column: 0 }),
        };
        decoded.map_err(|failure| {
            let failure = Failure {
                outcome: Outcome::Unreadable,
                status: Some(received.status),
                request_id: received.request_id,
                retry_after: None,
                cause: Cause::Decode(failure),
            };
            self.error(&request, failure, &progress, started)
        })
    }

    /// Sends a delete. The answer is how many were deleted, where the server says so.
    async fn delete(&self, request: Request<'_>) -> Result<Option<u64>> {
        let started = Instant::now();
        let (received, progress) = self.send(&request, started).await?;
        let Answer::Plain(bytes) = received.answer else {
            return Ok(None);
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        // A page that some proxy made up is no confirmation.
        match decode::count(&bytes) {
            Ok(count) => Ok(count),
            Err(error) => {
                let failure = Failure {
                    outcome: Outcome::Unreadable,
                    status: Some(received.status),
                    request_id: received.request_id,
                    retry_after: None,
                    cause: Cause::Decode(error),
                };
                Err(self.error(&request, failure, &progress, started))
            }
        }
    }

    async fn send(&self, request: &Request<'_>, started: Instant) -> Result<(Received, Progress)> {
        let url = request.url(&self.base)?;
        self.budget.earn();
        let mut progress = Progress::default();
        let attempts = self.attempts(request, &url, started, &mut progress);
        match timeout(self.timeout, trace::call(request.operation, attempts)).await {
            Ok(Ok(received)) => {
                self.budget.pay_back(progress.attempts.saturating_sub(1));
                Ok((received, progress))
            }
            Ok(Err(failure)) => Err(self.error(request, failure, &progress, started)),
            Err(_) => {
                // Connecting and sending cannot be told apart from here.
                let outcome = if progress.sending { Outcome::Lost } else { Outcome::NeverSent };
                let failure = Failure::without_answer(outcome, Cause::Timeout);
                Err(self.error(request, failure, &progress, started))
            }
        }
    }

    async fn attempts(
        &self,
        request: &Request<'_>,
        url: &Url,
        started: Instant,
        progress: &mut Progress,
    ) -> Result<Received, Failure> {
        let repeat = request.operation.repeat();
        loop {
            progress.attempts += 1;
            progress.sending = true;
            let attempt = self.attempt(request, url);
            let result = trace::attempt(progress.attempts, attempt).await;
            progress.sending = false;
            let failure = match result {
                Ok(received) => return Ok(received),
                Err(failure) => failure,
            };
            if repeat == Repeat::Delete && progress.unclear && failure.status == Some(404) {
                return Ok(failure.already_deleted());
            }
            progress.unclear |= failure.outcome.is_unclear();
            progress.may_still_arrive |= failure.may_still_arrive();
            match self.wait_before_repeat(&failure, repeat, progress.attempts, started) {
                Some(wait) => {
                    trace::waiting(wait);
                    tokio::time::sleep(wait).await;
                }
                None => return Err(failure),
            }
        }
    }

    fn wait_before_repeat(
        &self,
        failure: &Failure,
        repeat: Repeat,
        attempts: u32,
        started: Instant,
    ) -> Option<Duration> {
        if !failure.outcome.may_repeat(repeat) || !self.retry.allows(attempts) {
            return None;
        }
        // Our own wait besides: all clients are asked to wait as long.
        let asked = failure.retry_after.unwrap_or_default();
        let wait = asked.saturating_add(self.retry.delay(attempts, retry::fraction()));
        let left = self.timeout.saturating_sub(started.elapsed());
        (wait < left && self.budget.spend()).then_some(wait)
    }

    async fn attempt(&self, request: &Request<'_>, url: &Url) -> Result<Received, Failure> {
        // Before the response, whose headers share the first frame's buffer: dropped after it, too.
        let held = request.operation.answers_values();
        let last = held && self.reuse.is_to_end();
        let mut frames = Frames::new(self.reuse.clone(), last);
        let mut outgoing = reqwest::Request::new(request.operation.method(), url.clone());
        outgoing.headers_mut().clone_from(&self.headers);
        if !request.operation.sends_key() {
            outgoing.headers_mut().remove(AUTHORIZATION);
        }
        if let Some(body) = &request.body {
            outgoing
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *outgoing.body_mut() = Some(body.clone().into());
        }
        if last {
            outgoing.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let mut response = match self.http.execute(outgoing).await {
            Ok(response) => response,
            Err(error) => {
                trace::ended(None);
                return Err(Failure::from_wire(error));
            }
        };
        let status = response.status().as_u16();
        trace::ended(Some(status));
        let request_id = failure::request_id(response.headers());

        if !response.status().is_success() {
            return Err(self.read_failure(request, &mut frames, last, response, request_id).await);
        }
        let mut received = reuse::Received::head(response.headers());
        // Header values are slices of the first read's buffer, up to 400 KiB that would stay until the end.
        response.headers_mut().clear();
        let failed = |outcome, cause| {
            let request_id = request_id.clone();
            Failure { outcome, status: Some(status), request_id, retry_after: None, cause }
        };
        let announced = response.content_length().and_then(|n| usize::try_from(n).ok());
        if announced.is_some_and(|length| length > self.response_limit) {
            return Err(failed(Outcome::Unreadable, Cause::TooLarge(self.response_limit)));
        }
        let expected = announced.unwrap_or_default().min(RESERVE_LIMIT);
        let mut plain = Vec::new();
        if held {
            frames.expect(expected);
        } else {
            plain.reserve_exact(expected);
        }
        let mut length = 0_usize;
        loop {
            match response.chunk().await {
                Ok(Some(frame)) => {
                    received.frame(&frame);
                    length = length.saturating_add(frame.len());
                    let too_large = length > self.response_limit;
                    if held {
                        frames.push(frame);
                    } else if !too_large {
                        plain.extend_from_slice(&frame);
                    }
                    if too_large {
                        let cause = Cause::TooLarge(self.response_limit);
                        return Err(failed(Outcome::Unreadable, cause));
                    }
                }
                Ok(None) => break,
                Err(error) => return Err(failed(Outcome::Lost, Cause::wire(error))),
            }
        }
        drop(response);
        frames.let_go().await;
        if !last {
            self.reuse.after(&received);
        }
        let answer = if held { Answer::Wiped(frames) } else { Answer::Plain(plain) };
        Ok(Received { answer, status, request_id })
    }

    /// Reads as much of a failure's text as is worth reading; what is missing or cut does not matter.
    async fn read_failure(
        &self,
        request: &Request<'_>,
        frames: &mut Frames,
        last: bool,
        mut response: reqwest::Response,
        request_id: Option<Box<str>>,
    ) -> Failure {
        let status = response.status().as_u16();
        let limit = FAILURE_LIMIT.min(self.response_limit);
        let mut received = reuse::Received::head(response.headers());
        let headers = response.headers();
        let retry_after = retry::retry_after(status, headers, jiff::Timestamp::now());
        let redirect = ((300..400).contains(&status) && headers.contains_key(LOCATION))
            .then(|| failure::location(headers, response.url()));
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.map(str::to_owned);
        // They share the first frame's buffer.
        response.headers_mut().clear();
        let read = async {
            let mut length = 0;
            while length < limit {
                match response.chunk().await {
                    Ok(Some(frame)) => {
                        received.frame(&frame);
                        length += frame.len();
                        frames.push(frame);
                    }
                    Ok(None) | Err(_) => break,
                }
            }
        };
        // What does not come in time is as good as missing; the status is known.
        let _ = timeout(FAILURE_PATIENCE, read).await;
        drop(response);
        frames.let_go().await;
        if !last {
            self.reuse.after(&received);
        }
        let cause = if let Some(location) = redirect {
            Cause::Redirect(location)
        } else {
            let body = frames.text();
            let clean = request.scrubber(self.credentials()).cut_quotes(body);
            let body = clean.as_ref().map_or(body, |clean| clean.as_slice());
            Cause::Answer(crate::error::parse(status, content_type.as_deref(), body))
        };
        let outcome = Outcome::Answered(status);
        Failure { outcome, status: Some(status), request_id, retry_after, cause }
    }

    /// What every request carries and no text may show: the API key, and what the user's own headers
    /// hold, such as a gateway's token. Shorter values are names rather than tokens, and looking for them
    /// would withhold messages that show no secret.
    fn credentials(&self) -> impl Iterator<Item = &str> {
        const SHORTEST_TOKEN: usize = 16;
        self.headers.iter().filter(|(_, value)| value.is_sensitive()).filter_map(|(name, value)| {
            let text = std::str::from_utf8(value.as_bytes()).ok()?;
            if name == AUTHORIZATION {
                return text.strip_prefix("Bearer ");
            }
            (text.len() >= SHORTEST_TOKEN).then_some(text)
        })
    }

    /// The error of a look-up that succeeded with nothing.
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

    /// The error of responses that are well formed each, but make no sense together.
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

    fn error(
        &self,
        request: &Request<'_>,
        failure: Failure,
        progress: &Progress,
        started: Instant,
    ) -> Error {
        let unclear = progress.unclear || failure.outcome.is_unclear();
        let may_still_arrive = progress.may_still_arrive || failure.may_still_arrive();
        let changes = request.operation.repeat() != Repeat::Harmless;
        let circumstances = failure::Circumstances {
            path: format!("{}{}", self.base.path(), request.path).into(),
            attempts: progress.attempts,
            elapsed: started.elapsed(),
            may_have_been_applied: unclear && changes,
            may_still_arrive: may_still_arrive && changes,
        };
        let credentials: Vec<&str> = self.credentials().collect();
        failure.into_error(request, &credentials, circumstances)
    }
}
