//! Every endpoint on the exact wire: method, raw path, raw query, headers, body bytes, number of requests.

mod by_name;
mod connections;
mod groups;
mod secrets;
mod stores;
mod tenant;

use crate::support::endpoints::{self, Endpoint};
use crate::support::raw::{Act, RawServer, Seen, ok, response};
use crate::support::{KEY, builder, tenant_client};

/// Method, target and body as one line each.
pub(crate) fn shape(seen: &Seen) -> (String, String) {
    (format!("{} {}", seen.method(), seen.target()), seen.text().to_owned())
}

/// Makes one call and returns its request; there must be exactly one.
async fn sent<F: AsyncFnOnce(truefoundry_secrets::Client)>(
    body: impl AsRef<[u8]>,
    call: F,
) -> (String, String) {
    let server = RawServer::always(ok(body));
    call(tenant_client(server.url())).await;
    shape(&server.only())
}

#[tokio::test]
async fn every_request_carries_the_same_headers_and_a_type_only_with_a_body() {
    for endpoint in endpoints::ALL {
        let server = RawServer::always(ok(endpoint.success()));
        endpoint.call(&tenant_client(server.url())).await.unwrap();
        let seen = server.only();
        assert_eq!(seen.header("authorization"), Some(&*format!("Bearer {KEY}")), "{endpoint:?}");
        assert_eq!(seen.header("accept"), Some("application/json"), "{endpoint:?}");
        let agent = concat!("truefoundry-secrets-rust/", env!("CARGO_PKG_VERSION"));
        assert_eq!(seen.header("user-agent"), Some(agent), "{endpoint:?}");
        assert_eq!(seen.header("host"), Some(&*server.address().to_string()), "{endpoint:?}");
        let length = seen.body.len().to_string();
        let (kind, length) = match seen.method() {
            "POST" | "PUT" => (Some("application/json"), Some(&*length)),
            _ => (None, None),
        };
        assert_eq!(seen.header("content-type"), kind, "{endpoint:?}");
        assert_eq!(seen.header("content-length"), length, "{endpoint:?}");
        let expected = if kind.is_some() { 6 } else { 4 };
        assert_eq!(seen.headers().len(), expected, "{endpoint:?}: {:?}", seen.headers());
    }
}

#[tokio::test]
async fn a_path_prefix_stays_in_front_of_every_endpoint() {
    for endpoint in endpoints::ALL {
        let server = RawServer::always(ok(endpoint.success()));
        let plain = tenant_client(server.url());
        let prefixed = tenant_client(format!("{}/a%20b//tfy/", server.url()));
        endpoint.call(&plain).await.unwrap();
        endpoint.call(&prefixed).await.unwrap();
        let requests = server.requests();
        let expected = format!("/a%20b/tfy{}", requests[0].target());
        assert_eq!(requests[1].target(), expected, "{endpoint:?}");
    }
}

#[tokio::test]
async fn users_headers_and_agent_are_added_to_every_attempt() {
    let server = RawServer::in_turn([response(503, "", ""), ok(endpoints::GROUP)]);
    let client = builder(server.url())
        .user_agent("my-app/7")
        .header("X-Gateway", "one")
        .header("x-gateway", "two")
        .build()
        .unwrap();
    client.secret_groups().get("g-1").await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for seen in requests {
        assert_eq!(seen.header("user-agent"), Some("my-app/7"));
        let gateway = seen.headers().into_iter().filter(|header| header.0 == "x-gateway");
        assert_eq!(gateway.map(|header| header.1).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(seen.header("authorization"), Some(&*format!("Bearer {KEY}")));
    }
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let server = RawServer::start(|_, seen| {
        let list = seen.path().ends_with("secret-groups") && seen.method() == "GET";
        Act::Send(ok(if list { endpoints::GROUPS } else { endpoints::GROUP }))
    });
    let client = tenant_client(server.url());
    for _ in 0..5 {
        Endpoint::GetGroup.call(&client).await.unwrap();
        Endpoint::CreateGroup.call(&client).await.unwrap();
        client.check().await.unwrap();
    }
    assert_eq!((server.count(), server.connections()), (15, 1));
}
