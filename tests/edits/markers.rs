//! How an edit notices that another client has given a key a new value: by `updatedAt`, or the
//! newest version, compared as text.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use truefoundry_secrets::{Client, EditPlan, Error};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers};

use crate::common::concurrent;

/// A group of one key with these fields, which a test can change.
async fn serving(fields: Value) -> (MockServer, Arc<Mutex<Value>>) {
    let fields = Arc::new(Mutex::new(fields));
    let server = MockServer::start().await;
    let shown = Arc::clone(&fields);
    let response = move |request: &Request| {
        let mut secret = json!({ "id": "s-1", "name": "K" });
        for (name, value) in shown.lock().unwrap().as_object().unwrap() {
            secret[name] = value.clone();
        }
        let body = match request.method.as_str() {
            "POST" => json!({ "data": [secret], "pagination": { "total": 1 } }),
            _ => json!({ "data": { "id": "g-1", "fqn": "t:app", "associatedSecrets": [secret] } }),
        };
        ResponseTemplate::new(200).set_body_json(body)
    };
    Mock::given(matchers::any()).respond_with(response).mount(&server).await;
    (server, fields)
}

async fn plan(server: &MockServer) -> EditPlan {
    let client = Client::builder().base_url(server.uri()).api_key("k").build().unwrap();
    client.secret_groups().edit("g-1").set("K", "new").skip_store_rules().plan().await.unwrap()
}

#[tokio::test]
async fn a_marker_of_any_type_is_compared_as_text() {
    let version = |id: &str, number: Value| json!([{ "id": id, "version": number }]);
    for (before, after) in [
        (json!({ "updatedAt": 17 }), json!({ "updatedAt": 18 })),
        (json!({ "updatedAt": "17" }), json!({ "updatedAt": 17 })),
        (json!({ "updatedAt": "soon" }), json!({ "updatedAt": "later" })),
        // Beyond what a Rust number can hold exactly.
        (
            json!({ "updatedAt": 9_007_199_254_740_993_u64 }),
            json!({ "updatedAt": 9_007_199_254_740_992_u64 }),
        ),
        (
            json!({ "secretVersions": version("v-1", json!(1)) }),
            json!({ "secretVersions": version("v-2", json!(2)) }),
        ),
        (
            json!({ "secretVersions": version("v", json!("a")) }),
            json!({ "secretVersions": version("v", json!("b")) }),
        ),
    ] {
        let (server, fields) = serving(before.clone()).await;
        let plan = plan(&server).await;
        assert!(plan.unmarked().is_empty());
        assert_eq!(plan.to_string(), "app: ~ K  = 0 kept");
        *fields.lock().unwrap() = after;
        let (added, removed, modified, applied) = concurrent(plan.apply().await);
        assert_eq!(modified, ["K"], "{before}");
        assert!(added.is_empty() && removed.is_empty() && !applied);
    }
}

#[tokio::test]
async fn the_order_of_versions_is_no_change() {
    let versions = |ids: [&str; 2]| {
        let list = ids.map(|id| json!({ "id": id, "version": id[2..].parse::<u8>().unwrap() }));
        json!({ "secretVersions": list })
    };
    let (server, fields) = serving(versions(["v-9", "v-10"])).await;
    let plan = plan(&server).await;
    *fields.lock().unwrap() = versions(["v-10", "v-9"]);
    plan.apply().await.unwrap();
}

#[tokio::test]
async fn a_plan_says_that_rotations_cannot_be_seen_without_a_marker() {
    // An object could hold a value, so nothing of it is kept.
    for fields in [json!({}), json!({ "updatedAt": null }), json!({ "updatedAt": { "at": 1 } })] {
        let (server, _) = serving(fields).await;
        let plan = plan(&server).await;
        assert_eq!(plan.unmarked(), ["K"]);
        assert_eq!(plan.to_string(), "app: ~ K  = 0 kept  (rotations by others cannot be seen)");
        plan.apply().await.unwrap();
    }
}

/// An edit of one group never writes another.
#[tokio::test]
async fn a_response_about_another_group_is_refused() {
    let (server, _) = serving(json!({ "secretGroupId": "g-2" })).await;
    let client = Client::builder().base_url(server.uri()).api_key("k").build().unwrap();
    for id in ["g-1", "g-2"] {
        let edit = client.secret_groups().edit(id).remove("K");
        let error = edit.apply().await.unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    }
    let requests = server.received_requests().await.unwrap();
    assert!(requests.iter().all(|one| matches!(one.method.as_str(), "GET" | "POST")));
}
