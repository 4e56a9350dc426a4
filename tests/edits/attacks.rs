//! What a server or another user of the client could do to make an edit lose a key, write twice, or write to
//! another group.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{Error, ListSecrets, NewSecretGroup, SecretStoreKind, SecretUpdate};

use crate::common::*;

const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// A list of secrets as the only page.
fn page(entries: &Value) -> Fault {
    let total = entries.as_array().unwrap().len();
    let body = json!({ "data": entries, "pagination": { "total": total, "limit": 100 } });
    Fault::status(200).json(body).forever().on(LIST)
}

/// The write's response lists no keys, and the reads that should verify it find a group that keeps
/// changing.
#[tokio::test]
async fn a_write_that_cannot_be_looked_at_again_is_not_written_twice() {
    let pairs = (0..150).map(|index| (format!("K{index:03}"), format!("value {index}")));
    let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
    let fake = fake.with_group(APP, pairs).with_associated_secrets(0);
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    let id = fake.group_id(APP).unwrap();
    let is_written = Arc::new(AtomicBool::new(false));
    let written = Arc::clone(&is_written);
    fake.on_request(PUT, move |_, _| written.store(true, Ordering::SeqCst));
    let mut value = 0;
    fake.on_request(LIST, move |fake, _| {
        value += 1;
        if is_written.load(Ordering::SeqCst) {
            fake.set_value(APP, "K000", &value.to_string());
        }
    });
    let error = client.secret_groups().edit(&id).set("K001", "new").apply().await.unwrap_err();
    assert_eq!(count(&fake, PUT), 1, "{error:?}");
    assert_eq!(fake.version(APP, "K001"), Some(2));
    assert!(error.may_have_been_applied(), "{error:?}");
}

/// Both lists are cut, each in its own way: a key that neither of them has would be lost.
#[tokio::test]
async fn a_list_without_a_key_that_the_group_lists_is_not_the_whole() {
    for listed in [json!([]), json!([{ "id": "s", "name": "D" }])] {
        let (fake, id) = app(&["A", "B", "C", "D"]).await;
        let fake = fake.with_associated_secrets(2);
        let client = client(&fake, WRITE_TIMEOUT);
        let mut listed = listed;
        if let Some(entry) = listed.get_mut(0) {
            entry["id"] = fake.secret_id(APP, "D").unwrap().into();
        }
        fake.inject(page(&listed));
        let edit = client.secret_groups().edit(&id).set("NEW", "1");
        let error = edit.apply().await.unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{error:?}");
        assert_eq!(fake.keys(APP), ["A", "B", "C", "D"]);
    }
}

/// A server that ignores `secretGroupId` lists all secrets that the key may see.
#[tokio::test]
async fn a_secret_whose_name_is_that_of_another_group_is_not_taken_for_this_ones() {
    let (fake, id) = app(&[]).await;
    let fake = fake.with_group("other", [("A", "theirs")]);
    let client = client(&fake, WRITE_TIMEOUT);
    let theirs = json!([{
        "id": fake.secret_id("other", "A").unwrap(),
        "fqn": format!("{}:other:A", fake.tenant()),
        "name": "A",
    }]);
    fake.inject(page(&theirs));
    let body = json!({ "data": { "id": id, "fqn": format!("{}:app", fake.tenant()) } });
    fake.inject(Fault::status(200).json(body).forever().on(GET));
    let removal = client.secret_groups().edit(&id).remove("A").allow_empty();
    let error = removal.apply().await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    assert_eq!(fake.keys("other"), ["A"]);
    let error = client.resolve_group(APP).await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
}

/// The group's own list and the total may come from the same truncated query.
#[tokio::test]
async fn a_total_as_low_as_the_groups_own_list_does_not_end_a_long_list() {
    let pairs = (0..250).map(|index| (format!("K{index:03}"), format!("value {index}")));
    let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
    let fake = fake.with_group(APP, pairs).with_associated_secrets(150);
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    let id = fake.group_id(APP).unwrap();
    let listed = client.secrets().list(&ListSecrets::in_group(&id)).await.unwrap();
    let keys: Vec<Value> =
        listed.iter().map(|secret| json!({ "id": secret.id(), "name": secret.key() })).collect();
    let body = json!({ "data": keys, "pagination": { "total": 150, "limit": 100 } });
    fake.inject(Fault::status(200).json(body).on(LIST));
    let result = client.secret_groups().edit(&id).set("NEW", "1").apply().await;
    let expected = if result.is_ok() { 251 } else { 250 };
    assert_eq!(fake.keys(APP).len(), expected, "{result:?}");
    assert!(result.is_ok(), "{result:?}");
}

/// A proxy in front of the service can refuse the first attempt, and respond to the second with its
/// own page.
#[tokio::test]
async fn a_404_after_an_unclear_attempt_is_no_removal_where_the_key_is_still_there() {
    for key in ["A", "B"] {
        let (fake, id) = app(&["A", "B", "C"]).await;
        let client = client(&fake, WRITE_TIMEOUT);
        let delete = format!("DELETE /secrets/{}", fake.secret_id(APP, key).unwrap());
        fake.inject(Fault::status(503).on(&delete));
        fake.inject(Fault::status(404).body("text/html", "<h1>Not Found</h1>").on(&delete));
        let edit = client.secret_groups().edit(&id).remove("A").remove("B");
        let error = edit.apply().await.unwrap_err();
        assert!(error.may_have_been_applied(), "{error:?}");
        assert_eq!(matches!(error, Error::PartiallyApplied { .. }), key == "B", "{error:?}");
        assert!(fake.keys(APP).contains(&key.to_owned()));
    }
}

/// A control plane that does not report its tenant, and shows another tenant's group of the same
/// name.
#[tokio::test]
async fn ensure_adds_no_keys_to_a_group_of_another_store_where_the_tenant_is_not_known() {
    let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
    let fake = fake.with_shared_group("internal", APP, [("A", "theirs")]);
    let fake =
        fake.without_tenant_id().without_session().with_store(SecretStoreKind::HashicorpVault);
    let vault = fake.store_id(&SecretStoreKind::HashicorpVault).unwrap();
    let client = fake.client_builder().build().unwrap();
    let new = || NewSecretGroup::in_integration(APP, &vault).secret("NEW", "mine");
    let error = client.secret_groups().ensure(new()).await.unwrap_err();
    assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
    assert!(error.to_string().contains("ClientBuilder::tenant"), "{error}");
    assert_eq!(fake.keys("internal:app"), ["A"]);
    // Once the tenant is set, the group is created.
    let client = fake.client_builder().tenant(fake.tenant()).build().unwrap();
    client.secret_groups().ensure(new()).await.unwrap();
    assert_eq!((fake.keys("internal:app").len(), fake.keys(APP).len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_full_list_waits_for_an_edit_that_has_read_the_group() {
    let (fake, id) = app(&["A"]).await;
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    let gate = fake.hold(PUT);
    let editing = tokio::spawn(client.secret_groups().edit(&id).set("B", "1").apply());
    gate.reached().await;
    let list = ["A", "B", "C"].map(|key| SecretUpdate::set(key, "of the list"));
    let replacing = async { client.secret_groups().replace_secrets(&id, &list).await };
    let releasing = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(count(&fake, PUT), 1, "it would be undone by the edit");
        gate.release();
    };
    tokio::join!(replacing, releasing).0.unwrap();
    editing.await.unwrap().unwrap();
    assert_eq!(fake.keys(APP), ["A", "B", "C"]);
}

#[tokio::test(start_paused = true)]
async fn a_late_full_list_is_waited_for() {
    let (fake, id) = app(&["A"]).await;
    let client = warm_client(&fake, WRITE_TIMEOUT).await;
    fake.inject(Fault::delay_work(Duration::from_secs(20)).on(PUT));
    let list = [SecretUpdate::keep("A"), SecretUpdate::set("B", "1")];
    let error = client.secret_groups().replace_secrets(&id, &list).await.unwrap_err();
    assert!(error.hint().ends_with("waits up to 60 s for it."), "{}", error.hint());
    let begun = Instant::now();
    client.secret_groups().edit(&id).set("C", "1").apply().await.unwrap();
    fake.idle().await;
    assert_eq!(fake.keys(APP), ["A", "B", "C"], "a late list deleted it");
    // Nothing was read before that write, so reads could not show that it is done: none is made.
    assert!(begun.elapsed() >= WRITE_TIMEOUT - Duration::from_secs(1));
    assert_eq!(sent(&fake), [PUT, GET, LIST, PUT]);
    fake.inject(Fault::delay_work(Duration::from_secs(20)).on(PUT));
    client.secret_groups().edit(&id).set("D", "1").apply().await.unwrap_err();
    let list = ["A", "B", "C", "D", "E"].map(|key| SecretUpdate::set(key, "of the list"));
    client.secret_groups().replace_secrets(&id, &list).await.unwrap();
    fake.idle().await;
    assert_eq!(fake.keys(APP), ["A", "B", "C", "D", "E"]);
}
