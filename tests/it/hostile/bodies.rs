use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use truefoundry_secrets::{Error, RetryPolicy};

use crate::support::clock::{HeldClock, pass};
use crate::support::endpoints::{self, Endpoint};
use crate::support::raw::{Act, RawServer, chunked, ok, response};
use crate::support::{assert_nowhere, assert_well_formed, builder, tenant_client, variant};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_byte_a_second_does_not_put_off_the_deadline() {
    const INTERIM: &str = "HTTP/1.1 100 Continue\r\n\r\n";
    const BODY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
    for (endpoint, first, again) in [
        (Endpoint::GetSecret, BODY, " "),
        (Endpoint::GetGroup, BODY, " "),
        (Endpoint::DeleteGroup, BODY, " "),
        (Endpoint::GetGroup, "HTTP/1.1 200 OK\r\nx-long: ", "x"),
        (Endpoint::DeleteGroup, INTERIM, INTERIM),
    ] {
        let (send, receive) = channel();
        let receive = Mutex::new(Some(receive));
        let server = RawServer::start(move |_, _| {
            Act::Feed(receive.lock().unwrap().take().expect("no retry fits in the deadline"))
        });
        let client = builder(server.url())
            .timeout(Duration::from_secs(20))
            .connect_timeout(Duration::from_secs(86_400))
            .build()
            .unwrap();
        let clock = HeldClock::new();
        let call = tokio::spawn(async move { endpoint.call(&client).await });
        server.wait_for(1).await;
        send.send(first.into()).unwrap();
        let mut seconds = 0;
        while !call.is_finished() && seconds < 100 {
            let _ = send.send(again.into());
            pass(Duration::from_secs(1)).await;
            seconds += 1;
        }
        let error = call.await.unwrap().unwrap_err();
        assert_eq!((variant(&error), seconds), ("Timeout".into(), 20), "{endpoint:?}");
        assert_eq!(error.may_have_been_applied(), endpoint.is_delete());
        assert_well_formed(&error);
        drop(clock);
    }
}

#[tokio::test]
async fn an_endless_response_is_left_at_the_limit() {
    for endpoint in endpoints::ALL {
        for head in [CHUNKED, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"] {
            let chunk = [&b"1000\r\n"[..], &[b' '; 4096], b"\r\n"].concat();
            let server = RawServer::start(move |_, _| Act::Endless(head.into(), chunk.clone()));
            let client = builder(server.url()).tenant("t").response_limit(100_000).build().unwrap();
            let error = endpoint.call(&client).await.unwrap_err();
            let Error::ResponseTooLarge { limit, .. } = &error else { panic!("{error:?}") };
            assert_eq!((*limit, server.count()), (100_000, 1), "{endpoint:?}");
        }
    }
}

#[tokio::test]
async fn an_endless_failure_is_a_failure() {
    for head in
        ["500 X\r\ntransfer-encoding: chunked", "403 X", "418 X\r\ncontent-length: 10000000000"]
    {
        let head = format!("HTTP/1.1 {head}\r\n\r\n");
        let chunk = [&b"1000\r\n"[..], &[b'x'; 4096], b"\r\n"].concat();
        let server =
            RawServer::start(move |_, _| Act::Endless(head.clone().into_bytes(), chunk.clone()));
        let client = builder(server.url()).retry(RetryPolicy::none()).build().unwrap();
        let error = client.secrets().get("s").await.unwrap_err();
        let expected = match error.status().unwrap() {
            500 => "Service",
            403 => "PermissionDenied",
            _ => "UnexpectedStatus",
        };
        assert_eq!(variant(&error), expected);
        assert!(error.to_string().len() < 4096, "{}", error.to_string().len());
        assert_well_formed(&error);
    }
}

#[tokio::test]
async fn an_announced_length_is_believed_only_when_it_is_too_long() {
    for endpoint in endpoints::ALL {
        let huge = "HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n{";
        let server = RawServer::always(huge);
        let error = endpoint.call(&tenant_client(server.url())).await.unwrap_err();
        assert_eq!((variant(&error), server.count()), ("ResponseTooLarge".into(), 1));

        // Within the limit, but not allocated because the server announces it: that much memory may
        // not exist.
        let large = "HTTP/1.1 200 OK\r\ncontent-length: 4294967295\r\n\r\n{";
        let server = RawServer::start(move |_, _| Act::SendThenClose(large.into()));
        let client =
            builder(server.url()).tenant("t").response_limit(u32::MAX as usize).build().unwrap();
        let error = endpoint.call(&client).await.unwrap_err();
        assert_eq!(variant(&error), "Transport", "{endpoint:?}");
    }
}

/// `{"data":{"id":"s-1","value":"v"}}`
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x49\x2c\x49\x54\xb2\xaa\x56\xca\x4c\x51\xb2\x52\x2a\xd6\x35\x54\xd2\x51\x2a\x4b\xcc\x29\x4d\x05\xf2\xca\x94\x6a\x6b\x01\xe7\x5f\xa7\xf5\x21\x00\x00\x00";

#[tokio::test]
async fn compression_that_was_not_asked_for_is_not_undone() {
    let server = RawServer::always(response(200, "content-encoding: gzip\r\n", GZIP));
    let client = builder(server.url()).http(reqwest()).build().unwrap();
    let error = client.secrets().get("s-1").await.unwrap_err();
    assert_eq!(variant(&error), "Decode");
    // The given HTTP client could have asked for compression; no other header mentions it.
    assert_eq!(server.only().header("accept-encoding"), Some("identity"));

    for coding in ["gzip", "br", "deflate", "zstd"] {
        let headers = format!("content-encoding: {coding}\r\n");
        let server = RawServer::always(response(200, &headers, r#"{"data":{"id":"s-1"}}"#));
        let client = builder(server.url()).http(reqwest()).build().unwrap();
        client.secrets().get("s-1").await.unwrap();
    }
    let server = RawServer::always(response(403, "content-encoding: gzip\r\n", GZIP));
    let error = builder(server.url()).build().unwrap().secrets().get("s").await.unwrap_err();
    assert_eq!(variant(&error), "PermissionDenied");
    assert_well_formed(&error);
}

fn reqwest() -> truefoundry_secrets::reqwest::ClientBuilder {
    truefoundry_secrets::reqwest::ClientBuilder::new()
}

#[tokio::test]
async fn deep_nesting_overflows_no_stack() {
    let deep = ["[".repeat(20_000), "{\"a\":".repeat(20_000)];
    for endpoint in endpoints::ALL {
        for nest in &deep {
            for body in [
                nest.clone(),
                format!(r#"{{"data":{nest}"#),
                format!(r#"{{"unknown":{nest}"#),
                format!(r#"{{"data":{{"id":"x","fqn":"t:n","value":{nest}"#),
                format!(r#"{{"data":[{{"id":"x","fqn":"t:n","unknown":{nest}"#),
            ] {
                let server = RawServer::always(ok(body));
                let error = endpoint.call(&tenant_client(server.url())).await.unwrap_err();
                assert_eq!(variant(&error), "Decode", "{endpoint:?}");
            }
        }
    }
    for nest in &deep {
        let body = format!(r#"{{"message":{nest}"#);
        let server = RawServer::always(response(422, "", body));
        let error = tenant_client(server.url()).secrets().get("s").await.unwrap_err();
        assert_eq!(variant(&error), "InvalidRequest");
        assert_well_formed(&error);
    }
}

#[tokio::test]
async fn what_is_unknown_may_nest_deeply() {
    let closed = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let body =
        format!(r#"{{"data":{{"id":"g-1","fqn":"t:n","unknown":{closed}}},"more":{closed}}}"#);
    let server = RawServer::always(ok(body));
    Endpoint::GetGroup.call(&tenant_client(server.url())).await.unwrap();
    Endpoint::GetSecret.call(&tenant_client(server.url())).await.unwrap();
}

#[tokio::test]
async fn bytes_that_are_no_text_are_not_guessed_at() {
    for endpoint in endpoints::ALL {
        let body = [&br#"{"data":[{"id":"x","fqn":"t:n","value":"l3ak"#[..], b"\xff\xfe\"}]}"];
        let server = RawServer::always(ok(body.concat()));
        let error = endpoint.call(&tenant_client(server.url())).await.unwrap_err();
        assert_eq!(variant(&error), "Decode", "{endpoint:?}");
        assert_nowhere(&error, &["l3ak"]);
        assert_well_formed(&error);

        let server = RawServer::always(response(403, "", b"{\"message\":\"no\xff\xfe\"}"));
        let error = endpoint.call(&tenant_client(server.url())).await.unwrap_err();
        assert!(error.to_string().contains("no\u{fffd}\u{fffd}"), "{error}");
        assert_well_formed(&error);
    }
}

#[tokio::test]
async fn a_response_in_single_bytes_costs_no_more_than_its_length() {
    // If the work grew with the square of the pieces, this would take minutes.
    let body = format!(r#"{{"data":{{"id":"s-1","value":"{}"}}}}"#, "v".repeat(40_000));
    let pieces: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
    let server = RawServer::always(chunked(200, "", &pieces));
    let secret = tenant_client(server.url()).secrets().get("s-1").await.unwrap();
    assert_eq!(secret.value().unwrap().len(), 40_000);

    let server = RawServer::always(chunked(403, "", &pieces));
    let error = tenant_client(server.url()).secrets().get("s-1").await.unwrap_err();
    assert_eq!(variant(&error), "PermissionDenied");
}

#[tokio::test]
async fn the_limit_is_of_bytes_however_small_the_pieces() {
    let body = format!(r#"{{"data":{{"id":"s-1","value":"{}"}}}}"#, "v".repeat(4_000));
    let pieces: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
    let server = RawServer::always(chunked(200, "", &pieces));
    for (limit, fits) in [(body.len(), true), (body.len() - 1, false)] {
        let client = builder(server.url()).response_limit(limit).build().unwrap();
        match client.secrets().get("s-1").await {
            Ok(secret) => assert!(fits && secret.value().unwrap().len() == 4_000),
            Err(error) => assert_eq!((variant(&error), fits), ("ResponseTooLarge".into(), false)),
        }
    }
}

/// The limit itself, announced and not sent.
#[test]
fn an_announced_length_is_not_allocated_before_it_is_there() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 16777216\r\n\r\n{\"data\":";
    for endpoint in [Endpoint::GetGroup, Endpoint::GetSecret] {
        let server = RawServer::start(|_, _| Act::SendThenClose(HEAD.into()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = builder(server.url()).retry(RetryPolicy::none()).build().unwrap();
        let used = allocation_counter::measure(|| {
            let error = runtime.block_on(endpoint.call(&client)).unwrap_err();
            assert_eq!(variant(&error), "Transport");
        });
        assert!(used.bytes_max < 3 * 1024 * 1024, "{endpoint:?}: {} bytes", used.bytes_max);
    }
}

#[tokio::test]
async fn a_response_without_a_request_is_not_taken_for_the_next_one() {
    let asked = ok(r#"{"data":{"id":"s-1","value":"right"}}"#);
    let unasked = ok(r#"{"data":{"id":"s-2","value":"smuggled"}}"#);
    let both = [asked.clone(), unasked].concat();
    let server =
        RawServer::start(move |n, _| Act::Send(if n == 0 { both.clone() } else { asked.clone() }));
    let client = tenant_client(server.url());
    for _ in 0..3 {
        let secret = client.secrets().get("s-1").await.unwrap();
        assert_eq!(secret.into_value().unwrap().expose_secret(), "right");
    }
    assert_eq!(server.count(), 3);
}
