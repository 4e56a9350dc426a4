use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::raw::{call, get, host, request};

async fn app() -> (FakeTrueFoundry, String) {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("A", "1")]);
    let put = format!("PUT /secret-groups/{}", fake.group_id("app").unwrap());
    (fake, put)
}

fn list(keys: &[&str]) -> Value {
    let entry = |key: &&str| json!({ "key": key, "value": format!("of {key}") });
    json!({ "secrets": keys.iter().map(entry).collect::<Vec<_>>() })
}

#[tokio::test]
async fn a_gate_holds_one_request_and_lets_others_pass() {
    let (fake, put) = app().await;
    let gate = fake.hold("PUT /secret-groups/");
    let first = tokio::spawn({
        let (fake, put) = (fake.clone(), put.clone());
        async move { call(&fake, &put, list(&["A", "FIRST"])).await.status }
    });
    gate.reached().await;
    assert_eq!(call(&fake, &put, list(&["A", "SECOND"])).await.status, 200);
    assert_eq!(fake.keys("app"), ["A", "SECOND"]);
    gate.release();
    assert_eq!(first.await.unwrap(), 200);
    assert_eq!(fake.keys("app"), ["A", "FIRST"], "the first was applied last");
}

#[tokio::test]
async fn a_response_can_be_held_after_the_work() {
    let (fake, put) = app().await;
    let gate = fake.hold_response("secret_groups.update");
    let pending = tokio::spawn({
        let fake = fake.clone();
        async move { call(&fake, &put, list(&["B"])).await.status }
    });
    gate.reached().await;
    assert_eq!(fake.keys("app"), ["B"]);
    assert!(!pending.is_finished());
    drop(gate);
    assert_eq!(pending.await.unwrap(), 200);
}

#[tokio::test]
async fn what_was_held_is_done_although_the_client_hung_up() {
    let (fake, put) = app().await;
    let gate = fake.hold("PUT /secret-groups/");
    let mut stream = TcpStream::connect(host(&fake)).await.unwrap();
    stream.write_all(request(&fake, &put, &list(&["LATE"]).to_string()).as_bytes()).await.unwrap();
    gate.reached().await;
    drop(stream);
    assert_eq!(get(&fake, "/secret-groups").await.status, 200);
    assert_eq!(fake.keys("app"), ["A"]);
    gate.release();
    fake.idle().await;
    assert_eq!(fake.keys("app"), ["LATE"]);
}

#[tokio::test]
async fn a_hook_edits_at_the_moment_a_request_arrives() {
    let (fake, put) = app().await;
    let mut times = 0;
    fake.on_request("PUT /secret-groups/", move |fake, request| {
        times += 1;
        assert_eq!(request.operation(), Some("secret_groups.update"));
        fake.set_value("app", &format!("EXTRA-{times}"), "by another process");
    });
    get(&fake, "/secret-groups").await;
    assert_eq!(fake.keys("app"), ["A"]);
    assert_eq!(call(&fake, &put, json!({ "secrets": [{ "key": "EXTRA-1" }] })).await.status, 200);
    assert_eq!(fake.keys("app"), ["EXTRA-1"]);
}
