//! Faults on demand.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::parsed_request::Call;
use super::pattern::Pattern;
use super::response::Response;

/// A fault that happens to the next request, or to the next few.
///
/// Pass it to [`FakeTrueFoundry::inject`](super::FakeTrueFoundry::inject). Faults wait in a queue:
/// a request takes the first one that matches it, and a fault is removed once it has happened
/// [`times`](Self::times) times (default: once).
///
/// ```
/// use truefoundry_secrets::testing::Fault;
///
/// let busy = Fault::status(503).times(2).on("PUT /secret-groups/").retry_after("2");
/// let lost = Fault::drop_after().on("secrets.delete");
/// # let _ = (busy, lost);
/// ```
#[derive(Clone)]
#[must_use = "a fault does nothing until it is injected"]
pub struct Fault {
    pub(super) action: Action,
    pub(super) wait: Option<Duration>,
    pattern: Pattern,
    left: usize,
}

#[derive(Clone)]
pub(super) enum Action {
    /// Nothing but the wait.
    Respond,
    Status {
        response: Response,
        after_work: bool,
    },
    DropBefore,
    DropAfter,
    CutBody,
    Late(Duration),
}

impl Fault {
    fn new(action: Action) -> Self {
        Self { action, wait: None, pattern: Pattern::Any, left: 1 }
    }

    /// Responds with this status, and does not do the work.
    ///
    /// The body is the service's own form of an error until [`body`](Self::body),
    /// [`json`](Self::json) or [`message`](Self::message) gives another. Success is possible too:
    /// `Fault::status(200).json(..)` is a canned response.
    pub fn status(status: u16) -> Self {
        let message = http::StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Unknown");
        Self::new(Action::Status { response: Response::error(status, message), after_work: false })
    }

    /// Responds correctly, but only after this long.
    pub fn delay(wait: Duration) -> Self {
        Self::new(Action::Respond).wait(wait)
    }

    /// Closes the connection without doing the work.
    pub fn drop_before() -> Self {
        Self::new(Action::DropBefore)
    }

    /// Does the work, then closes the connection without a response.
    pub fn drop_after() -> Self {
        Self::new(Action::DropAfter)
    }

    /// Does the work, then closes the connection in the middle of the response's body.
    pub fn cut_body() -> Self {
        Self::new(Action::CutBody)
    }

    /// Closes the connection at once, and does the work only this much later.
    ///
    /// [`FakeTrueFoundry::idle`](super::FakeTrueFoundry::idle) waits until it is done.
    pub fn delay_work(later: Duration) -> Self {
        Self::new(Action::Late(later))
    }

    /// How many requests this happens to.
    pub fn times(mut self, times: usize) -> Self {
        self.left = times;
        self
    }

    /// Happens to every matching request, until
    /// [`clear_faults`](super::FakeTrueFoundry::clear_faults).
    pub fn forever(self) -> Self {
        self.times(usize::MAX)
    }

    /// Which requests this happens to; see [the patterns](super#patterns).
    pub fn on(mut self, pattern: &str) -> Self {
        self.pattern = Pattern::parse(pattern);
        self
    }

    /// Waits this long before anything else happens.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// With [`status`](Self::status): does the work first, as a gateway that times out does.
    pub fn after_work(mut self) -> Self {
        if let Action::Status { after_work, .. } = &mut self.action {
            *after_work = true;
        }
        self
    }

    /// With [`status`](Self::status): the `Retry-After` header, in seconds or as a date.
    pub fn retry_after(self, value: &str) -> Self {
        self.header("retry-after", value)
    }

    /// With [`status`](Self::status): another header of the response. One that is not valid is left out.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.change(|response| response.header(name, value))
    }

    /// With [`status`](Self::status): the `message` of the error.
    pub fn message(self, message: &str) -> Self {
        self.change(|response| {
            keep_headers(Response::error(response.status.as_u16(), message), &response)
        })
    }

    /// With [`status`](Self::status): the `code` of the error, a number or a string. Set it after
    /// [`message`](Self::message) or [`json`](Self::json), which replace the body.
    pub fn code(self, code: impl Into<Value>) -> Self {
        self.change(|response| response.code(code))
    }

    /// With [`status`](Self::status): another JSON body.
    #[allow(clippy::needless_pass_by_value, reason = "callers write it as a literal")]
    pub fn json(self, body: Value) -> Self {
        self.change(|response| {
            keep_headers(Response::json(response.status.as_u16(), &body), &response)
        })
    }

    /// With [`status`](Self::status): another body, such as a proxy's page.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.change(|response| {
            let mut other = Response::bytes(response.status.as_u16(), content_type, body.into());
            other = keep_headers(other, &response);
            other.header("content-type", content_type)
        })
    }

    fn change(mut self, change: impl FnOnce(Response) -> Response) -> Self {
        self.action = match self.action {
            Action::Status { response, after_work } => {
                Action::Status { response: change(response), after_work }
            }
            other => other,
        };
        self
    }
}

/// Keeps the headers set so far, whatever the order of the builder's calls.
fn keep_headers(mut response: Response, before: &Response) -> Response {
    for (name, value) in before.headers.iter() {
        if !response.headers.contains_key(name) {
            response.headers.insert(name.clone(), value.clone());
        }
    }
    response
}

/// Without the response's body: a test may have put a secret into it.
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match &self.action {
            Action::Respond => "delay".to_owned(),
            Action::Status { response, .. } => format!("status {}", response.status.as_u16()),
            Action::DropBefore => "drop before the work".to_owned(),
            Action::DropAfter => "drop after the work".to_owned(),
            Action::CutBody => "cut body".to_owned(),
            Action::Late(later) => format!("work {later:?} later"),
        };
        f.debug_struct("Fault")
            .field("action", &action)
            .field("wait", &self.wait)
            .field("on", &self.pattern)
            .field("left", &self.left)
            .finish()
    }
}

#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn pending(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take(&mut self, call: &Call) -> Option<Fault> {
        let fault =
            self.0.iter_mut().find(|fault| fault.left > 0 && fault.pattern.matches(call))?;
        if fault.left != usize::MAX {
            fault.left = fault.left.saturating_sub(1);
        }
        let taken = fault.clone();
        self.0.retain(|fault| fault.left > 0);
        Some(taken)
    }
}
