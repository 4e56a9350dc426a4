//! Servers that list a group's keys in part, or not at all: absence is never read as "no keys".

use std::time::Duration;

use serde_json::json;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{Error, SecretStoreKind};

use crate::common::*;

const SETTLE: Duration = Duration::from_secs(60);

async fn big(setup: impl FnOnce(FakeTrueFoundry) -> FakeTrueFoundry) -> FakeTrueFoundry {
    let pairs = (0..250).map(|index| (format!("K{index:03}"), format!("value {index}")));
    let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
    setup(fake.with_group(APP, pairs))
}

/// Edits of all kinds keep what they do not name, and all their counts are right.
async fn edits_keep_the_rest(fake: &FakeTrueFoundry) {
    let client = client(fake, SETTLE);
    let groups = client.secret_groups();
    let id = fake.group_id(APP).unwrap();
    let plan =
        groups.edit(&id).set("NEW", "1").set("K249", "1").remove("K120").plan().await.unwrap();
    assert_eq!(plan.to_string(), "app: + NEW  ~ K249  - K120  = 248 kept");
    let done = plan.apply().await.unwrap();
    assert_eq!(done.kept().len(), 248);
    assert_eq!(fake.keys(APP).len(), 250);
    groups.edit_by_name(APP).set("K248", "2").apply().await.unwrap();
    groups.edit(&id).remove("K247").remove("K000").apply().await.unwrap();
    let keys = fake.keys(APP);
    assert_eq!(keys.len(), 248);
    for key in &keys {
        let expected = match key.as_str() {
            "NEW" | "K249" => "1".to_owned(),
            "K248" => "2".to_owned(),
            other => format!("value {}", other[1..].parse::<u32>().unwrap()),
        };
        assert_eq!(fake.value(APP, key), Some(expected), "{key}");
    }
}

#[tokio::test]
async fn the_whole_list_in_the_groups_answer() {
    edits_keep_the_rest(&big(|fake| fake).await).await;
}

#[tokio::test]
async fn a_short_list() {
    edits_keep_the_rest(&big(|fake| fake.with_associated_secrets(10)).await).await;
    edits_keep_the_rest(&big(|fake| fake.with_associated_secrets(180)).await).await;
}

#[tokio::test]
async fn no_list_at_all() {
    edits_keep_the_rest(&big(|fake| fake.with_associated_secrets(0)).await).await;
}

#[tokio::test]
async fn a_list_without_totals() {
    edits_keep_the_rest(&big(FakeTrueFoundry::without_pagination).await).await;
    edits_keep_the_rest(&big(|fake| fake.without_pagination().with_associated_secrets(0)).await)
        .await;
}

#[tokio::test]
async fn pages_shorter_than_asked_for() {
    edits_keep_the_rest(&big(|fake| fake.with_page_limit(7).with_associated_secrets(0)).await)
        .await;
    edits_keep_the_rest(&big(|fake| fake.with_page_limit(30).with_associated_secrets(40)).await)
        .await;
}

#[tokio::test]
async fn more_keys_promised_than_given_is_an_error_and_nothing_is_written() {
    let (fake, id) = app(&["A"]).await;
    let client = client(&fake, SETTLE);
    let cut = json!({ "data": [], "pagination": { "total": 3 } });
    fake.inject(Fault::status(200).json(cut).forever().on(LIST));
    let error = client.secret_groups().edit(&id).set("B", "1").apply().await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    assert!(!error.may_have_been_applied());
    assert_eq!(count(&fake, PUT), 0);
}

#[tokio::test]
async fn a_secret_without_a_key_is_an_error_and_nothing_is_written() {
    let (fake, id) = app(&["A"]).await;
    let client = client(&fake, SETTLE);
    let nameless = json!({ "data": [{ "id": "s-1" }], "pagination": { "total": 1 } });
    fake.inject(Fault::status(200).json(nameless).forever().on(LIST));
    let error = client.secret_groups().edit(&id).set("B", "1").apply().await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    assert_eq!(count(&fake, PUT), 0);
}

#[tokio::test]
async fn a_failed_read_writes_nothing() {
    for operation in [GET, LIST] {
        let (fake, id) = app(&["A"]).await;
        let client = client(&fake, SETTLE);
        fake.inject(Fault::status(403).on(operation));
        let error = client.secret_groups().edit(&id).set("B", "1").apply().await.unwrap_err();
        assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
        assert_eq!(count(&fake, PUT), 0);
    }
}
