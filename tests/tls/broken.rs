//! Connections that fail in other ways than by their certificate.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use truefoundry_secrets::{ConnectReason, Error, RetryPolicy};

use crate::authority::{Authority, VALID};
use crate::server::{SECRET, Server, Then, accept, client, ok};

fn at_once() -> RetryPolicy {
    RetryPolicy::default().base_delay(Duration::from_millis(1)).max_retries(2)
}

fn reason(error: &Error) -> ConnectReason {
    match error {
        Error::Connect { reason, .. } => *reason,
        other => panic!("expected a failed connection, got {other:?}"),
    }
}

#[tokio::test]
async fn a_server_without_tls_behind_an_https_url_fails_the_handshake() {
    let authority = Authority::new("ours");
    // One waits for a request that it understands, one responds to the first bytes, one hangs up on them.
    let refusing = accept(async |mut stream| {
        let _ = stream.read(&mut [0; 16]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await;
    });
    let closing = accept(async |mut stream| {
        let _ = stream.read(&mut [0; 4096]).await;
    });
    for port in [refusing.await, closing.await] {
        let client = client(&format!("https://localhost:{port}"))
            .tls_certs_only([authority.root()])
            .retry(at_once())
            .build()
            .unwrap();
        let error = client.secrets().get("s-1").await.unwrap_err();
        assert_eq!(reason(&error), ConnectReason::Tls, "{error:?}");
        assert!(error.hint().contains("speak TLS (https://)"), "{}", error.hint());
        // It may be a server that is just starting, and nothing was sent.
        assert_eq!(error.context().unwrap().attempts(), 3);
        assert!(!error.may_have_been_applied());
    }
}

#[tokio::test]
async fn plain_http_to_a_tls_port_asks_for_https_at_once() {
    let config = Authority::new("ours").server("localhost", VALID);
    let server = Server::tls(config, ok(SECRET)).await;
    let url = server.https().replace("https://", "http://");
    let client = client(&url).tls_certs_only([]).retry(at_once()).build().unwrap();
    let error = client.secrets().get("s-1").await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    let hint = error.hint();
    assert!(hint.starts_with("Check whether the base URL must begin with https://"), "{hint}");
    assert_eq!((server.connections(), server.requests()), (1, 0));
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_ended_by_the_connect_timeout() {
    let port = accept(async |mut stream| {
        let mut read = [0; 4096];
        while stream.read(&mut read).await.is_ok_and(|read| read > 0) {}
    });
    let client = client(&format!("https://localhost:{}", port.await))
        .tls_certs_only([Authority::new("ours").root()])
        .connect_timeout(Duration::from_millis(100))
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let error = client.secrets().get("s-1").await.unwrap_err();
    assert_eq!(reason(&error), ConnectReason::Timeout, "{error:?}");
    assert!(!error.may_have_been_applied());
}

#[tokio::test]
async fn a_response_that_is_cut_off_is_never_taken_for_the_whole() {
    let authority = Authority::new("ours");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    for response in [
        // Less than was announced.
        format!("{head}content-length: 4096\r\n\r\n{SECRET}"),
        // The last chunk is missing.
        format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{SECRET}\r\n", SECRET.len()),
        // Not even the head.
        "HTTP/1.1 200 OK\r\ncontent-".to_owned(),
    ] {
        let config = authority.server("localhost", VALID);
        let server = Server::start(Some(config), response.clone(), Then::Cut).await;
        let client = client(&server.https())
            .tls_certs_only([authority.root()])
            .retry(at_once())
            .build()
            .unwrap();
        let error = client.secrets().get("s-1").await.unwrap_err();
        assert!(matches!(error, Error::Transport { .. }), "{response} {error:?}");
        assert_eq!(error.context().unwrap().attempts(), 3, "a read may be repeated");

        // A write may have been done, and is not retried.
        let before = server.requests();
        let list = [truefoundry_secrets::SecretUpdate::keep("A")];
        let error = client.secret_groups().replace_secrets("g-1", &list).await.unwrap_err();
        assert!(matches!(error, Error::Transport { .. }), "{response} {error:?}");
        assert!(error.may_have_been_applied());
        assert_eq!(error.context().unwrap().attempts(), 1);
        assert_eq!(server.requests(), before + 1);
    }
}

/// A response that ends with the connection, although TLS did not announce the end: an attacker in
/// between may have cut it there. rustls refuses it; OpenSSL does not, and then only complete JSON
/// is accepted.
#[tokio::test]
async fn a_response_without_a_length_is_not_taken_where_it_may_have_been_cut() {
    let authority = Authority::new("ours");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    for (body, whole) in [(SECRET, true), (&SECRET[..30], false), ("", false)] {
        let config = authority.server("localhost", VALID);
        let server = Server::start(Some(config), format!("{head}{body}"), Then::Cut).await;
        let client = client(&server.https())
            .tls_certs_only([authority.root()])
            .retry(RetryPolicy::none())
            .build()
            .unwrap();
        match client.secrets().get("s-1").await {
            Ok(_) => assert!(whole && cfg!(not(feature = "rustls")), "{body}"),
            Err(Error::Transport { .. }) => {}
            Err(Error::Decode { .. }) if cfg!(not(feature = "rustls")) => {}
            Err(other) => panic!("{body} {other:?}"),
        }
    }
}

#[tokio::test]
async fn nothing_listening_is_not_called_a_tls_failure() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let client = client(&format!("https://127.0.0.1:{port}"))
        .tls_certs_only([Authority::new("ours").root()])
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let error = client.secrets().get("s-1").await.unwrap_err();
    assert_eq!(reason(&error), ConnectReason::ConnectionRefused, "{error:?}");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let authority = Authority::new("ours");
    let server = Server::tls(authority.server("localhost", VALID), ok(SECRET)).await;
    let client = client(&server.https()).tls_certs_only([authority.root()]).build().unwrap();
    for _ in 0..3 {
        client.secrets().get("s-1").await.unwrap();
    }
    assert_eq!((server.connections(), server.requests()), (1, 3));
}
