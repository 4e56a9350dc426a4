use crate::support::raw::{Act, RawServer, ok, status};
use crate::support::{client, tenant_client};

#[tokio::test]
async fn a_thousand_calls_into_a_dead_service_are_at_most_1200_requests() {
    let server = RawServer::always(status(503, "down"));
    let client = tenant_client(server.url());
    for _ in 0..1000 {
        client.secrets().get("s").await.unwrap_err();
    }
    let count = server.count();
    assert!((1100..=1200).contains(&count), "{count}");
}

#[tokio::test]
async fn clones_share_the_budget_and_other_clients_do_not() {
    let server = RawServer::always(status(503, "down"));
    let spent = client(server.url());
    for _ in 0..60 {
        spent.clone().secrets().get("s").await.unwrap_err();
    }
    let before = server.count();
    spent.clone().secrets().get("s").await.unwrap_err();
    // Every tenth call earns a retry.
    assert!(server.count() - before <= 2);
    let before = server.count();
    client(server.url()).secrets().get("s").await.unwrap_err();
    assert_eq!(server.count() - before, 4);
}

#[tokio::test]
async fn retries_that_help_cost_nothing() {
    let server = RawServer::start(|n, _| {
        let good = ok(r#"{"data":{"id":"s"}}"#);
        Act::Send(if n % 2 == 0 { status(503, "x") } else { good })
    });
    let client = client(server.url());
    for _ in 0..300 {
        client.secrets().get("s").await.unwrap();
    }
    assert_eq!(server.count(), 600);
}
