//! Pages as a stream: how many requests it makes, where it ends, and that it always ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_core::Stream;
use truefoundry_secrets::{
    Client, Error, Items, ListSecretGroups, ListSecretStores, ListSecrets, SecretGroup,
};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::raw::{Act, RawServer, ok, status};
use crate::support::{client, variant};

fn parameter(request: &Request, name: &str) -> usize {
    let (_, value) = request.url.query_pairs().find(|(key, _)| key == name).unwrap();
    value.parse().unwrap()
}

fn page(range: std::ops::Range<usize>, total: Option<usize>) -> String {
    let items: Vec<_> = range.map(|n| format!(r#"{{"id":"g-{n}","fqn":"t:g{n}"}}"#)).collect();
    let pagination = total.map(|n| format!(r#","pagination":{{"total":{n}}}"#)).unwrap_or_default();
    format!(r#"{{"data":[{}]{pagination}}}"#, items.join(","))
}

/// A well-behaved list of `count` groups.
async fn listing(count: usize, with_total: bool, most: usize) -> MockServer {
    let server = MockServer::start().await;
    let response = move |request: &Request| {
        let offset = parameter(request, "offset").min(count);
        let end = (offset + parameter(request, "limit").min(most)).min(count);
        ResponseTemplate::new(200).set_body_string(page(offset..end, with_total.then_some(count)))
    };
    Mock::given(any()).respond_with(response).mount(&server).await;
    server
}

async fn offsets(server: &MockServer) -> Vec<usize> {
    let requests = server.received_requests().await.unwrap();
    requests.iter().map(|request| parameter(request, "offset")).collect()
}

fn groups(client: &Client) -> Items<SecretGroup> {
    client.secret_groups().stream(ListSecretGroups::new())
}

#[tokio::test]
async fn a_thousand_groups_are_ten_requests() {
    let server = listing(1000, true, 100).await;
    let all = groups(&client(server.uri())).try_collect().await.unwrap();
    assert_eq!(all.len(), 1000);
    let in_order = all.iter().enumerate().all(|(n, group)| group.id() == &*format!("g-{n}"));
    assert!(in_order);
    assert_eq!(offsets(&server).await, (0..10).map(|n| n * 100).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_a_total_an_empty_page_is_the_end() {
    let server = listing(250, false, 100).await;
    let all = groups(&client(server.uri())).try_collect().await.unwrap();
    assert_eq!(all.len(), 250);
    assert_eq!(offsets(&server).await, [0, 100, 200, 250]);
}

#[tokio::test]
async fn a_server_with_smaller_pages_is_read_to_the_end() {
    for with_total in [true, false] {
        let server = listing(120, with_total, 50).await;
        let all = groups(&client(server.uri())).try_collect().await.unwrap();
        assert_eq!(all.len(), 120);
        let mut expected = vec![0, 50, 100];
        expected.extend((!with_total).then_some(120));
        assert_eq!(offsets(&server).await, expected);
    }
}

#[tokio::test]
async fn the_start_and_the_size_of_a_page_are_the_callers() {
    let server = listing(10, true, 100).await;
    let params = ListSecretGroups::new().limit(4).offset(5);
    let all = client(server.uri()).secret_groups().stream(params).try_collect().await.unwrap();
    let ids: Vec<_> = all.iter().map(|group| group.id().as_str()).collect();
    assert_eq!(ids, ["g-5", "g-6", "g-7", "g-8", "g-9"]);
    assert_eq!(offsets(&server).await, [5, 9]);
}

#[tokio::test]
async fn an_empty_list_is_one_request() {
    for total in [Some(0), None] {
        let server = RawServer::always(ok(page(0..0, total)));
        let mut items = groups(&client(server.url()));
        assert!(items.next().await.is_none());
        assert!(items.next().await.is_none());
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn a_full_page_that_repeats_is_an_error_once() {
    for total in [None, Some(1000)] {
        let server = RawServer::always(ok(page(0..3, total)));
        let mut items =
            client(server.url()).secret_groups().stream(ListSecretGroups::new().limit(3));
        for _ in 0..3 {
            items.next().await.unwrap().unwrap();
        }
        let error = items.next().await.unwrap().unwrap_err();
        assert_eq!(variant(&error), "Decode");
        crate::support::assert_well_formed(&error);
        assert!(items.next().await.is_none());
        assert!(items.next().await.is_none());
        assert_eq!(server.count(), 2);
    }
}

#[tokio::test]
async fn a_server_without_paging_sends_all_it_has_and_that_is_all() {
    let server = RawServer::always(ok(page(0..3, None)));
    let all = groups(&client(server.url())).try_collect().await.unwrap();
    assert_eq!((all.len(), server.count()), (3, 2));
}

#[tokio::test]
async fn a_repeated_short_page_short_of_the_total_is_no_whole_list() {
    let server = RawServer::always(ok(page(0..3, Some(9))));
    let error = groups(&client(server.url())).try_collect().await.unwrap_err();
    assert_eq!((variant(&error), server.count()), ("Decode".into(), 2));
}

/// It counts something else; the list continues.
#[tokio::test]
async fn a_total_below_what_came_is_ignored() {
    for total in [0, 99] {
        let server = RawServer::start(move |n, _| {
            let start = (n * 100).min(150);
            Act::Send(ok(page(start..(start + 100).min(150), Some(total))))
        });
        let all = groups(&client(server.url())).try_collect().await.unwrap();
        assert_eq!((all.len(), server.count()), (150, 3), "{total}");
    }
}

/// As the documentation of `Items` says; the keys of one group are read differently.
#[tokio::test]
async fn a_credible_total_ends_it_at_a_full_page() {
    let server = RawServer::always(ok(page(0..100, Some(100))));
    let all = groups(&client(server.url())).try_collect().await.unwrap();
    assert_eq!((all.len(), server.count()), (100, 1));
}

#[tokio::test]
async fn a_page_longer_than_asked_for_is_the_whole_list() {
    for (total, requests) in [(Some(150), 1), (None, 2), (Some(3), 2)] {
        let server = RawServer::always(ok(page(0..150, total)));
        let all = groups(&client(server.url())).try_collect().await.unwrap();
        assert_eq!((all.len(), server.count()), (150, requests), "{total:?}");
    }
    // Or there is more, which such a server would have sent with it.
    let server = RawServer::always(ok(page(0..150, Some(151))));
    let error = groups(&client(server.url())).try_collect().await.unwrap_err();
    assert_eq!((variant(&error), server.count()), ("Decode".into(), 1));
}

#[tokio::test]
async fn a_server_that_sends_20_000_items_a_page_is_stopped_at_the_second() {
    // Groups to a stream, and a group's secrets to `resolve_group_by_id`.
    let item = |n: usize| format!(r#"{{"id":"i-{n}","fqn":"t:app","name":"K{n}"}}"#);
    let endless = || {
        RawServer::start(move |n, _| {
            let items: Vec<_> = (n * 20_000..(n + 1) * 20_000).map(item).collect();
            Act::Send(ok(format!(r#"{{"data":[{}]}}"#, items.join(","))))
        })
    };
    let server = endless();
    let error = groups(&client(server.url())).try_collect().await.unwrap_err();
    assert_eq!((variant(&error), server.count()), ("Decode".into(), 2));

    let server = endless();
    let error = client(server.url()).resolve_group_by_id("g-1").await.unwrap_err();
    assert_eq!((variant(&error), server.count()), ("Decode".into(), 2));
}

#[tokio::test]
async fn without_a_limit_the_length_of_a_page_is_the_servers() {
    let server = RawServer::in_turn([ok(page(0..150, Some(170))), ok(page(150..170, Some(170)))]);
    let params = ListSecretGroups::new().limit(0);
    let all = client(server.url()).secret_groups().stream(params).try_collect().await.unwrap();
    assert_eq!((all.len(), server.count()), (170, 2));
}

#[tokio::test]
async fn an_error_comes_once_and_ends_it() {
    let server = RawServer::start(|n, _| {
        Act::Send(if n == 0 { ok(page(0..100, Some(300))) } else { status(403, "Forbidden") })
    });
    let mut items = groups(&client(server.url()));
    for _ in 0..100 {
        items.next().await.unwrap().unwrap();
    }
    let error = items.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::PermissionDenied { .. }));
    assert!(items.next().await.is_none());
    assert!(items.next().await.is_none());
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_failing_page_is_retried_where_it_is() {
    let server = RawServer::start(|n, _| {
        Act::Send(match n {
            0 => ok(page(0..2, Some(3))),
            1 => status(503, "busy"),
            _ => ok(page(2..3, Some(3))),
        })
    });
    let params = ListSecretGroups::new().limit(2);
    let all = client(server.url()).secret_groups().stream(params).try_collect().await.unwrap();
    assert_eq!((all.len(), server.count()), (3, 3));
}

#[tokio::test]
async fn a_page_is_asked_for_when_it_is_needed() {
    let server = listing(6, true, 2).await;
    let count = async || offsets(&server).await.len();
    let mut items = groups(&client(server.uri()));
    assert_eq!(count().await, 0);
    for (taken, requests) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3)] {
        items.next().await.unwrap().unwrap();
        assert_eq!(count().await, requests, "after {taken}");
    }
    assert!(items.next().await.is_none());
    assert_eq!(count().await, 3);
}

#[tokio::test]
async fn a_cancelled_next_loses_nothing() {
    let server = listing(4, true, 2).await;
    let mut items = groups(&client(server.uri()));
    let mut seen = 0;
    let mut cancelled = 0;
    loop {
        // The first branch is polled once, then dropped: its request continues inside the stream.
        let item = tokio::select! {
            biased;
            item = items.next() => item,
            () = std::future::ready(()) => {
                cancelled += 1;
                tokio::task::yield_now().await;
                continue;
            }
        };
        let Some(item) = item else { break };
        assert_eq!(item.unwrap().id(), &*format!("g-{seen}"));
        seen += 1;
    }
    assert_eq!((seen, offsets(&server).await), (4, vec![0, 2]));
    assert!(cancelled > 0);
}

#[tokio::test]
async fn a_dropped_stream_asks_no_more() {
    let server = listing(300, true, 100).await;
    let client = client(server.uri());
    let mut items = groups(&client);
    items.next().await.unwrap().unwrap();
    drop(items);
    client.check().await.unwrap();
    assert_eq!(offsets(&server).await, [0, 0]);
}

#[tokio::test]
async fn streams_outlive_the_client_and_move_into_tasks() {
    fn movable<T: Send + Unpin + Stream + 'static>(items: T) -> T {
        items
    }
    let server = listing(150, true, 100).await;
    let items = movable(groups(&client(server.uri())));
    let counted = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&counted);
    let task = tokio::spawn(async move {
        let mut items = items;
        while let Some(item) = items.next().await {
            item.unwrap();
            seen.fetch_add(1, Ordering::Relaxed);
        }
    });
    task.await.unwrap();
    assert_eq!(counted.load(Ordering::Relaxed), 150);
}

#[tokio::test]
async fn secrets_and_stores_are_paged_alike() {
    let server = RawServer::start(|n, _| {
        let body = r#"{"data":[{"id":"x-N"}],"pagination":{"total":3}}"#;
        Act::Send(ok(body.replace('N', &n.to_string())))
    });
    let client = client(server.url());
    let params = ListSecrets::in_group("g-1").with_values().limit(1).offset(0);
    let all = client.secrets().stream(params).try_collect().await.unwrap();
    assert_eq!(all.len(), 3);
    let bodies: Vec<_> = server.requests().iter().map(|seen| seen.text().to_owned()).collect();
    let body = |offset| {
        format!(r#"{{"limit":1,"offset":{offset},"secretGroupId":"g-1","withValue":true}}"#)
    };
    assert_eq!(bodies, [body(0), body(1), body(2)]);

    let params = ListSecretStores::new().limit(1);
    let all = client.secret_stores().stream(params).try_collect().await.unwrap();
    assert_eq!((all.len(), server.count()), (3, 6));
    let last = server.requests().pop().unwrap();
    assert_eq!(last.query(), Some("limit=1&offset=2&type=secret-store"));
}

#[tokio::test]
async fn debug_of_a_stream_shows_how_far_it_is_and_no_item() {
    let server = listing(2, true, 100).await;
    let mut items = groups(&client(server.uri()));
    items.next().await.unwrap().unwrap();
    let shown = format!("{items:?}");
    assert!(shown.contains("received: 2") && !shown.contains("g-1"), "{shown}");
}
