//! What the server says, before it becomes bytes on a socket.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

#[derive(Clone)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: Box<HeaderMap>,
    pub(super) body: Bytes,
}

pub(super) struct Problem {
    pub(super) path: String,
    pub(super) message: &'static str,
}

impl Response {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json; charset=utf-8", Bytes::from(body.to_string()))
    }

    pub(super) fn bytes(status: u16, content_type: &str, body: Bytes) -> Self {
        let response = Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: Box::default(),
            body,
        };
        response.header(CONTENT_TYPE.as_str(), content_type)
    }

    pub(super) fn error(status: u16, message: impl Into<Value>) -> Self {
        Self::json(status, &json!({ "statusCode": status, "message": message.into() }))
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            self.headers.insert(name, value);
        }
        self
    }

    pub(super) fn code(self, code: impl Into<Value>) -> Self {
        self.member("code", code.into())
    }

    /// What is wrong with which field. Objects, because the official SDK accepts nothing else here.
    pub(super) fn details(self, problems: &[Problem]) -> Self {
        let details: Vec<Value> = problems
            .iter()
            .map(|problem| json!({ "path": problem.path, "message": problem.message }))
            .collect();
        self.member("details", details.into())
    }

    fn member(mut self, name: &str, value: Value) -> Self {
        if let Ok(Value::Object(mut body)) = serde_json::from_slice(&self.body) {
            body.insert(name.to_owned(), value);
            self.body = Bytes::from(Value::Object(body).to_string());
        }
        self
    }
}
