//! One request, taken apart.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::logins::OLDER_REFRESH;
use super::response::Response;

pub(super) const API: &str = "/api/svc/v1";

pub(super) struct Call {
    pub(super) number: u64,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The path below the API's base, still encoded. `None` if it is not below it.
    pub(super) route: Option<String>,
    /// Whether it is the one endpoint that is not below the API's base.
    pub(super) is_older_refresh: bool,
}

pub(super) struct Window {
    pub(super) limit: usize,
    pub(super) offset: usize,
}

impl Call {
    pub(super) fn new(number: u64, prefix: &str, parts: Parts, body: Bytes) -> Self {
        let path = parts.uri.path().to_owned();
        let is_older_refresh = path.strip_prefix(prefix) == Some(OLDER_REFRESH);
        let route = path
            .strip_prefix(prefix)
            .and_then(|path| path.strip_prefix(API))
            .filter(|route| route.is_empty() || route.starts_with('/'))
            .map(str::to_owned);
        Self {
            number,
            method: parts.method,
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers,
            body,
            path,
            route,
            is_older_refresh,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Split before decoding: an encoded slash belongs to the segment it is in.
    pub(super) fn segments(&self) -> Result<Vec<String>, Response> {
        let route = self.route.as_deref().unwrap_or_default();
        let route = route.strip_prefix('/').unwrap_or(route);
        let route = route.strip_suffix('/').unwrap_or(route);
        route
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8().map(Into::into))
            .collect::<Result<_, _>>()
            .map_err(|_| Response::error(400, "Failed to decode the path"))
    }

    pub(super) fn params(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes())
            .into_owned()
            .collect()
    }

    pub(super) fn param(&self, name: &str) -> Option<String> {
        self.params().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Response> {
        match self.param(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(bad_request(format!("{name} must be a boolean value"))),
        }
    }

    pub(super) fn window(&self) -> Result<Window, Response> {
        let number = |name: &str, default: usize| match self.param(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| bad_request(format!("{name} must be an integer not less than 0"))),
        };
        Ok(Window { limit: number("limit", 100)?, offset: number("offset", 0)? })
    }

    pub(super) fn json(&self) -> Result<Map<String, Value>, Response> {
        let json = self.header("content-type").is_some_and(|value| {
            value
                .split(';')
                .next()
                .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        });
        if !json {
            return Err(Response::error(415, "Unsupported Media Type"));
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(body)) => Ok(body),
            Ok(_) => Err(Response::error(400, "The body must be a JSON object")),
            Err(_) => Err(Response::error(400, "The body is not valid JSON")),
        }
    }
}

/// Validation responds with a list of messages.
pub(super) fn bad_request(message: String) -> Response {
    Response::error(400, vec![message])
}

pub(super) fn body_window(body: &Map<String, Value>) -> Result<Window, Response> {
    let number = |name: &str, default: usize| match body.get(name) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value
            .as_u64()
            .and_then(|value| usize::try_from(value).ok())
            .ok_or_else(|| bad_request(format!("{name} must be an integer not less than 0"))),
    };
    Ok(Window { limit: number("limit", 100)?, offset: number("offset", 0)? })
}
