use std::time::Duration;

use truefoundry_secrets::RetryPolicy;

use crate::support::clock::{HeldClock, pass};
use crate::support::endpoints::Endpoint;
use crate::support::raw::{Act, RawServer, ok, response};
use crate::support::{assert_well_formed, builder, tenant_client, variant};

#[tokio::test]
async fn endless_headers_are_a_broken_connection() {
    for line in ["x-a: b\r\n", "x-long: ", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"] {
        let server = RawServer::start(move |_, _| {
            Act::Endless(b"HTTP/1.1 200 OK\r\nx-first: y".to_vec(), line.repeat(100).into_bytes())
        });
        let client = builder(server.url()).retry(RetryPolicy::none()).build().unwrap();
        let error = client.secrets().get("s").await.unwrap_err();
        assert_eq!((variant(&error), server.count()), ("Transport".into(), 1), "{line:?}");
        assert_well_formed(&error);
    }
}

#[tokio::test]
async fn one_interim_response_is_passed_over() {
    let body = ok(r#"{"data":{"id":"s"}}"#);
    let bytes = [&b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"[..], &body].concat();
    let server = RawServer::always(bytes);
    Endpoint::GetSecret.call(&tenant_client(server.url())).await.unwrap();
}

#[tokio::test]
async fn a_huge_header_is_harmless() {
    let long = "h".repeat(60_000);
    for name in ["x-request-id", "retry-after", "location", "content-type", "x-other"] {
        let headers = format!("{name}: {long}\r\n");
        for status in [200, 302, 403, 429] {
            let server = RawServer::always(response(status, &headers, r#"{"data":{"id":"s"}}"#));
            let client = builder(server.url()).retry(RetryPolicy::none()).build().unwrap();
            match client.secrets().get("s").await {
                Ok(_) => assert_eq!(status, 200, "{name}"),
                Err(error) => {
                    assert_eq!(error.status(), Some(status), "{name}");
                    assert!(error.to_string().len() < 4096, "{name} {status}");
                    assert_well_formed(&error);
                }
            }
        }
    }
}

#[tokio::test]
async fn heads_that_are_not_http_are_a_broken_connection() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 99999 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02",
        "<html>hello</html>\r\n\r\n",
    ] {
        let server = RawServer::start(move |_, _| Act::SendThenClose(head.into()));
        let client = builder(server.url()).retry(RetryPolicy::none()).build().unwrap();
        let error = client.secrets().get("s").await.unwrap_err();
        assert_eq!((variant(&error), server.count()), ("Transport".into(), 1), "{head:?}");
        assert_well_formed(&error);
    }
}

#[tokio::test]
async fn strange_statuses_are_told_as_they_are() {
    for code in [201, 202, 206, 299] {
        let server = RawServer::always(response(code, "", r#"{"data":{"id":"s"}}"#));
        Endpoint::GetSecret.call(&tenant_client(server.url())).await.unwrap();
    }
    for code in [402, 405, 410, 451, 501, 599, 600, 999] {
        let server = RawServer::always(response(code, "", ""));
        let error = tenant_client(server.url()).secrets().delete("s").await.unwrap_err();
        let expected = if (500..600).contains(&code) { "Service" } else { "UnexpectedStatus" };
        assert_eq!((variant(&error), error.status()), (expected.into(), Some(code)));
        assert_eq!(server.count(), 1, "{code}");
        assert_well_formed(&error);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_whose_text_does_not_come_is_told_all_the_same() {
    let server = RawServer::start(|_, _| {
        let (send, receive) = std::sync::mpsc::channel();
        send.send(b"HTTP/1.1 403 X\r\ncontent-length: 9\r\n\r\nwhy".to_vec()).unwrap();
        // Kept, so that the connection stays open.
        std::mem::forget(send);
        Act::Feed(receive)
    });
    let client =
        builder(server.url()).connect_timeout(Duration::from_secs(86_400)).build().unwrap();
    let clock = HeldClock::new();
    let call = tokio::spawn(async move { client.secrets().get("s").await });
    server.wait_for(1).await;
    let mut seconds = 0;
    while !call.is_finished() && seconds < 70 {
        pass(Duration::from_secs(1)).await;
        seconds += 1;
    }
    let error = call.await.unwrap().unwrap_err();
    assert_eq!((variant(&error), error.status()), ("PermissionDenied".into(), Some(403)));
    assert!(error.to_string().contains("permission denied: why"), "{error}");
    assert!(seconds < 10, "{seconds}");
    drop(clock);
}
