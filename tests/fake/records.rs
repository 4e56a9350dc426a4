use serde_json::json;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};

use crate::raw::{call, get};

#[tokio::test]
async fn a_request_is_recorded_as_it_arrived() {
    let fake = FakeTrueFoundry::start().await;
    get(&fake, "/secret-groups/a%2Fb?attributes=id&attributes=fqn").await;
    let body = json!({ "withValue": true });
    let reply = call(&fake, "POST /secrets", body.clone()).await;
    get(&fake, "/nothing").await;
    let requests = fake.requests();
    let [first, second, third] = requests.as_slice() else { panic!("three requests") };
    assert_eq!((first.method(), first.operation()), ("GET", Some("secret_groups.get")));
    assert_eq!(first.path(), "/api/svc/v1/secret-groups/a%2Fb");
    assert_eq!(first.query(), Some("attributes=id&attributes=fqn"));
    assert_eq!((first.body(), first.raw_body()), (None, &b""[..]));
    assert_eq!(second.header("Content-Type"), Some("application/json"));
    assert_eq!(second.body(), Some(&body));
    assert_eq!(Some(second.request_id().as_str()), reply.header("x-request-id"));
    assert_eq!((third.operation(), third.query()), (None, None));

    fake.clear_requests();
    assert_eq!((fake.requests().len(), fake.request_count()), (0, 0));
    let fake = fake.with_recording_limit(1);
    get(&fake, "/one").await;
    get(&fake, "/two").await;
    assert_eq!(fake.request_count(), 2);
    let kept: Vec<_> = fake.requests().iter().map(|kept| kept.path().to_owned()).collect();
    assert_eq!(kept, ["/api/svc/v1/two"]);
    let fake = fake.with_recording_limit(0);
    get(&fake, "/three").await;
    assert_eq!((fake.requests().len(), fake.request_count()), (0, 3));
}

#[tokio::test]
async fn nothing_prints_a_value_or_the_key() {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("A", "sesame")]);
    let path = format!("PUT /secret-groups/{}", fake.group_id("app").unwrap());
    call(&fake, &path, json!({ "secrets": [{ "key": "A", "value": "sesame2" }] })).await;
    let fault = Fault::status(400).message("sesame is wrong");
    let gate = fake.hold("GET");
    let printed = format!("{fake:?} {:?} {fault:?} {gate:?}", fake.requests());
    assert!(printed.contains("secret-groups"), "{printed}");
    assert!(!printed.contains("sesame") && !printed.contains(fake.api_key()), "{printed}");
}
