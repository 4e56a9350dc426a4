use serde_json::json;
use truefoundry_secrets::Error;
use truefoundry_secrets::testing::Fault;

use super::{count, fake_with, key, operations, reference, references, value};

#[tokio::test]
async fn fifty_references_take_one_request() {
    let fake = fake_with(60).await;
    let resolved = fake.client().resolve_all(references(0..50)).await.unwrap();

    assert_eq!(fake.request_count(), 1);
    let requests = fake.requests();
    assert_eq!(requests[0].method(), "POST");
    let body = requests[0].body().unwrap();
    let fqns: Vec<_> = (0..50).map(|n| format!("my-tenant:app:{}", key(n))).collect();
    assert_eq!(*body, json!({"limit": 100, "offset": 0, "secretFqns": fqns, "withValue": true}));
    assert_eq!(resolved.len(), 50);
    for n in 0..50 {
        assert_eq!(resolved.get(&reference(n)).unwrap().expose_secret(), value(n));
    }
}

#[tokio::test]
async fn two_hundred_and_fifty_references_take_three_requests() {
    let fake = fake_with(250).await;
    let resolved = fake.client().resolve_all(references(0..250)).await.unwrap();

    assert_eq!(fake.request_count(), 3);
    assert_eq!(resolved.len(), 250);
    for request in fake.requests() {
        assert!(request.body().unwrap()["secretFqns"].as_array().unwrap().len() <= 100);
    }
}

#[tokio::test]
async fn duplicates_are_asked_for_once_and_the_order_is_kept() {
    let fake = fake_with(5).await;
    let asked: Vec<_> = [3, 1, 3, 0, 1].map(reference).to_vec();
    let resolved = fake.client().resolve_all(&asked).await.unwrap();

    let fqns = fake.requests()[0].body().unwrap()["secretFqns"].clone();
    assert_eq!(fqns, json!(["my-tenant:app:K-003", "my-tenant:app:K-001", "my-tenant:app:K-000"]));
    let order: Vec<_> = resolved.iter().map(|(r, _)| r.key().to_owned()).collect();
    assert_eq!(order, ["K-003", "K-001", "K-000"]);
}

#[tokio::test]
async fn nothing_to_resolve_takes_no_request() {
    let fake = fake_with(1).await;
    let resolved = fake.client().resolve_all(references(0..0)).await.unwrap();
    assert!(resolved.is_empty());
    assert_eq!(fake.request_count(), 0);
}

#[tokio::test]
async fn pages_are_followed_where_the_server_sends_fewer_than_asked() {
    let fake = fake_with(50).await.with_page_limit(20);
    let resolved = fake.client().resolve_all(references(0..50)).await.unwrap();
    assert_eq!(resolved.len(), 50);
    assert_eq!(fake.request_count(), 3);
    let offsets: Vec<_> =
        fake.requests().iter().map(|r| r.body().unwrap()["offset"].clone()).collect();
    assert_eq!(offsets, [json!(0), json!(20), json!(40)]);
}

#[tokio::test]
async fn one_reference_takes_one_request() {
    let fake = fake_with(3).await;
    let resolved = fake.client().resolve(&reference(1)).await.unwrap();
    assert_eq!(resolved.expose_secret(), value(1));
    assert_eq!(operations(&fake), ["secrets.list"]);
}

#[tokio::test]
async fn what_is_missing_is_reported_together_and_nothing_else_comes_back() {
    let fake = fake_with(3).await;
    let error = fake.client().resolve_all(references(1..6)).await.unwrap_err();
    let Error::Unresolved { missing, hidden, .. } = &error else { panic!("{error:?}") };
    assert_eq!(**missing, references(3..6));
    assert!(hidden.is_empty());
    let text = error.to_string();
    assert!(text.contains("tfy-secret://my-tenant:app:K-003"), "{text}");
    assert!(!text.contains("value of"), "{text}");
}

#[tokio::test]
async fn one_that_is_missing_is_not_found() {
    let fake = fake_with(1).await;
    let error = fake.client().resolve(&reference(7)).await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert!(error.to_string().contains("my-tenant:app:K-007"), "{error}");
    assert_eq!(fake.request_count(), 1);
}

#[tokio::test]
async fn references_are_checked_without_reading_a_value() {
    let fake = fake_with(3).await;
    let checked = fake.client().check_refs(references(1..5)).await.unwrap();
    assert_eq!(checked.existing(), references(1..3));
    assert_eq!(checked.missing(), references(3..5));
    assert!(checked.exists(&reference(1)) && !checked.exists(&reference(4)));
    assert_eq!(fake.request_count(), 1);
    assert_eq!(fake.requests()[0].body().unwrap()["withValue"], json!(false));
}

#[tokio::test]
async fn a_failure_of_a_batch_ends_the_call() {
    let fake = fake_with(250).await;
    fake.inject(Fault::status(401).on("POST /secrets").forever());
    let error = fake.client().resolve_all(references(0..250)).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
    assert!(count(&fake, "secrets.list") <= 3);
    assert_eq!(count(&fake, "secrets.get"), 0);
}
