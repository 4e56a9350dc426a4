//! `ensure`: a group that has at least these keys.

use std::time::Duration;

use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{Client, Ensured, Error, NewSecretGroup, SecretStore, SecretStoreKind};

use crate::common::*;

const SETTLE: Duration = Duration::from_secs(60);

/// A control plane with one store and no group, and a client that has made a request before.
async fn empty() -> (FakeTrueFoundry, Client, SecretStore) {
    let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
    let client = client(&fake, SETTLE);
    let store = client.secret_stores().find(SecretStoreKind::Generic).await.unwrap();
    fake.clear_requests();
    (fake, client, store)
}

fn wanted(store: &SecretStore, keys: &[&str]) -> NewSecretGroup {
    keys.iter().fold(NewSecretGroup::new(APP, store), |new, key| new.secret(*key, "wanted value"))
}

#[tokio::test]
async fn a_group_that_is_missing_is_created_with_two_requests() {
    let (fake, client, store) = empty().await;
    let ensured = client.secret_groups().ensure(wanted(&store, &["A", "B"])).await.unwrap();
    assert!(matches!(ensured, Ensured::Created(_)), "{ensured:?}");
    assert_eq!(sent(&fake), [BY_NAME, CREATE]);
    assert_eq!(ensured.group().id().as_str(), fake.group_id(APP).unwrap());
    assert_eq!(ensured.into_group().secrets().unwrap().len(), 2);
}

#[tokio::test]
async fn a_client_that_does_not_know_its_tenant_asks_for_it_first() {
    let (fake, _, store) = empty().await;
    let client = fake.client();
    client.secret_groups().ensure(wanted(&store, &["A"])).await.unwrap();
    assert_eq!(sent(&fake), ["tenant_id.get", BY_NAME, CREATE]);
    let again = client.secret_groups().ensure(wanted(&store, &["A"])).await.unwrap();
    assert!(matches!(again, Ensured::Unchanged(_)), "{again:?}");
}

#[tokio::test]
async fn a_group_that_has_the_keys_is_left_alone_with_three_requests() {
    let (fake, client, store) = empty().await;
    let fake = fake.with_group(APP, [("A", "1"), ("B", "2"), ("C", "3")]);
    for _ in 0..2 {
        let ensured = client.secret_groups().ensure(wanted(&store, &["A", "B"])).await.unwrap();
        assert!(matches!(ensured, Ensured::Unchanged(_)), "{ensured:?}");
        assert_eq!(sent(&fake), [BY_NAME, GET, LIST]);
        fake.clear_requests();
    }
    assert_eq!(fake.value(APP, "A").as_deref(), Some("1"), "a key that is there keeps its value");
}

#[tokio::test]
async fn missing_keys_are_added_and_looked_at_again() {
    let (fake, client, store) = empty().await;
    let fake = fake.with_group(APP, [("A", "1"), ("C", "3")]);
    let ensured = client.secret_groups().ensure(wanted(&store, &["A", "B", "D"])).await.unwrap();
    let Ensured::Extended { group, added, .. } = ensured else { panic!("{ensured:?}") };
    assert_eq!(added, ["B", "D"]);
    assert_eq!(group.secrets().unwrap().len(), 4);
    assert_eq!(sent(&fake), [BY_NAME, GET, LIST, PUT, BY_NAME, GET, LIST]);
    for (key, value) in [("A", "1"), ("B", "wanted value"), ("C", "3"), ("D", "wanted value")] {
        assert_eq!(fake.value(APP, key).as_deref(), Some(value));
        assert_eq!(fake.version(APP, key), Some(1));
    }
    let again = client.secret_groups().ensure(wanted(&store, &["A", "B", "D"])).await.unwrap();
    assert!(matches!(again, Ensured::Unchanged(_)), "{again:?}");
}

#[tokio::test]
async fn what_an_edit_before_it_in_the_queue_removed_is_missing() {
    let (fake, client, store) = empty().await;
    let fake = fake.with_group(APP, [("A", "1"), ("B", "2")]);
    let id = fake.group_id(APP).unwrap();
    let gate = fake.hold(DELETE);
    let removing = tokio::spawn(client.secret_groups().edit(&id).remove("A").apply());
    gate.reached().await;
    let ensuring = tokio::spawn({
        let client = client.clone();
        async move { client.secret_groups().ensure(wanted(&store, &["A", "B"])).await }
    });
    while count(&fake, BY_NAME) < 1 {
        tokio::task::yield_now().await;
    }
    // The response by name, which still has the key, arrives before the removal does.
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.release();
    removing.await.unwrap().unwrap();
    let ensured = ensuring.await.unwrap().unwrap();
    assert_eq!(sorted(fake.keys(APP)), ["A", "B"]);
    assert!(matches!(ensured, Ensured::Extended { .. }), "{ensured:?}");
}

#[tokio::test]
async fn keys_that_others_added_are_not_called_added() {
    let (fake, client, store) = empty().await;
    let fake = fake.with_group(APP, [("A", "1"), ("GONE", "2")]);
    // The write is refused, because a kept key is gone; by then another process added ours.
    fake.on_request(PUT, |fake, _| {
        assert!(fake.remove_key(APP, "GONE"));
        fake.set_value(APP, "B", "theirs");
    });
    let ensured = client.secret_groups().ensure(wanted(&store, &["A", "B"])).await.unwrap();
    assert!(matches!(ensured, Ensured::Unchanged(_)), "{ensured:?}");
    assert_eq!(fake.value(APP, "B").as_deref(), Some("theirs"));
}

#[tokio::test]
async fn a_key_that_is_undone_is_added_again_three_times_at_most() {
    let (fake, client, store) = empty().await;
    let fake = fake.with_group(APP, [("A", "1")]);
    let mut times = 0;
    fake.on_request(BY_NAME, move |fake, _| {
        times += u32::from(fake.remove_key(APP, "B"));
        assert!(times <= 3);
    });
    let error = client.secret_groups().ensure(wanted(&store, &["A", "B"])).await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error:?}");
    let (_, removed, _, applied) = concurrent::<()>(Err(error));
    assert_eq!((removed, applied), (vec!["B".to_owned()], true));
    assert_eq!(count(&fake, PUT), 3);

    let (fake, client, store) = empty().await;
    let fake = fake.with_group(APP, [("A", "1")]);
    let mut times = 0;
    fake.on_request(BY_NAME, move |fake, _| {
        times += 1;
        if times == 2 {
            assert!(fake.remove_key(APP, "B"));
        }
    });
    let ensured = client.secret_groups().ensure(wanted(&store, &["A", "B"])).await.unwrap();
    let Ensured::Extended { added, .. } = ensured else { panic!("{ensured:?}") };
    assert_eq!((added, count(&fake, PUT)), (vec!["B".to_owned()], 2));
}

#[tokio::test]
async fn writes_that_were_never_done_are_not_called_undone() {
    let (fake, client, store) = empty().await;
    let pairs = (0..9).map(|index| (format!("K{index}"), "1"));
    let fake = fake.with_group(APP, pairs);
    let mut next = 0;
    fake.on_request(PUT, move |fake, _| {
        assert!(fake.remove_key(APP, &format!("K{next}")));
        next += 1;
    });
    let error = client.secret_groups().ensure(wanted(&store, &["A"])).await.unwrap_err();
    assert!(!error.may_have_been_applied(), "{error:?}");
    assert!(!concurrent::<()>(Err(error)).3);
}

#[tokio::test(start_paused = true)]
async fn an_unclear_creation_is_found_out() {
    let late = Duration::from_secs(5);
    let faults = [
        Fault::drop_after(),
        Fault::cut_body(),
        Fault::status(504).after_work(),
        Fault::drop_before(),
        Fault::status(503),
        Fault::delay_work(late),
        Fault::delay(Duration::from_secs(90)),
    ];
    for fault in faults {
        let (fake, client, store) = empty().await;
        fake.inject(fault.clone().on(CREATE));
        let ensured = client.secret_groups().ensure(wanted(&store, &["A", "B"])).await.unwrap();
        assert!(matches!(ensured, Ensured::Created(_)), "{fault:?}: {ensured:?}");
        fake.idle().await;
        assert_eq!(fake.groups(), [APP]);
        assert_eq!(fake.keys(APP), ["A", "B"]);
        assert!(count(&fake, CREATE) <= 2);
    }
}

#[tokio::test]
async fn a_creation_that_keeps_failing_is_reported_and_may_have_been_done() {
    let (fake, client, store) = empty().await;
    fake.inject(Fault::status(503).forever().on(CREATE));
    let error = client.secret_groups().ensure(wanted(&store, &["A"])).await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error:?}");
    assert_eq!(error.status(), Some(503));
    assert_eq!(count(&fake, CREATE), 3);
    fake.clear_faults();
    fake.inject(Fault::status(422).message("no").forever().on(CREATE));
    let error = client.secret_groups().ensure(wanted(&store, &["A"])).await.unwrap_err();
    assert_eq!((error.status(), error.may_have_been_applied()), (Some(422), false));
    assert_eq!(count(&fake, CREATE), 4, "a refusal is not repeated");
}

#[tokio::test]
async fn the_last_creation_is_looked_for_too() {
    let (fake, client, store) = empty().await;
    fake.inject(Fault::drop_before().times(2).on(CREATE));
    fake.inject(Fault::drop_after().on(CREATE));
    let ensured = client.secret_groups().ensure(wanted(&store, &["A"])).await.unwrap();
    assert!(matches!(ensured, Ensured::Created(_)), "{ensured:?}");
}

#[tokio::test]
async fn a_group_that_exists_and_cannot_be_seen_is_said_to_exist() {
    let (fake, client, store) = empty().await;
    let _fake = fake.with_group(APP, [("A", "1")]).without_access_to(APP);
    let error = client.secret_groups().ensure(wanted(&store, &["A"])).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    assert!(!error.may_have_been_applied());
}

#[tokio::test]
async fn losing_the_race_to_create_is_no_error() {
    let (fake, client, store) = empty().await;
    fake.on_request(CREATE, |fake, _| fake.set_value(APP, "A", "theirs"));
    let ensured = client.secret_groups().ensure(wanted(&store, &["A", "B"])).await.unwrap();
    let Ensured::Extended { added, .. } = ensured else { panic!("{ensured:?}") };
    assert_eq!(added, ["B"]);
    assert_eq!(fake.value(APP, "A").as_deref(), Some("theirs"));
}

#[tokio::test]
async fn keys_for_a_group_in_another_store_obey_that_stores_rules() {
    let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::AzureVault);
    let fake = fake.with_group(APP, [("A", "1")]).with_store(SecretStoreKind::Generic);
    let client = client(&fake, SETTLE);
    let store = client.secret_stores().find(SecretStoreKind::Generic).await.unwrap();
    fake.clear_requests();
    let new = wanted(&store, &["A", "B_C"]);
    let error = client.secret_groups().ensure(new.clone()).await.unwrap_err();
    assert!(matches!(error, Error::KeyNotSupported { context: None, .. }), "{error:?}");
    assert_eq!(count(&fake, PUT), 0);
    let error = client.secret_groups().ensure(new.skip_store_rules()).await.unwrap_err();
    assert_eq!(error.status(), Some(422), "{error:?}");
    let by_id = NewSecretGroup::in_integration(APP, store.id()).secret("D-D", "1");
    client.secret_groups().ensure(by_id).await.unwrap();
    assert_eq!((fake.keys(APP), count(&fake, STORE)), (vec!["A".into(), "D-D".into()], 1));
}

#[tokio::test]
async fn a_write_that_is_done_is_said_to_be_done_where_the_next_look_fails() {
    let (fake, client, store) = empty().await;
    let fake = fake.with_group(APP, [("A", "1")]);
    fake.on_request(PUT, |fake, _| fake.inject(Fault::status(403).on(BY_NAME)));
    let error = client.secret_groups().ensure(wanted(&store, &["B"])).await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error:?}");
    assert_eq!(fake.keys(APP), ["A", "B"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_calls_from_ten_clients_end_with_all_keys() {
    for present in [None, Some("A"), Some("OTHER")] {
        let (fake, _, store) = empty().await;
        let fake = match present {
            Some(key) => fake.with_group(APP, [(key, "1")]),
            None => fake,
        };
        let keys = ["A", "B", "C", "D"];
        let calls: Vec<_> = (0..10)
            .map(|number| {
                // Each has its own client, as in processes: they share no queue.
                let client = client(&fake, SETTLE);
                let new = keys.iter().fold(NewSecretGroup::new(APP, &store), |new, key| {
                    new.secret(*key, format!("value of process {number}"))
                });
                tokio::spawn(async move { client.secret_groups().ensure(new).await.unwrap() })
            })
            .collect();
        let mut writers = 0;
        for call in calls {
            writers += u32::from(!matches!(call.await.unwrap(), Ensured::Unchanged(_)));
        }
        for key in keys {
            let version = fake.version(APP, key).expect(key);
            let most = if present == Some(key) { 1 } else { writers };
            assert!((1..=most).contains(&version), "{key}: {version} of {writers}");
        }
        for number in 0..10 {
            let value = format!("value of process {number}");
            let sent = fake.requests().into_iter().filter(|one| {
                one.operation() == Some(PUT) && one.body().unwrap().to_string().contains(&value)
            });
            assert!(sent.count() <= 1, "each of them adds one version at most");
        }
        assert_eq!(fake.keys(APP).len(), if present == Some("OTHER") { 5 } else { 4 });
    }
}

#[tokio::test]
async fn a_group_that_is_deleted_after_it_was_found_is_created() {
    let (fake, client, store) = empty().await;
    let fake = fake.with_group(APP, [("A", "1")]);
    let mut gone = false;
    fake.on_request(GET, move |fake, _| {
        if !std::mem::replace(&mut gone, true) {
            fake.remove_group(APP);
        }
    });
    let ensured = client.secret_groups().ensure(wanted(&store, &["A", "B"])).await.unwrap();
    assert!(matches!(ensured, Ensured::Created(_)), "{ensured:?}");
    assert_eq!(fake.value(APP, "A").as_deref(), Some("wanted value"));

    // While the write is under way.
    let fake = fake.with_group("other", [("A", "1")]);
    let mut gone = false;
    fake.on_request(PUT, move |fake, _| {
        if !std::mem::replace(&mut gone, true) {
            fake.remove_group("other");
        }
    });
    let new = NewSecretGroup::new("other", &store).secret("B", "2");
    let ensured = client.secret_groups().ensure(new).await.unwrap();
    assert!(matches!(ensured, Ensured::Created(_)), "{ensured:?}");
}

#[tokio::test]
async fn a_group_that_is_deleted_every_time_is_not_found_in_the_end() {
    let (fake, client, store) = empty().await;
    let fake = fake.with_group(APP, [("A", "1")]);
    fake.inject(Fault::status(404).forever().on(GET));
    let error = client.secret_groups().ensure(wanted(&store, &["B"])).await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert_eq!((count(&fake, GET), count(&fake, PUT)), (4, 0));
}

#[tokio::test]
async fn a_store_whose_rules_are_not_known_takes_three_requests_more() {
    let (fake, client, store) = empty().await;
    let fake = fake.with_group(APP, [("A", "1")]);
    let new = NewSecretGroup::in_integration(APP, store.id()).secret("A", "x").secret("B", "2");
    client.secret_groups().ensure(new.clone().secret("C", "3")).await.unwrap();
    let look = [BY_NAME, GET, LIST];
    assert_eq!(sent(&fake), [&look[..], &[STORE, GET, LIST, PUT], &look].concat());

    // The second time they are known.
    fake.clear_requests();
    client.secret_groups().ensure(new.secret("D", "4")).await.unwrap();
    assert_eq!(sent(&fake), [&look[..], &[PUT], &look].concat());
}

/// Two that add different keys at the same time: the one that is overwritten adds its own keys
/// again.
#[tokio::test]
async fn different_keys_at_the_same_time_are_all_there_in_the_end() {
    let (fake, one, store) = empty().await;
    let fake = fake.with_group(APP, [("A", "1")]);
    let other = client(&fake, SETTLE);
    other.check().await.unwrap();
    let gate = fake.hold(PUT);
    let first = {
        let (one, new) = (one.clone(), wanted(&store, &["B"]));
        tokio::spawn(async move { one.secret_groups().ensure(new).await })
    };
    gate.reached().await;
    // The first one's list is complete already, and lacks the key that is added now.
    let second = other.secret_groups().ensure(wanted(&store, &["C"])).await.unwrap();
    assert!(matches!(second, Ensured::Extended { .. }), "{second:?}");
    drop(gate);
    first.await.unwrap().unwrap();
    // This is the window: the key existed when the second one checked, and nothing checks again.
    assert_eq!(fake.keys(APP), ["A", "B"]);
    other.secret_groups().ensure(wanted(&store, &["C"])).await.unwrap();
    assert_eq!(fake.keys(APP), ["A", "B", "C"]);
}
