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
async fn the_whole_list_in_the_groups_response() {
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

/// A key that is removed between the two reads counts towards the total, and must not hide one that
/// neither of them lists.
#[tokio::test]
async fn a_key_that_is_removed_between_the_two_reads_hides_no_other() {
    let pairs = (0..102).map(|index| (format!("K{index:03}"), format!("value {index}")));
    let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
    let fake = fake.with_group(APP, pairs).with_associated_secrets(10);
    let client = warm_client(&fake, SETTLE).await;
    let id = fake.group_id(APP).unwrap();
    let (group, list) = (fake.hold_response(GET), fake.hold(LIST));
    let edit = client.secret_groups().edit(&id).set("K001", "new");
    let applying = tokio::spawn(edit.apply());
    group.reached().await;
    list.reached().await;
    fake.remove_key(APP, "K000");
    drop((group, list));
    let done = applying.await.unwrap().unwrap();
    assert_eq!(done.kept().len(), 100);
    let keys = fake.keys(APP);
    assert_eq!((keys.len(), keys.contains(&"K101".to_owned())), (101, true));
    assert_eq!(fake.value(APP, "K001").as_deref(), Some("new"));
}

/// Pages shift when a key before them is removed: a key of the next page is then on the page
/// already read.
#[tokio::test]
async fn a_group_that_changes_while_its_pages_are_read_is_read_again() {
    let fake = big(|fake| fake.with_associated_secrets(0)).await;
    let client = warm_client(&fake, SETTLE).await;
    let id = fake.group_id(APP).unwrap();
    let mut lists = 0;
    fake.on_request(LIST, move |fake, _| {
        lists += 1;
        if lists == 2 {
            fake.remove_key(APP, "K000");
            fake.set_value(APP, "NEW", "theirs");
        }
    });
    client.secret_groups().edit(&id).set("K001", "new").apply().await.unwrap();
    let keys = fake.keys(APP);
    assert_eq!(keys.len(), 250);
    for kept in ["K100", "K101", "K249", "NEW"] {
        assert!(keys.contains(&kept.to_owned()), "{kept}");
    }
    // Three pages and a check for changes, twice; and once more to verify the write.
    assert_eq!((count(&fake, GET), count(&fake, LIST), count(&fake, PUT)), (6, 9, 1));
}

#[tokio::test]
async fn a_group_that_never_holds_still_is_a_concurrent_edit() {
    let fake = big(|fake| fake.with_associated_secrets(0)).await;
    let client = warm_client(&fake, SETTLE).await;
    let id = fake.group_id(APP).unwrap();
    let mut value = 0;
    fake.on_request(LIST, move |fake, _| {
        value += 1;
        fake.set_value(APP, "K000", &value.to_string());
    });
    let result = client.secret_groups().edit(&id).set("K001", "new").plan().await;
    assert!(!concurrent(result).3);
    assert_eq!(count(&fake, GET), 6);
}
