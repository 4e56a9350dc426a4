use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::Error;
use crate::operation::{Operation, Resource};
use crate::redact::Wait;

/// The request and its response: the part that all errors of a call share.
///
/// A text from the server that shows the API key, or a value of four bytes or more that the
/// operation sent, is withheld as a whole: it is replaced by `(message withheld)`, and a code or
/// request identifier is left out. The same applies to a text that shows 16 consecutive letters and
/// digits of a value. Texts may contain the names of keys. `Debug` leaves out the details, in which
/// a server may put anything.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// if let Err(error) = client.check().await
///     && let Some(context) = error.context()
/// {
///     eprintln!("{} {}: {:?}", context.method(), context.path(), context.status());
///     eprintln!("request {:?}, {} attempts", context.request_id(), context.attempts());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CallContext {
    pub(crate) operation: Operation,
    pub(crate) path: Box<str>,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<Box<str>>,
    pub(crate) message: Option<Box<str>>,
    pub(crate) details: Option<Box<str>>,
    pub(crate) request_id: Option<Box<str>>,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) may_have_been_applied: bool,
    /// Whether the request may still take effect; `false` if the service itself says that it has
    /// ended.
    pub(crate) may_still_arrive: bool,
    /// When the token that was sent expired, according to its own claims.
    pub(crate) token_expired: Option<Timestamp>,
    /// Whether the base URL begins with `http://`, and no response has confirmed it yet.
    pub(crate) may_expect_tls: bool,
    /// How long the next edit of the group waits for this write.
    pub(crate) edit_wait: Option<Duration>,
}

impl CallContext {
    /// The context of a call that succeeded without a usable result.
    pub(crate) fn of_success(operation: Operation, path: String) -> Self {
        Self {
            operation,
            path: path.into(),
            // A 200 would read as the reason for the failure.
            status: None,
            code: None,
            message: None,
            details: None,
            request_id: None,
            attempts: 1,
            elapsed: Duration::ZERO,
            may_have_been_applied: false,
            may_still_arrive: false,
            token_expired: None,
            may_expect_tls: false,
            edit_wait: None,
        }
    }

    /// The operation that failed.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The HTTP method of the request.
    pub fn method(&self) -> &'static str {
        match self.operation.method() {
            http::Method::POST => "POST",
            http::Method::PUT => "PUT",
            http::Method::DELETE => "DELETE",
            _ => "GET",
        }
    }

    /// The path of the request, percent-encoded and without its query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The status of the last response, if there was one. If the body of a successful response
    /// states a failure (`{"statusCode": 500, ..}`), that status counts.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The server's own error code, as text.
    pub fn server_code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The server's message, at most 2 KiB of it, or `(message withheld)`. Control characters are kept: escape them
    /// before printing (this crate's own `Display` does).
    pub fn server_message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The server's `details`, at most 1 KiB of them: a string as its text, anything else as JSON;
    /// or `(message withheld)`. No `Debug` or `Display` shows it.
    pub fn server_details(&self) -> Option<&str> {
        self.details.as_deref()
    }

    /// The identifier that the server gave the request (`x-request-id` or similar), to quote to
    /// support.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The number of attempts, including the first.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The time from the start of the call to its failure, waits between attempts included.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

impl Error {
    pub(crate) fn not_found(resource: Resource, id: &str, context: CallContext) -> Self {
        Self::NotFound { resource, id: id.into(), context: Box::new(context) }
    }

    /// The error of responses that contradict each other, for which no line and column exist.
    pub(crate) fn not_understood(context: CallContext) -> Self {
        Self::Decode { line: 0, column: 0, content_type: None, context: Box::new(context) }
    }
}

/// Everything but the server's details, which can hold anything.
impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext")
            .field("operation", &self.operation)
            .field("path", &self.path)
            .field("status", &self.status)
            .field("code", &self.code)
            .field("message", &self.message)
            .field("request_id", &self.request_id)
            .field("attempts", &self.attempts)
            .field("elapsed", &self.elapsed)
            .field("may_have_been_applied", &self.may_have_been_applied)
            .finish_non_exhaustive()
    }
}

/// The tail of an error's line: what the server said, then how to find the call in logs.
impl fmt::Display for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = self.message.as_deref().filter(|text| !text.is_empty()) {
            write!(f, ": {}", crate::redact::escape_control(message))?;
        }
        write!(f, " [{} {}", self.method(), crate::redact::escape_control(&self.path))?;
        if let Some(status) = self.status {
            write!(f, ", status {status}")?;
        }
        if let Some(code) = self.code.as_deref() {
            write!(f, ", code {}", crate::redact::escape_control(code))?;
        }
        if let Some(id) = self.request_id.as_deref() {
            write!(f, ", request {}", crate::redact::escape_control(id))?;
        }
        if self.attempts > 1 {
            write!(f, ", {} attempts in {}", self.attempts, Wait(self.elapsed))?;
        }
        f.write_str("]")
    }
}
