//! Every endpoint against every kind of response: which error comes out, and after how many requests.

use truefoundry_secrets::{Error, NewSecretGroup};

use crate::support::endpoints::{self, Endpoint, SENT};
use crate::support::raw::{RawServer, chunked, response};
use crate::support::{assert_nowhere, assert_well_formed, builder, tenant_client, variant};

const JSON: &str = "content-type: application/json\r\nx-request-id: req-42\r\n";
const HTML: &str = "content-type: text/html\r\nx-request-id: req-42\r\n";
const LIMIT: usize = 4096;

/// Which endpoints treat this response as a success.
#[derive(Clone, Copy, PartialEq)]
enum Success {
    No,
    OfDeletes,
    Always,
}

struct Row {
    name: &'static str,
    response: fn(Endpoint) -> Vec<u8>,
    success: Success,
    variant: &'static str,
    status: u16,
    /// Reads and deletes are retried.
    repeated: bool,
    /// A write or delete may have been done.
    unclear: bool,
    retryable: bool,
}

impl Row {
    const fn new(name: &'static str, response: fn(Endpoint) -> Vec<u8>) -> Self {
        Self {
            name,
            response,
            success: Success::No,
            variant: "",
            status: 200,
            repeated: false,
            unclear: false,
            retryable: false,
        }
    }

    const fn success(mut self, success: Success) -> Self {
        self.success = success;
        self
    }

    /// Refused: nothing was done, and a retry would not help.
    const fn refused(mut self, status: u16, variant: &'static str) -> Self {
        self.status = status;
        self.variant = variant;
        self
    }

    /// Possibly done, but the response cannot be used.
    const fn unusable(mut self, variant: &'static str) -> Self {
        self.variant = variant;
        self.unclear = true;
        self
    }

    const fn failed(mut self, status: u16, variant: &'static str, unclear: bool) -> Self {
        self.status = status;
        self.variant = variant;
        self.repeated = true;
        self.retryable = true;
        self.unclear = unclear;
        self
    }
}

const ROWS: [Row; 22] = [
    Row::new("success", |e| response(200, JSON, e.success())).success(Success::Always),
    Row::new("success in pieces", |e| {
        chunked(201, JSON, &e.success().as_bytes().chunks(1).collect::<Vec<_>>())
    })
    .success(Success::Always),
    Row::new("401", |_| response(401, JSON, r#"{"message":"Unauthorized"}"#))
        .refused(401, "Unauthorized"),
    Row::new("403", |_| response(403, JSON, r#"{"message":"Cannot access secrets"}"#))
        .refused(403, "PermissionDenied"),
    Row::new("404", |_| response(404, JSON, r#"{"message":"Secret group ID not found"}"#))
        .refused(404, "NotFound"),
    Row::new("409", |_| response(409, JSON, r#"{"message":"Busy"}"#)).refused(409, "Conflict"),
    Row::new("422", |_| response(422, JSON, r#"{"message":["name must be a string","b"]}"#))
        .refused(422, "InvalidRequest"),
    Row::new("418", |_| response(418, JSON, "")).refused(418, "UnexpectedStatus"),
    Row {
        repeated: false,
        ..Row::new("424", |_| response(424, JSON, r#"{"message":"store down"}"#)).failed(
            424,
            "StoreFailed",
            true,
        )
    },
    Row::new("429", |_| response(429, &format!("{JSON}retry-after: 0\r\n"), "slow down")).failed(
        429,
        "RateLimited",
        false,
    ),
    Row::new("408", |_| response(408, JSON, "")).failed(408, "Service", true),
    Row::new("500", |_| response(500, JSON, r#"{"message":"oops\nforged line"}"#))
        .failed(500, "Service", true),
    Row::new("503", |_| response(503, HTML, "<html><title>busy</title></html>"))
        .failed(503, "Service", true),
    Row::new("malformed", |_| response(200, JSON, r#"{"data": oops}"#)).unusable("Decode"),
    Row::new("truncated", |_| response(200, JSON, r#"{"data":{"id":"g-"#)).unusable("Decode"),
    Row::new("wrong type", |_| response(200, JSON, r#"{"data":7}"#))
        .success(Success::OfDeletes)
        .unusable("Decode"),
    Row::new("another thing", |_| response(200, JSON, r#"{"status":"ok"}"#))
        .success(Success::OfDeletes)
        .unusable("Decode"),
    Row::new("empty", |_| response(200, JSON, "")).success(Success::OfDeletes).unusable("Decode"),
    Row {
        status: 204,
        ..Row::new("204", |_| format!("HTTP/1.1 204 X\r\n{JSON}\r\n").into_bytes())
            .success(Success::OfDeletes)
            .unusable("Decode")
    },
    Row::new("too long, announced", |_| response(200, JSON, vec![b' '; LIMIT + 1]))
        .unusable("ResponseTooLarge"),
    Row::new("too long, in pieces", |_| chunked(200, JSON, &[&[b' '; LIMIT], b" "]))
        .unusable("ResponseTooLarge"),
    Row::new("HTML", |_| response(200, HTML, "<html>Log in</html>")).unusable("Decode"),
];

#[tokio::test]
async fn every_endpoint_makes_the_same_of_every_response() {
    for row in &ROWS {
        for endpoint in endpoints::ALL {
            let case = format!("{endpoint:?}, {}", row.name);
            let server = RawServer::always((row.response)(endpoint));
            let client =
                builder(server.url()).tenant("my-tenant").response_limit(LIMIT).build().unwrap();
            let result = endpoint.call(&client).await;
            let success = match row.success {
                Success::Always => true,
                Success::OfDeletes => endpoint.is_delete(),
                Success::No => false,
            };
            if success {
                assert!(result.is_ok(), "{case}: {result:?}");
                assert_eq!(server.count(), 1, "{case}");
                continue;
            }
            let error = result.expect_err(&case);
            let requests = if row.repeated && !endpoint.is_write() { 4 } else { 1 };
            assert_eq!(server.count(), requests, "{case}");
            check(&error, row, endpoint, requests, &case);
        }
    }
}

fn check(error: &Error, row: &Row, endpoint: Endpoint, requests: usize, case: &str) {
    let looks_nothing_up = matches!(
        endpoint,
        Endpoint::ListGroups
            | Endpoint::ListPartial
            | Endpoint::ListStores
            | Endpoint::ListAccounts
            | Endpoint::Whoami
    );
    let not_found = row.status == 404 && !looks_nothing_up;
    let expected =
        if row.status == 404 && looks_nothing_up { "UnexpectedStatus" } else { row.variant };
    assert_eq!(variant(error), expected, "{case}");
    assert_eq!(error.status(), Some(row.status), "{case}");
    assert_eq!(error.request_id(), Some("req-42"), "{case}");
    assert_eq!(error.is_retryable(), row.retryable, "{case}");
    assert_eq!(error.is_not_found(), not_found, "{case}");
    let changes = endpoint.is_write() || endpoint.is_delete();
    assert_eq!(error.may_have_been_applied(), row.unclear && changes, "{case}");
    let context = error.context().expect(case);
    assert_eq!(context.attempts() as usize, requests, "{case}");
    assert!(context.path().starts_with("/api/svc/v1/"), "{case}: {}", context.path());
    assert!(!context.path().contains('?'), "{case}: {}", context.path());
    let line = error.to_string();
    for part in [context.method(), context.path(), &row.status.to_string(), "req-42"] {
        assert!(line.contains(part), "{case}: {part} not in {line}");
    }
    assert_well_formed(error);
    assert_nowhere(error, &[SENT]);
}

#[tokio::test]
async fn a_limit_is_reached_only_by_one_byte_more() {
    let body = r#"{"data":{"id":"s-1","value":"v"}}"#;
    for (limit, fits) in [(body.len(), true), (body.len() - 1, false)] {
        for bytes in [response(200, JSON, body), chunked(200, JSON, &[body.as_bytes()])] {
            let server = RawServer::always(bytes);
            let client = builder(server.url()).response_limit(limit).build().unwrap();
            let result = client.secrets().get("s-1").await;
            match result {
                Ok(_) => assert!(fits),
                Err(Error::ResponseTooLarge { limit: told, .. }) => assert!(!fits && told == limit),
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[tokio::test]
async fn a_decode_error_says_where_and_nothing_of_what() {
    let body = "{\"data\":\n {\"id\": \"g-1\",\n  \"fqn\": {\"quoted\": \"t0p-s3cret-text\"}}}";
    let server = RawServer::always(response(200, JSON, body));
    let error = tenant_client(server.url()).secret_groups().get("g-1").await.unwrap_err();
    let Error::Decode { line, column, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*line, *column > 0), (3, true), "{error}");
    assert_nowhere(&error, &["t0p-s3cret-text", "quoted", "invalid type"]);
}

#[tokio::test]
async fn a_rate_limit_tells_how_long_to_wait() {
    for (headers, seconds) in [("retry-after: 3600\r\n", Some(3600)), ("", None)] {
        let server = RawServer::always(response(429, headers, ""));
        let client = tenant_client(server.url());
        let new = NewSecretGroup::in_integration("app", "i-1").secret("K", SENT);
        let error = client.secret_groups().create(new).await.unwrap_err();
        let Error::RateLimited { retry_after, .. } = &error else { panic!("{error:?}") };
        assert_eq!(retry_after.map(|wait| wait.as_secs()), seconds);
        assert_well_formed(&error);
    }
}

#[tokio::test]
async fn a_request_id_is_found_under_every_name_and_bounded() {
    let long = "x".repeat(5000);
    let bounded = format!("{}…", &long[..125]);
    for (headers, expected) in [
        ("x-request-id: a\r\n".to_owned(), Some("a")),
        ("X-Correlation-Id: b\r\n".to_owned(), Some("b")),
        ("x-amzn-RequestId: c\r\n".to_owned(), Some("c")),
        ("CF-RAY: d\r\n".to_owned(), Some("d")),
        ("cf-ray: d\r\nx-request-id: a\r\n".to_owned(), Some("a")),
        (format!("x-request-id: {long}\r\n"), Some(&*bounded)),
        ("x-request-id: \u{e9}\r\n".to_owned(), None),
        (String::new(), None),
    ] {
        let server = RawServer::always(response(400, &headers, ""));
        let error = tenant_client(server.url()).secrets().get("s").await.unwrap_err();
        assert_eq!(error.request_id(), expected, "{headers}");
        assert_well_formed(&error);
    }
}
