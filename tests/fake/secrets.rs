use serde_json::{Value, json};
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::raw::{call, get};

async fn app() -> (FakeTrueFoundry, String) {
    let fake = FakeTrueFoundry::start()
        .await
        .with_group("app", [("A", "1"), ("B", "2"), ("C", "3")])
        .with_group("other", [("A", "4")]);
    let path = format!("/secrets/{}", fake.secret_id("app", "A").unwrap());
    (fake, path)
}

fn pairs(page: &Value) -> Vec<(String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let data = page["data"].as_array().unwrap();
    data.iter().map(|secret| (text(&secret["fqn"]).unwrap(), text(&secret["value"]))).collect()
}

#[tokio::test]
async fn lists_give_values_only_when_asked() {
    let (fake, _) = app().await;
    let id = fake.group_id("app").unwrap();
    let list = async |body: Value| call(&fake, "POST /secrets", body).await.json();

    let page = list(json!({ "secretGroupId": id, "limit": 2, "offset": 1 })).await;
    assert_eq!(
        pairs(&page),
        [("my-tenant:app:B".to_owned(), None), ("my-tenant:app:C".to_owned(), None)]
    );
    assert_eq!(page["pagination"], json!({ "total": 3, "offset": 1, "limit": 2 }));

    let fqns = json!(["my-tenant:app:C", "my-tenant:other:A", "my-tenant:app:GONE"]);
    let page = list(json!({ "secretFqns": fqns, "withValue": true })).await;
    assert_eq!(
        pairs(&page),
        [
            ("my-tenant:app:C".to_owned(), Some("3".to_owned())),
            ("my-tenant:other:A".to_owned(), Some("4".to_owned())),
        ]
    );
    assert_eq!(pairs(&list(json!({})).await).len(), 4);
    assert_eq!(pairs(&list(json!({ "secretFqns": [] })).await).len(), 0);
    assert_eq!(call(&fake, "POST /secrets", json!({ "secretGroupId": "no" })).await.status, 404);
    assert_eq!(call(&fake, "POST /secrets", json!({ "withValue": "yes" })).await.status, 400);
}

#[tokio::test]
async fn one_secret_comes_with_its_value_and_versions() {
    let (fake, path) = app().await;
    fake.set_value("app", "A", "1b");
    let secret = get(&fake, &path).await.data();
    assert_eq!((&secret["value"], &secret["name"]), (&json!("1b"), &json!("A")));
    assert_eq!(secret["secretVersions"].as_array().unwrap().len(), 2);
    assert!(secret["secretVersions"][0].get("value").is_none());

    let versions = get(&fake, &format!("{path}/versions")).await.data();
    assert_eq!(versions[0]["version"], 1);
    assert_eq!((&versions[1]["value"], &versions[1]["secretId"]), (&json!("1b"), &secret["id"]));
    assert_eq!(versions[1]["fqn"], "my-tenant:app:A:2");

    let fake = fake.with_fractional_versions();
    let text = String::from_utf8(get(&fake, &format!("{path}/versions")).await.body).unwrap();
    assert!(text.contains("\"version\":2.0"), "{text}");
}

#[tokio::test]
async fn hidden_values_are_nowhere() {
    let (fake, path) = app().await;
    let fake = fake.with_values_hidden();
    assert!(get(&fake, &path).await.data().get("value").is_none());
    let list = call(&fake, "POST /secrets", json!({ "withValue": true })).await.json();
    assert!(pairs(&list).iter().all(|(_, value)| value.is_none()));
    let versions = get(&fake, &format!("{path}/versions")).await.data();
    assert!(versions[0].get("value").is_none());
}

#[tokio::test]
async fn an_older_server_hides_values_in_lists_only() {
    let (fake, path) = app().await;
    let fake = fake.without_values_in_lists();
    assert_eq!(get(&fake, &path).await.data()["value"], "1");
    let list = call(&fake, "POST /secrets", json!({ "withValue": true })).await.json();
    assert!(pairs(&list).iter().all(|(_, value)| value.is_none()));
}

#[tokio::test]
async fn delete_counts_and_may_empty_a_group() {
    let (fake, _) = app().await;
    let path = format!("/secrets/{}", fake.secret_id("other", "A").unwrap());
    let reply = call(&fake, &format!("DELETE {path}"), None).await;
    assert_eq!((reply.status, reply.json()), (200, json!(1)));
    assert!(fake.keys("other").is_empty() && fake.group_id("other").is_some());
    assert_eq!(call(&fake, &format!("DELETE {path}"), None).await.status, 404);
    assert_eq!(get(&fake, &format!("{path}/versions")).await.status, 404);
}

#[tokio::test]
async fn a_group_that_is_denied_is_403_and_missing_from_lists() {
    let (fake, path) = app().await;
    let fake = fake.without_access_to("app");
    let refusal = get(&fake, &path).await.refusal();
    assert_eq!((refusal.0, refusal.1.as_str()), (403, "Cannot access secrets"));
    let id = fake.group_id("app").unwrap();
    assert_eq!(get(&fake, &format!("/secret-groups/{id}")).await.status, 403);
    for body in [json!({ "secretGroupId": id }), json!({ "secretFqns": ["my-tenant:app:A"] })] {
        assert_eq!(call(&fake, "POST /secrets", body).await.status, 403);
    }
    assert_eq!(pairs(&call(&fake, "POST /secrets", json!({})).await.json()).len(), 1);
    assert_eq!(get(&fake, "/secret-groups").await.json()["pagination"]["total"], 1);
}

#[tokio::test]
async fn a_strict_server_refuses_a_batch_for_one_unknown_fqn() {
    let (fake, _) = app().await;
    let fake = fake.with_strict_batches();
    let body = |fqn: &str| json!({ "secretFqns": ["my-tenant:app:A", fqn] });
    assert_eq!(call(&fake, "POST /secrets", body("my-tenant:app:B")).await.status, 200);
    assert_eq!(call(&fake, "POST /secrets", body("my-tenant:app:NO")).await.status, 404);
}
