//! A client that hides nothing: bytes out, bytes in. It does not use the crate's own client, so
//! that the two cannot share a mistake.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use truefoundry_secrets::testing::FakeTrueFoundry;

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, head, body: bytes[end + 4..].to_vec() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()["data"].clone()
    }

    /// Status, message and code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        assert_eq!(body["statusCode"], self.status);
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (self.status, text(&body["message"]), text(&body["code"]))
    }
}

pub(crate) fn host(fake: &FakeTrueFoundry) -> String {
    let url = fake.base_url();
    url.trim_start_matches("http://").split('/').next().unwrap().to_owned()
}

pub(crate) fn request(fake: &FakeTrueFoundry, line: &str, body: &str) -> String {
    let (method, path) = line.split_once(' ').unwrap();
    let prefix = fake.base_url().replace(&format!("http://{}", host(fake)), "");
    let (host, key) = (host(fake), fake.api_key());
    let body_headers = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
    };
    format!(
        "{method} {prefix}/api/svc/v1{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Authorization: Bearer {key}\r\n{body_headers}\r\n{body}"
    )
}

/// Everything that is received until the server closes the connection.
pub(crate) async fn exchange(fake: &FakeTrueFoundry, request: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(host(fake)).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await?;
    Ok(received)
}

/// One call that needs a response. `line` is method and path below `/api/svc/v1`.
pub(crate) async fn call(
    fake: &FakeTrueFoundry,
    line: &str,
    body: impl Into<Option<Value>>,
) -> Reply {
    let body = body.into().map(|body| body.to_string()).unwrap_or_default();
    let received = exchange(fake, &request(fake, line, &body)).await.unwrap();
    Reply::parse(&received).unwrap()
}

pub(crate) async fn get(fake: &FakeTrueFoundry, path: &str) -> Reply {
    call(fake, &format!("GET {path}"), None).await
}

/// The response to a request that is sent unchanged.
pub(crate) async fn send(fake: &FakeTrueFoundry, request: &str) -> Reply {
    Reply::parse(&exchange(fake, request).await.unwrap()).unwrap()
}
