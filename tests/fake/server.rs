use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::raw::{call, get, host, request, send};

#[tokio::test]
async fn only_the_right_key_opens() {
    let fake = FakeTrueFoundry::start().await;
    let right = request(&fake, "GET /secret-groups", "");
    assert_eq!(send(&fake, &right).await.status, 200);
    for wrong in [
        right.replace(fake.api_key(), "fake-key-0"),
        right.replace("Bearer ", "Basic "),
        right.replace("Authorization", "X-Authorization"),
    ] {
        assert_eq!(send(&fake, &wrong).await.refusal().1, "Unauthorized");
    }
    let other = FakeTrueFoundry::start().await;
    assert_ne!(fake.api_key(), other.api_key());
}

#[tokio::test]
async fn what_the_api_does_not_have_is_refused() {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("A", "1")]);
    for path in ["/", "/users", "/secret-groups/a/b", "/secrets/a/versions/1", "/secret-groupsx"] {
        assert_eq!(get(&fake, path).await.status, 404, "{path}");
    }
    let patch = call(&fake, "PATCH /secret-groups", json!({})).await;
    assert_eq!((patch.status, patch.header("allow")), (405, Some("GET, POST, PUT")));
    assert_eq!(get(&fake, "/secrets").await.status, 405);

    let post = request(&fake, "POST /secrets", "{ broken");
    assert_eq!(send(&fake, &post).await.status, 400);
    assert_eq!(send(&fake, &request(&fake, "POST /secrets", "[]")).await.status, 400);
    let plain = request(&fake, "POST /secrets", "{}").replace("application/json", "text/plain");
    assert_eq!(send(&fake, &plain).await.status, 415);
}

#[tokio::test]
async fn path_segments_are_decoded_once_and_each_for_itself() {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("A", "1")]);
    let id = fake.group_id("app").unwrap();
    let encoded = id.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"));
    assert_eq!(get(&fake, &format!("/secret-groups/{encoded}")).await.status, 200);
    // An encoded slash does not start a new segment, and one encoded twice is another identifier.
    let unknown = get(&fake, &format!("/secret-groups/..%2Fsecret-groups%2F{id}")).await;
    assert_eq!(unknown.refusal().1, "Secret group ID not found");
    assert_eq!(
        get(&fake, &format!("/secret-groups/{}", encoded.replace('%', "%25"))).await.status,
        404
    );
    assert_eq!(get(&fake, "/secret-groups/%FF").await.status, 400);
}

#[tokio::test]
async fn a_path_prefix_is_part_of_the_base() {
    let fake = FakeTrueFoundry::start().await.with_path_prefix("/org/tfy/");
    assert!(fake.base_url().ends_with("/org/tfy"));
    assert_eq!(get(&fake, "/secret-groups").await.status, 200);
    let without = request(&fake, "GET /secret-groups", "").replace("/org/tfy", "");
    assert_eq!(send(&fake, &without).await.status, 404);
}

#[tokio::test]
async fn a_body_may_not_be_endless() {
    let fake = FakeTrueFoundry::start().await;
    let announced = request(&fake, "POST /secrets", "{}")
        .replace("Content-Length: 2", "Content-Length: 999999999");
    assert_eq!(send(&fake, &announced).await.status, 413);
}

#[tokio::test]
async fn connections_are_kept_alive() {
    let fake = FakeTrueFoundry::start().await;
    let text = request(&fake, "GET /provider-accounts", "").replace("Connection: close\r\n", "");
    let mut stream = TcpStream::connect(host(&fake)).await.unwrap();
    let mut seen = Vec::new();
    for number in 1..=3 {
        stream.write_all(text.as_bytes()).await.unwrap();
        let id = format!("x-request-id: fake-{number}\r\n");
        let mut buffer = [0; 4096];
        let complete = |seen: &[u8]| {
            let text = String::from_utf8_lossy(seen);
            text.contains(&id) && text.ends_with('}')
        };
        while !complete(&seen) {
            let count = stream.read(&mut buffer).await.unwrap();
            assert_ne!(count, 0, "closed after {number}");
            seen.extend_from_slice(&buffer[..count]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_connections_at_once() {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("A", "1")]);
    let gate = fake.hold_all("GET /secret-groups/");
    let path = format!("/secret-groups/{}", fake.group_id("app").unwrap());
    let mut calls = JoinSet::new();
    for _ in 0..300 {
        let (fake, path) = (fake.clone(), path.clone());
        calls.spawn(async move { get(&fake, &path).await.status });
    }
    gate.reached_by(300).await;
    gate.release();
    assert!(calls.join_all().await.into_iter().all(|status| status == 200));
    assert_eq!(fake.request_count(), 300);
}

#[tokio::test]
async fn the_last_handle_stops_the_server() {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("A", "1")]);
    let address = host(&fake);
    let gate = fake.hold("GET");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.write_all(request(&fake, "GET /secret-groups", "").as_bytes()).await.unwrap();
    gate.reached().await;
    let second = fake.clone();
    drop(fake);
    assert_eq!(get(&second, "/secret-groups").await.status, 200);
    drop(second);
    let mut rest = Vec::new();
    // Closed or reset, but never responded to.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    while TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
