//! Which requests each operation makes, and how many.

use std::time::Duration;

use truefoundry_secrets::SecretStoreKind;
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::common::*;

const SETTLE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_plan_takes_two_requests_and_its_apply_three() {
    let (fake, id) = app(&["A", "B"]).await;
    let client = warm_client(&fake, SETTLE).await;
    let plan = client.secret_groups().edit(&id).set("A", "new").remove("B").plan().await.unwrap();
    assert_eq!(sent(&fake), [GET, LIST]);
    fake.clear_requests();
    plan.apply().await.unwrap();
    assert_eq!(sent(&fake), [GET, LIST, PUT]);
}

#[tokio::test]
async fn a_direct_apply_takes_three_requests() {
    let (fake, id) = app(&["A", "B"]).await;
    let client = warm_client(&fake, SETTLE).await;
    client.secret_groups().edit(&id).set("A", "new").apply().await.unwrap();
    assert_eq!(sent(&fake), [GET, LIST, PUT]);
}

#[tokio::test]
async fn by_name_the_group_comes_from_the_look_up() {
    let (fake, _) = app(&["A", "B"]).await;
    let client = warm_client(&fake, SETTLE).await;
    let groups = client.secret_groups();
    let plan = groups.edit_by_name(APP).set("A", "new").plan().await.unwrap();
    assert_eq!(sent(&fake), [BY_NAME, LIST]);
    fake.clear_requests();
    plan.apply().await.unwrap();
    assert_eq!(sent(&fake), [GET, LIST, PUT]);
    fake.clear_requests();
    groups.edit_by_name(APP).set("A", "newer").apply().await.unwrap();
    assert_eq!(sent(&fake), [BY_NAME, GET, LIST, PUT]);
    fake.clear_requests();
    groups.edit_by_name(APP).remove("B").apply().await.unwrap();
    assert_eq!(sent(&fake), [BY_NAME, GET, LIST, DELETE]);
}

#[tokio::test]
async fn removals_take_one_request_for_each_key_and_never_ask_for_the_store() {
    let (fake, id) = app(&["A", "B", "C"]).await;
    let client = client(&fake, SETTLE);
    client.secret_groups().edit(&id).remove("A").remove("C").apply().await.unwrap();
    assert_eq!(sent(&fake), [GET, LIST, DELETE, DELETE]);
    assert_eq!(fake.keys(APP), ["B"]);
}

#[tokio::test]
async fn the_store_is_looked_up_once_for_all_groups_in_it() {
    let (fake, id) = app(&["A"]).await;
    let fake = fake.with_group("other", [("A", "1")]);
    let client = client(&fake, SETTLE);
    let groups = client.secret_groups();
    drop(groups.edit(&id).set("A", "new").plan().await.unwrap());
    assert_eq!(sent(&fake), [GET, LIST, STORE]);
    fake.clear_requests();
    drop(groups.edit(&id).set("A", "new").plan().await.unwrap());
    let other = fake.group_id("other").unwrap();
    drop(groups.edit(&other).set("A", "new").plan().await.unwrap());
    assert_eq!(sent(&fake), [GET, LIST, GET, LIST], "clones and groups share what was learned");
    let rules_off = client.clone();
    drop(rules_off.secret_groups().edit(&id).set("B", "new").skip_store_rules().plan().await);
    assert_eq!(count(&fake, STORE), 0);
}

#[tokio::test]
async fn the_look_up_of_the_store_is_not_made_between_the_last_read_and_the_write() {
    let (fake, id) = app(&["A"]).await;
    let client = client(&fake, SETTLE);
    client.secret_groups().edit(&id).set("A", "new").apply().await.unwrap();
    assert_eq!(sent(&fake), [GET, LIST, STORE, GET, LIST, PUT]);
    fake.clear_requests();
    client.secret_groups().edit(&id).set("A", "newer").apply().await.unwrap();
    assert_eq!(sent(&fake), [GET, LIST, PUT]);
}

#[tokio::test]
async fn nothing_is_written_where_nothing_is_to_be_changed() {
    let (fake, id) = app(&["A"]).await;
    let client = client(&fake, SETTLE);
    let plan = client.secret_groups().edit(&id).plan().await.unwrap();
    assert!(plan.is_empty());
    assert_eq!(plan.to_string(), "app: nothing to change  = 1 kept");
    fake.clear_requests();
    plan.apply().await.unwrap();
    assert_eq!(fake.request_count(), 0);
}

#[tokio::test]
async fn no_request_ever_asks_for_values() {
    let (fake, id) = app(&["A", "B", "C"]).await;
    let client = client(&fake, SETTLE);
    let groups = client.secret_groups();
    let plan = groups.edit(&id).set("A", "new").remove("B").plan().await.unwrap();
    plan.apply().await.unwrap();
    groups.edit_by_name(APP).remove("C").apply().await.unwrap();
    for request in fake.requests() {
        assert_ne!(request.operation(), Some("secrets.get"));
        assert_ne!(request.operation(), Some("secrets.versions"));
        if request.operation() == Some(LIST) {
            assert_eq!(request.body().unwrap()["withValue"], false);
        }
    }
}

#[tokio::test]
async fn a_group_of_250_keys_whose_response_lists_none_takes_three_pages() {
    let fake = FakeTrueFoundry::start().await.with_associated_secrets(0);
    let pairs = (0..250).map(|index| (format!("K{index}"), "value"));
    let fake = fake.with_store(SecretStoreKind::Generic).with_group(APP, pairs);
    let client = warm_client(&fake, SETTLE).await;
    let id = fake.group_id(APP).unwrap();
    let plan = client.secret_groups().edit(&id).set("K249", "new").plan().await.unwrap();
    // The last one checks whether the group has changed in the meantime.
    assert_eq!((count(&fake, GET), count(&fake, LIST), fake.request_count()), (2, 3, 5));
    assert_eq!((plan.kept().len(), plan.rotated().len()), (249, 1));
    plan.apply().await.unwrap();
    assert_eq!(fake.keys(APP).len(), 250);
    assert_eq!(fake.value(APP, "K249").as_deref(), Some("new"));
}

/// A total alone cannot tell whether a full page is the last one.
#[tokio::test]
async fn a_group_of_100_keys_and_more_takes_one_request_more() {
    for (keys, pages) in [(99, 1), (100, 2), (101, 2), (200, 2), (250, 2)] {
        let pairs = (0..keys).map(|index| (format!("K{index}"), "value"));
        let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
        let fake = fake.with_group(APP, pairs);
        let client = warm_client(&fake, SETTLE).await;
        let id = fake.group_id(APP).unwrap();
        client.secret_groups().edit(&id).set("K0", "new").apply().await.unwrap();
        assert_eq!((count(&fake, GET), count(&fake, LIST), count(&fake, PUT)), (1, pages, 1));
    }
}
