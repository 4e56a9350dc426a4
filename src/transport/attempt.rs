//! One try of a request: sent once, and its response read.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::Response;
use tokio::time::timeout;
use url::Url;

use super::failure::{self, Cause, Failure};
use super::recycle::ConnectionRecycler;
use super::request::Request;
use super::response_body::{Body, BodyReader, Read};
use super::retry::{self, AttemptOutcome};
use super::wiped_body::WipedBody;
use super::{CallTokens, Head, Received, Transport, trace};
use crate::error::ErrorBody;
use crate::redact::Scrubber;

/// How much of a failure's text is read: what it says is at the beginning.
const FAILURE_LIMIT: usize = 64 * 1024;
/// Time limit for a failure's text: a stalled one must not turn a refusal into a timeout.
const FAILURE_TIMEOUT: Duration = Duration::from_secs(5);

impl Transport {
    pub(super) async fn attempt(
        &self,
        request: &Request<'_>,
        url: &Url,
        tokens: &CallTokens,
    ) -> Result<Received, Failure> {
        let returns_values = request.operation.may_return_values();
        let close_connection = returns_values && self.recycler.take_close_request();
        let mut wiped = WipedBody::new(&self.recycler, close_connection);
        let wire = self.to_wire(request, url, tokens, close_connection);
        let mut response = match self.http.execute(wire).await {
            Ok(response) => response,
            Err(error) => {
                trace::ended(None);
                return Err(Failure::from_wire(error, self.may_expect_tls()));
            }
        };
        let status = response.status();
        trace::ended(Some(status.as_u16()));
        // Some TLS ports respond to plain HTTP with a 400.
        if status != StatusCode::BAD_REQUEST && self.may_expect_tls() {
            self.speaks_http.store(true, Ordering::Relaxed);
        }
        let request_id = failure::request_id(response.headers());
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type =
            content_type.and_then(|value| crate::error::other_than_json(value.to_str().ok()?));
        let head = Head { status: status.as_u16(), request_id, content_type };
        let recycler = (!close_connection).then_some(&self.recycler);
        if !status.is_success() {
            // Boxed, so that calls that succeed do not carry its state.
            let failure = self.read_failure(request, tokens, &mut wiped, response, recycler, head);
            return Err(Box::pin(failure).await);
        }
        let reader = BodyReader::new(&mut response, self.response_limit, recycler);
        let too_large = Cause::TooLarge(self.response_limit);
        if reader.is_too_large() {
            return Err(Failure::unreadable(head, too_large));
        }
        let expected = reader.expected();
        let (body, read) = if returns_values {
            wiped.expect(expected);
            let read = reader.read(&mut wiped).await;
            (Body::Wiped(wiped), read)
        } else {
            let mut plain = Vec::with_capacity(expected);
            let read = reader.read(&mut plain).await;
            (Body::Plain(plain), read)
        };
        drop(response);
        match read {
            Ok(Read::Whole) => match crate::error::stated_failure(body.bytes()) {
                None => {
                    let content_type = head.content_type.filter(|_| !body.begins_as_json());
                    Ok(Received { body, head: Head { content_type, ..head } })
                }
                Some(status) => {
                    let scrubber = self.scrubber(request, tokens);
                    let stated = error_body(&scrubber, status, None, body.bytes());
                    let cause = Cause::Response(stated.in_success());
                    let head = Head { status, ..head };
                    let failure = Failure::after(head, AttemptOutcome::Responded(status), cause);
                    Err(Failure { scrubber: Some(Box::new(scrubber)), ..failure })
                }
            },
            Ok(Read::OverLimit) => Err(Failure::unreadable(head, too_large)),
            Err(error) => Err(Failure::after(head, AttemptOutcome::Lost, Cause::wire(error))),
        }
    }

    fn to_wire(
        &self,
        request: &Request<'_>,
        url: &Url,
        tokens: &CallTokens,
        close_connection: bool,
    ) -> reqwest::Request {
        let mut wire = reqwest::Request::new(request.operation.method(), url.clone());
        let headers = tokens.current.as_ref().map_or(self.tokens.common(), |token| token.headers());
        wire.headers_mut().clone_from(headers);
        if let Some(body) = &request.body {
            wire.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *wire.body_mut() = Some(body.clone().into());
        }
        if close_connection {
            wire.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        wire
    }

    /// Reads the beginning of a failure's text; it does not matter if it is missing or truncated.
    async fn read_failure(
        &self,
        request: &Request<'_>,
        tokens: &CallTokens,
        body: &mut WipedBody,
        mut response: Response,
        recycler: Option<&ConnectionRecycler>,
        head: Head,
    ) -> Failure {
        let status = head.status;
        let headers = response.headers();
        let retry_after = retry::retry_after(status, headers, SystemTime::now());
        let redirect = ((300..400).contains(&status) && headers.contains_key(LOCATION))
            .then(|| failure::location(headers, response.url()));
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.map(str::to_owned);
        let limit = FAILURE_LIMIT.min(self.response_limit);
        let reader = BodyReader::new(&mut response, limit, recycler);
        // Text that does not arrive in time counts as missing; the status is known.
        let _ = timeout(FAILURE_TIMEOUT, reader.read(body)).await;
        let scrubber = self.scrubber(request, tokens);
        let cause = if let Some(location) = redirect {
            Cause::Redirect(location)
        } else {
            let body = error_body(&scrubber, status, content_type.as_deref(), body.text());
            Cause::Response(body)
        };
        // A failure of the service itself does not come from a TLS port.
        let may_expect_tls = self.may_expect_tls()
            && !matches!(&cause, Cause::Response(body) if body.has_ended(status));
        let failure = Failure::after(head, AttemptOutcome::Responded(status), cause);
        Failure { retry_after, may_expect_tls, scrubber: Some(Box::new(scrubber)), ..failure }
    }
}

fn error_body(
    scrubber: &Scrubber,
    status: u16,
    content_type: Option<&str>,
    body: &[u8],
) -> ErrorBody {
    let clean = scrubber.cut_quotes(body);
    let body = clean.as_ref().map_or(body, |clean| clean.as_slice());
    crate::error::parse(status, content_type, body)
}
