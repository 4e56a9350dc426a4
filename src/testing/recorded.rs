//! What arrived.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::parsed_request::Call;
use super::routes;

/// One request, exactly as it arrived.
///
/// Its `Debug` output names neither header values nor anything of the body.
#[derive(Clone)]
pub struct RecordedRequest(Arc<Inner>);

struct Inner {
    number: u64,
    operation: Option<&'static str>,
    method: String,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    raw: Bytes,
    json: Option<Value>,
}

impl RecordedRequest {
    pub(super) fn new(call: &Call) -> Self {
        Self(Arc::new(Inner {
            number: call.number,
            operation: routes::operation(call),
            method: call.method.to_string(),
            path: call.path.clone(),
            query: call.query.clone(),
            headers: call.headers.clone(),
            raw: call.body.clone(),
            json: serde_json::from_slice(&call.body).ok(),
        }))
    }

    /// The endpoint, such as `secret_groups.update`; `None` if the API has none like this.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The method, such as `PUT`. `POST /secrets` reads: to see that nothing was written, compare
    /// [`operation`](Self::operation).
    pub fn method(&self) -> &str {
        &self.0.method
    }

    /// The whole path, not decoded.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The query without its question mark, not decoded.
    pub fn query(&self) -> Option<&str> {
        self.0.query.as_deref()
    }

    /// One header's value. The name's case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.get(name)?.to_str().ok()
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The body, if it is JSON.
    pub fn body(&self) -> Option<&Value> {
        self.0.json.as_ref()
    }

    /// The body's bytes.
    pub fn raw_body(&self) -> &[u8] {
        &self.0.raw
    }

    /// The `x-request-id` of the response to this request.
    pub fn request_id(&self) -> String {
        request_id(self.0.number)
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.0.headers.keys().map(http::HeaderName::as_str).collect();
        f.debug_struct("RecordedRequest")
            .field("request_id", &self.request_id())
            .field("method", &self.0.method)
            .field("path", &self.0.path)
            .field("query", &self.0.query)
            .field("headers", &headers)
            .field("body_bytes", &self.0.raw.len())
            .finish_non_exhaustive()
    }
}

pub(super) fn request_id(number: u64) -> String {
    format!("fake-{number}")
}

/// The latest requests, bounded so that a benchmark does not eat the machine.
pub(super) struct Log {
    kept: VecDeque<RecordedRequest>,
    limit: usize,
    seen: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self { kept: VecDeque::new(), limit: 10_000, seen: 0 }
    }
}

impl Log {
    pub(super) fn push(&mut self, request: RecordedRequest) {
        self.seen = self.seen.saturating_add(1);
        self.kept.push_back(request);
        self.set_limit(self.limit);
    }

    pub(super) fn keeps_any(&self) -> bool {
        self.limit > 0
    }

    pub(super) fn count_only(&mut self) {
        self.seen = self.seen.saturating_add(1);
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        while self.kept.len() > limit {
            self.kept.pop_front();
        }
    }

    pub(super) fn all(&self) -> Vec<RecordedRequest> {
        self.kept.iter().cloned().collect()
    }

    pub(super) fn seen(&self) -> usize {
        self.seen
    }

    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.seen = 0;
    }
}
