//! What a call allocates, compared with the same call by hand. Counts are exact, unlike times.

use allocation_counter::{AllocationInfo, measure};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::runtime::Runtime;
use truefoundry_secrets::{Client, ListSecretGroups, ListSecrets, NewSecretGroup};

use crate::support::builder;
use crate::support::raw::{RawServer, ok};

/// All fields of the crate's own models, each owning its data.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "decoded, as an application's models would be")]
struct HandSecret {
    id: String,
    fqn: Option<String>,
    name: Option<String>,
    secret_group_id: Option<String>,
    value: Option<String>,
    created_by_subject: Option<HandSubject>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    active_deployments_count: Option<u64>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, as an application's models would be")]
struct HandSubject {
    #[serde(rename = "subjectId")]
    id: String,
    #[serde(rename = "subjectType")]
    kind: String,
    #[serde(rename = "subjectSlug")]
    slug: Option<String>,
    #[serde(rename = "subjectDisplayName")]
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

fn secret(n: usize) -> String {
    format!(
        r#"{{"id":"secret-{n:04}","fqn":"my-tenant:app:KEY-{n:04}","name":"KEY-{n:04}","secretGroupId":"group-1","value":"correct horse battery staple, 48 characters long","createdBySubject":{{"subjectId":"user-1","subjectType":"user","subjectSlug":"ada.lovelace@example.com"}},"createdAt":"2026-11-01T10:20:30.123Z","updatedAt":"2026-11-02T10:20:30.456Z"}}"#
    )
}

fn secrets(count: usize) -> String {
    let secrets: Vec<_> = (0..count).map(secret).collect();
    format!(r#"{{"data":[{}],"pagination":{{"total":{count}}}}}"#, secrets.join(","))
}

fn group(n: usize) -> String {
    let keys: Vec<_> = (0..20)
        .map(|key| format!(r#"{{"id":"s-{n}-{key}","fqn":"t:app-{n}:K{key}","name":"K{key}"}}"#))
        .collect();
    format!(r#"{{"id":"g-{n}","fqn":"t:app-{n}","associatedSecrets":[{}]}}"#, keys.join(","))
}

/// The minimum of several calls on a warm connection, which leaves out the runtime's own
/// allocations.
fn fewest(runtime: &Runtime, call: impl AsyncFn()) -> AllocationInfo {
    let once = || measure(|| runtime.block_on(call()));
    for _ in 0..3 {
        once();
    }
    (0..10).map(|_| once()).min_by_key(|used| (used.count_total, used.bytes_total)).unwrap()
}

fn start(body: String) -> (RawServer, Runtime, Client) {
    let server = RawServer::always(ok(body));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = builder(server.url()).build().unwrap();
    (server, runtime, client)
}

#[test]
fn a_hundred_values_take_no_more_than_by_hand() {
    let (server, runtime, client) = start(secrets(100));
    let list = ListSecrets::in_group("group-1").with_values();
    let ours = fewest(&runtime, async || {
        assert_eq!(client.secrets().list(&list).await.unwrap().items().len(), 100);
    });
    let http = reqwest::Client::builder().no_gzip().no_proxy().build().unwrap();
    let url = format!("{}/api/svc/v1/secrets", server.url());
    let hand = fewest(&runtime, async || {
        let body = serde_json::json!({"limit": 100, "offset": 0, "withValue": true});
        let response = http.post(&url).bearer_auth("key").json(&body).send().await.unwrap();
        let secrets: Data<Vec<HandSecret>> = response.json().await.unwrap();
        assert_eq!(secrets.data.len(), 100);
    });
    assert!(ours.bytes_total <= hand.bytes_total, "{ours:?} {hand:?}");
    assert!(ours.count_total * 4 <= hand.count_total, "{ours:?} {hand:?}");
}

/// One more value costs the value's own allocation; one more group costs its list of keys.
#[test]
fn one_more_item_is_one_more_allocation() {
    let of_values = |count| {
        let (_server, runtime, client) = start(secrets(count));
        let list = ListSecrets::in_group("group-1").with_values();
        fewest(&runtime, async || drop(client.secrets().list(&list).await.unwrap())).count_total
    };
    // With the same capacity of the collected list, and a body that arrives in as many parts.
    assert_eq!(of_values(20) - of_values(18), 2);
    let of_groups = |count| {
        let groups: Vec<_> = (0..count).map(group).collect();
        let (_server, runtime, client) = start(format!(r#"{{"data":[{}]}}"#, groups.join(",")));
        let all = ListSecretGroups::new();
        fewest(&runtime, async || drop(client.secret_groups().list(&all).await.unwrap()))
            .count_total
    };
    // A list of 20 grows to a capacity of 4, 8, 16 and 32, and is then shrunk.
    assert_eq!(of_groups(8) - of_groups(6), 2 * 5);
}

/// A body is written into one buffer that does not grow, whatever its content.
#[test]
fn a_value_is_copied_once_to_be_sent() {
    const SIZE: usize = 32 * 1024;
    let (_server, runtime, client) = start(r#"{"data":{"id":"g","fqn":"t:app"}}"#.to_owned());
    let of_size = |size: usize| {
        fewest(&runtime, async || {
            let new =
                NewSecretGroup::in_integration("app", "store-1").secret("K", "v".repeat(size));
            client.secret_groups().create(new).await.unwrap();
        })
    };
    let (few, many) = (of_size(1), of_size(SIZE));
    // The text, the value, and the body with room for escapes.
    let added = usize::try_from(many.bytes_total - few.bytes_total).unwrap();
    assert!(added < 3 * SIZE + SIZE / 8, "{few:?} {many:?}");
    assert_eq!(many.count_total, few.count_total);
}

/// Most of the cost of a client is reading the system's roots, which a client without TLS does not
/// need.
#[test]
fn a_client_of_a_fake_reads_no_roots() {
    let client = |url: &str| Client::builder().base_url(url).api_key("k").build();
    let built = |url| measure(|| drop(client(url).unwrap())).bytes_total;
    let (plain, tls) = (built("http://127.0.0.1:1"), built("https://127.0.0.1:1"));
    assert!(plain < 256 * 1024, "{plain} bytes, beside {tls} with TLS");
}
