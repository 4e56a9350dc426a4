//! A server that sends canned bytes, and does as little as it can.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::canned;

/// How many were accepted over http.
static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

type Responses = Arc<HashMap<String, Vec<u8>>>;

/// Prints its addresses for http and https and the certificate of the second in one line, and serves until standard
/// input ends.
pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut responses = HashMap::new();
        let mut add =
            |path: &str, body: String| responses.insert(path.to_owned(), body.into_bytes());
        add("/api/svc/v1/secrets/secret-1", canned::one_secret());
        add("/api/svc/v1/secrets/pem", canned::secret_of(&canned::pem()));
        for size in canned::SIZES {
            let path = format!("/api/svc/v1/secrets/plain-{size}");
            add(&path, canned::secret_of(&canned::plain(size)));
        }
        add("/api/svc/v1/secrets", canned::values(100));
        for count in canned::COUNTS {
            add(&format!("/keys-{count}/api/svc/v1/secrets"), canned::values(count));
        }
        add("/api/svc/v1/secret-groups", canned::one_group());
        add("/slow/api/svc/v1/secrets", canned::values(50));
        add("/slow/api/svc/v1/secrets/secret-1", canned::one_secret());
        add("/api/svc/v1/secret-groups?limit=100&offset=0", canned::page(0, 100));
        for offset in (0..10_000).step_by(100) {
            for total in [100, 1_000, 10_000] {
                let path =
                    format!("/of-{total}/api/svc/v1/secret-groups?limit=100&offset={offset}");
                if offset < total {
                    add(&path, canned::page(offset, total));
                }
            }
        }
        let responses = Arc::new(responses);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tls_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (tls, certificate) = tls();
        let (address, tls_address) = (listener.local_addr(), tls_listener.local_addr());
        let certificate = certificate.replace('\n', "|");
        println!("{} {} {certificate}", address.unwrap(), tls_address.unwrap());
        std::io::stdout().flush().unwrap();
        let plain_responses = Arc::clone(&responses);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                CONNECTIONS.fetch_add(1, Relaxed);
                stream.set_nodelay(true).unwrap();
                tokio::spawn(serve(stream, Arc::clone(&plain_responses)));
            }
        });
        tokio::spawn(async move {
            loop {
                let (stream, _) = tls_listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (tls, responses) = (tls.clone(), Arc::clone(&responses));
                tokio::spawn(async move { serve(tls.accept(stream).await.ok()?, responses).await });
            }
        });
        let _ = tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin())).await;
    });
}

/// A certificate for `localhost` that a client has to trust, and what serves it.
fn tls() -> (TlsAcceptor, String) {
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key);
    (TlsAcceptor::from(Arc::new(config.unwrap())), issued.cert.pem())
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    responses: Responses,
) -> Option<()> {
    let mut received = Vec::new();
    loop {
        let head = loop {
            if let Some(at) = received.windows(4).position(|end| end == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut received).await.ok()? == 0 {
                return None;
            }
        };
        let text = String::from_utf8_lossy(&received[..head]).to_lowercase();
        let path = text.split(' ').nth(1)?.to_owned();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.trim().parse().unwrap());
        while received.len() < head + length {
            stream.read_buf(&mut received).await.ok()?;
        }
        let asked = fqns_in(&received[head..head + length]);
        received.drain(..head + length);
        if path.starts_with("/slow") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let refusal = path.strip_prefix("/refused-").and_then(|rest| rest.split('/').next());
        let refusal = refusal.map(|what| what.split_once('-').unwrap_or((what, "65536")));
        let refusal =
            refusal.map(|(status, length)| (status, body_of(status, length.parse().unwrap())));
        let listed = asked.map(|(first, count)| canned::values_from(first, count));
        let connections = path.ends_with("/connections");
        let connections = connections.then(|| CONNECTIONS.load(Relaxed).to_string());
        let listed = connections.or(listed);
        let (status, body) = match (&refusal, &listed, responses.get(&path)) {
            (Some((status, body)), ..) => (*status, body.as_bytes()),
            (None, Some(body), _) => ("200", body.as_bytes()),
            (None, None, Some(body)) => ("200", body.as_slice()),
            (None, None, None) => ("404", &b""[..]),
        };
        let mut response = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nx-request-id: r-1\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        response.extend_from_slice(body);
        stream.write_all(&response).await.ok()?;
        // TLS keeps records until it is told that no more follows.
        stream.flush().await.ok()?;
    }
}

/// The first of the keys that a list of names asks for, and how many there are.
fn fqns_in(body: &[u8]) -> Option<(usize, usize)> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, names) = text.split_once("secretFqns")?;
    let first = names.split("KEY-").nth(1)?.get(..4)?.parse().ok()?;
    Some((first, names.matches("KEY-").count()))
}

/// The body of a failure with this status, of about this length if it may have any.
fn body_of(status: &str, length: usize) -> String {
    match status {
        "404" => r#"{"statusCode":404,"message":"Secret group ID not found"}"#.to_owned(),
        "409" => {
            r#"{"statusCode":409,"message":"Secret prod-DB0 is currently in a deleted but recoverable state, and its name cannot be reused","code":"ObjectIsDeletedButRecoverable"}"#.to_owned()
        }
        "422" => {
            let problems: Vec<String> = (0..32)
                .map(|n| format!("\"secrets.{n}.value must be shorter than or equal to 65536 characters, and this problem goes on as long as such a problem of a validator does\""))
                .collect();
            format!(r#"{{"statusCode":422,"message":[{}]}}"#, problems.join(","))
        }
        "503" => "a".repeat(length),
        _ => {
            let line = "<p>The page of a proxy, with more words than any person reads.</p>\n";
            format!("<html><body>{}</body></html>", line.repeat(length / line.len()))
        }
    }
}
