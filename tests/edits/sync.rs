//! A group is brought to a desired state: what is read, compared and written for it.

use std::time::Duration;

use serde_json::json;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{
    Client, Edit, Error, NewSecretGroup, SecretMap, SecretStore, SecretStoreKind,
};

use crate::common::*;

const SETTLE: Duration = Duration::from_secs(60);

fn old(key: &str) -> (String, String) {
    (key.to_owned(), format!("old value of {key}"))
}

/// A group with these keys, and a client that knows its store.
async fn ready(keys: &[&str]) -> (FakeTrueFoundry, Client, SecretStore) {
    let (fake, _) = app(keys).await;
    let client = warm_client(&fake, SETTLE).await;
    let store = client.secret_stores().find(SecretStoreKind::Generic).await.unwrap();
    fake.clear_requests();
    (fake, client, store)
}

fn writes(fake: &FakeTrueFoundry) -> usize {
    count(fake, PUT) + count(fake, DELETE) + count(fake, CREATE)
}

/// The two requests that read a group and its list at the same time.
const READ: [&str; 2] = [GET, LIST];
const VALUES: &str = "values";

fn wire(fake: &FakeTrueFoundry) -> Vec<&'static str> {
    let requests = fake.requests();
    let with_values =
        |index: usize| requests[index].body().is_some_and(|body| body["withValue"] == true);
    let name = |index: usize| {
        if with_values(index) { VALUES } else { requests[index].operation().unwrap() }
    };
    let mut wire: Vec<_> = (0..requests.len()).map(name).collect();
    for index in 1..wire.len() {
        if wire[index - 1] == LIST && wire[index] == GET {
            wire.swap(index - 1, index);
        }
    }
    wire
}

/// The names whose values were requested, for each request.
fn values_read(fake: &FakeTrueFoundry) -> Vec<Vec<String>> {
    let asked = fake.requests().into_iter().filter_map(|request| {
        let body = request.body().filter(|body| body["withValue"] == true)?;
        assert_eq!(body.get("secretGroupId"), None, "only what is listed is read");
        let names = body["secretFqns"].as_array().unwrap().iter();
        Some(names.map(|name| name.as_str().unwrap().to_owned()).collect())
    });
    asked.collect()
}

#[tokio::test]
async fn a_plan_shows_what_differs_and_a_second_run_writes_nothing() {
    let (fake, client, _) = ready(&["A", "B", "OLD", "DB"]).await;
    let desired = || {
        let same = [old("A"), old("B")];
        same.into_iter().chain([("DB", "new"), ("NEW", "1")].map(|(k, v)| (k.into(), v.into())))
    };
    let sync = || client.secret_groups().sync(APP, desired()).remove_unlisted();
    let plan = sync().plan().await.unwrap();
    assert_eq!(wire(&fake), [BY_NAME, LIST, VALUES]);
    let asked = ["my-tenant:app:A", "my-tenant:app:B", "my-tenant:app:DB"];
    assert_eq!(values_read(&fake), [asked.map(str::to_owned)]);
    assert_eq!(plan.to_string(), "app: + NEW  ~ DB  - OLD  = 2 unchanged");
    let report = json!({
        "group": "app", "creates_group": false,
        "added": ["NEW"], "rotated": ["DB"], "removed": ["OLD"], "kept": ["A", "B"],
    });
    assert_eq!(serde_json::to_value(&plan).unwrap(), report);
    fake.clear_requests();
    let done = plan.apply().await.unwrap();
    assert_eq!(sent(&fake), [GET, LIST, PUT]);
    let mut report = report;
    report.as_object_mut().unwrap().remove("group");
    assert_eq!(serde_json::to_value(&done).unwrap(), report);
    let put = fake.requests().pop().unwrap();
    let list = json!({"secrets": [
        {"key": "A"}, {"key": "B"}, {"key": "DB", "value": "new"}, {"key": "NEW", "value": "1"},
    ]});
    assert_eq!(put.body().unwrap(), &list, "what is equal is kept, not sent again");
    assert_eq!(sorted(fake.keys(APP)), ["A", "B", "DB", "NEW"]);

    fake.clear_requests();
    let again = sync().plan().await.unwrap();
    assert!(again.is_empty());
    assert_eq!(again.to_string(), "app: nothing to change  = 4 unchanged");
    assert_eq!(again.apply().await.unwrap().group().unwrap().name(), Some(APP));
    assert_eq!(wire(&fake), [BY_NAME, LIST, VALUES]);
    fake.clear_requests();
    assert!(sync().apply().await.unwrap().is_unchanged());
    assert_eq!(wire(&fake), [BY_NAME, GET, LIST, VALUES]);
    for key in ["A", "B", "NEW"] {
        assert_eq!(fake.version(APP, key), Some(1), "{key}");
    }
    assert_eq!(fake.version(APP, "DB"), Some(2));
}

#[tokio::test]
async fn keys_that_are_not_listed_stay_and_their_values_are_not_read() {
    let (fake, client, _) = ready(&["A", "B", "C"]).await;
    let done = client.secret_groups().sync(APP, [("A", "new")]).apply().await.unwrap();
    assert_eq!(done.to_string(), "~ A  = 2 unchanged");
    assert_eq!(values_read(&fake), [["my-tenant:app:A"]]);
    // The group is read again before the write, since values were read in between.
    assert_eq!(wire(&fake), [&[BY_NAME], &READ[..], &[VALUES], &READ, &[PUT]].concat());
    assert_eq!(fake.keys(APP), ["A", "B", "C"]);
    fake.clear_requests();
    client.secret_groups().sync(APP, [("NEW", "1")]).apply().await.unwrap();
    assert_eq!(values_read(&fake), [[""; 0]; 0], "nothing to compare");
}

#[tokio::test]
async fn values_are_read_100_per_request() {
    let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::Generic);
    let pairs = || (0..250).map(|index| (format!("K{index}"), format!("value {index}")));
    let fake = fake.with_group(APP, pairs());
    let client = warm_client(&fake, SETTLE).await;
    let sync = || client.secret_groups().sync(APP, pairs().collect::<SecretMap>());
    assert!(sync().apply().await.unwrap().is_unchanged());
    assert_eq!(values_read(&fake).iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
    assert_eq!(writes(&fake), 0);
    fake.set_value(APP, "K7", "another");
    assert_eq!(sync().plan().await.unwrap().rotated(), ["K7"]);
}

#[tokio::test]
async fn removals_alone_are_one_delete_each() {
    let (fake, client, _) = ready(&["A", "B", "C"]).await;
    let groups = client.secret_groups();
    groups.sync(APP, [old("B")]).remove_unlisted().apply().await.unwrap();
    assert_eq!(wire(&fake), [&[BY_NAME], &READ[..], &[VALUES], &READ, &[DELETE; 2]].concat());
    assert_eq!(fake.keys(APP), ["B"]);
    for key in ["A", "C", "D"] {
        fake.set_value(APP, key, "x");
    }
    groups.edit_by_name(APP).remove_all(["A", "C"]).apply().await.unwrap();
    assert_eq!(sorted(fake.keys(APP)), ["B", "D"], "only what is named");
    let missing = groups.edit_by_name(APP).remove_all(["B", "NOPE"]).apply().await.unwrap_err();
    assert!(missing.is_not_found(), "{missing:?}");
    assert_eq!(sorted(fake.keys(APP)), ["B", "D"]);
}

#[tokio::test]
async fn nothing_desired_is_refused_before_anything_is_sent() {
    let (fake, client, store) = ready(&["A", "B"]).await;
    let none = || client.secret_groups().sync(APP, SecretMap::new()).remove_unlisted();
    for edit in
        [none(), none().create_in(&store), client.secret_groups().edit("x").remove_unlisted()]
    {
        let error = edit.apply().await.unwrap_err();
        assert!(matches!(error, Error::EmptyGroup { .. }), "{error:?}");
    }
    assert_eq!(fake.request_count(), 0);
    let plan = none().allow_empty().plan().await.unwrap();
    assert_eq!(plan.to_string(), "app: - A  - B  = 0 unchanged");
    plan.apply().await.unwrap();
    assert!(fake.keys(APP).is_empty());
    // Without removals an empty list changes nothing.
    assert!(client.secret_groups().sync(APP, SecretMap::new()).plan().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_hidden_value_is_an_error_and_nothing_is_written() {
    let (fake, client, _) = ready(&["A", "B", "C"]).await;
    let _ = fake.clone().with_values_hidden();
    let sync = client.secret_groups().sync(APP, [old("A"), ("B".into(), "new".into())]);
    let error = sync.apply().await.unwrap_err();
    let Error::Unresolved { missing, hidden, .. } = &error else { panic!("{error:?}") };
    assert_eq!((missing.len(), hidden.len(), hidden[1].key()), (0, 2, "B"));
    assert!(!error.may_have_been_applied());
    assert_eq!(writes(&fake), 0);
}

#[tokio::test]
async fn what_lists_leave_out_is_read_one_by_one() {
    let (fake, client, _) = ready(&["A", "B"]).await;
    let _ = fake.clone().without_values_in_lists();
    let sync = client.secret_groups().sync(APP, [old("A"), ("B".into(), "new".into())]);
    assert_eq!(sync.plan().await.unwrap().to_string(), "app: ~ B  = 1 unchanged");
    assert_eq!(count(&fake, "secrets.get"), 2);

    // No reference can name these.
    let odd = ["a\u{1}b", "${STAGE}"];
    let (fake, client, _) = ready(&odd).await;
    let sync = client.secret_groups().sync(APP, odd.map(old));
    assert!(sync.plan().await.unwrap().is_empty());
    assert_eq!((count(&fake, "secrets.get"), values_read(&fake).len()), (2, 0));
    let _ = fake.clone().with_values_hidden();
    let error = client.secret_groups().sync(APP, odd.map(old)).plan().await.unwrap_err();
    assert!(matches!(error, Error::ValueHidden { .. }), "{error:?}");
}

/// The moments at which another client changes the compared group.
#[tokio::test]
async fn a_change_after_the_group_was_read_is_seen() {
    let values = "secrets.list";
    for (change, expected) in [
        ("rotate", "~ A  = 1 unchanged"),
        ("remove", "+ A  = 1 unchanged"),
        ("add", "~ A  = 2 unchanged"),
    ] {
        let (fake, client, _) = ready(&["A", "B"]).await;
        let sync = || {
            let a = ("A".to_owned(), "new".to_owned());
            client.secret_groups().sync(APP, [a, old("B")])
        };
        let theirs = move |fake: &FakeTrueFoundry| match change {
            "rotate" => fake.set_value(APP, "A", "theirs"),
            "remove" => assert!(fake.remove_key(APP, "A")),
            _ => fake.set_value(APP, "C", "theirs"),
        };
        let plan = sync().plan().await.unwrap();
        theirs(&fake);
        assert!(!concurrent(plan.apply().await).3, "{change}");
        assert_eq!(writes(&fake), 0, "{change}");

        // Just before the values are read.
        let (fake, client, _) = ready(&["A", "B"]).await;
        let mut done = false;
        fake.on_request(values, move |fake, request| {
            if request.body().unwrap()["withValue"] == true && !std::mem::replace(&mut done, true) {
                theirs(fake);
            }
        });
        let a = ("A".to_owned(), "new".to_owned());
        let applied = client.secret_groups().sync(APP, [a, old("B")]).apply().await.unwrap();
        assert_eq!(applied.to_string(), expected, "planned again");
        assert_eq!(count(&fake, PUT), 1);
        assert_eq!(fake.value(APP, "A").as_deref(), Some("new"));
        assert_eq!(fake.value(APP, "C").is_some(), change == "add");
    }
}

#[tokio::test]
async fn a_group_that_changes_every_time_is_given_up_after_three_plans() {
    let (fake, client, _) = ready(&["A"]).await;
    let mut number = 0;
    fake.on_request(LIST, move |fake, request| {
        if request.body().unwrap()["withValue"] == true {
            number += 1;
            fake.set_value(APP, "OTHER", &format!("{number}"));
        }
    });
    let sync = client.secret_groups().sync(APP, [("A", "new")]);
    assert!(!concurrent(sync.apply().await).3);
    assert_eq!((values_read(&fake).len(), writes(&fake)), (3, 0));
}

#[tokio::test]
async fn a_missing_group_is_created_where_it_is_said_and_only_then() {
    let (fake, client, store) = ready(&["A"]).await;
    let sync = || client.secret_groups().sync("new", [("A", "1"), ("B", "2")]);
    assert!(sync().plan().await.unwrap_err().is_not_found());
    assert!(sync().apply().await.unwrap_err().is_not_found());
    fake.clear_requests();
    let plan = sync().create_in(&store).plan().await.unwrap();
    assert_eq!(plan.to_string(), "new: new group  + A  + B");
    assert!(plan.creates_group() && !plan.is_empty() && plan.group().is_none());
    assert_eq!((plan.group_name(), plan.unmarked().len()), ("new", 0));
    let done = plan.apply().await.unwrap();
    assert_eq!(sent(&fake), [BY_NAME, CREATE]);
    assert!(done.creates_group());
    assert_eq!(done.group().unwrap().name(), Some("new"));
    assert!(sync().create_in(&store).plan().await.unwrap().is_empty());

    fake.clear_requests();
    let direct = client.secret_groups().edit_by_name("more").set("A", "1").create_in(&store);
    assert_eq!(direct.apply().await.unwrap().to_string(), "new group  + A");
    assert_eq!(sent(&fake), [BY_NAME, CREATE]);

    // A new group has no key to remove, and an identifier is not a name.
    let error = sync().create_in(&store).remove("X").apply().await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    let other = client.secret_groups().edit_by_name("none").set("A", "1").remove("X");
    assert!(other.create_in(&store).plan().await.unwrap_err().is_not_found());
    let by_id = client.secret_groups().edit("sg-1").set("A", "1").create_in(&store);
    assert!(matches!(by_id.plan().await, Err(Error::InvalidInput { .. })));
}

#[tokio::test]
async fn the_rules_of_the_store_are_checked_before_a_group_is_created() {
    let (fake, client, _) = ready(&[]).await;
    let fake = fake.with_store(SecretStoreKind::AzureVault);
    let azure = client.secret_stores().find(SecretStoreKind::AzureVault).await.unwrap();
    let sync = || client.secret_groups().sync("new", [("A_B", "1")]).create_in(&azure);
    for result in [sync().plan().await.map(drop), sync().apply().await.map(drop)] {
        assert!(matches!(result, Err(Error::KeyNotSupported { context: None, .. })), "{result:?}");
    }
    assert_eq!(writes(&fake), 0);
}

/// Azure Key Vault ignores case: removing one of the names would delete what is written under the
/// other.
#[tokio::test]
async fn keys_that_are_one_secret_to_the_store_are_refused() {
    let fake = FakeTrueFoundry::start().await.without_stores();
    let fake = fake.with_store(SecretStoreKind::AzureVault).with_group(APP, [("DB-PASSWORD", "x")]);
    let client = client(&fake, SETTLE);
    let azure = client.secret_stores().find(SecretStoreKind::AzureVault).await.unwrap();
    let groups = client.secret_groups();
    let other_case = || groups.sync(APP, [("db-password", "new")]);
    let both = [("NEW", "1"), ("new", "2")];
    for edit in [
        other_case(),
        other_case().remove_unlisted(),
        groups.edit_by_name(APP).set("db-password", "new").remove("DB-PASSWORD"),
        groups.sync(APP, both),
        groups.sync("other", both).create_in(&azure),
    ] {
        let error = edit.apply().await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
        let text = error.to_string();
        let names = [["DB-PASSWORD", "db-password"], ["NEW", "new"]];
        assert!(names.iter().any(|two| two.iter().all(|key| text.contains(key))), "{text}");
    }
    let new = NewSecretGroup::new("other", &azure).secrets(both);
    assert!(matches!(groups.create(new).await, Err(Error::InvalidInput { .. })));
    let new = NewSecretGroup::new(APP, &azure).secret("db-password", "new");
    assert!(matches!(groups.ensure(new).await, Err(Error::InvalidInput { .. })));
    assert_eq!(writes(&fake), 0);

    let both_exist = || groups.sync(APP, [("DB-PASSWORD", "1"), ("db-password", "1")]);
    both_exist().skip_store_rules().apply().await.unwrap();
    // The existing keys were accepted once.
    assert!(both_exist().apply().await.unwrap().is_unchanged());
    let rotated = groups.sync(APP, [("DB-PASSWORD", "2")]).apply().await.unwrap();
    assert_eq!(rotated.rotated(), ["DB-PASSWORD"]);
}

/// The recipes of `SecretMap::renamed_for`.
#[tokio::test]
async fn a_group_is_copied_to_another_tenant_and_to_another_control_plane() {
    let source = FakeTrueFoundry::start().await.without_stores();
    let source = source.with_store(SecretStoreKind::AwsSecretsManager);
    let source = source.with_group(APP, [("DB_PASSWORD", "one"), ("TOKEN", "two")]);
    let other = FakeTrueFoundry::start().await.with_tenant("other-org").without_stores();
    let other = other.with_store(SecretStoreKind::AzureVault);
    let from = client(&source, SETTLE);
    let to = client(&other, SETTLE);
    let azure = to.secret_stores().find(SecretStoreKind::AzureVault).await.unwrap();
    let copy = async || {
        let values = from.resolve_group(APP).await.unwrap();
        let values = values.renamed_for(SecretStoreKind::AzureVault).unwrap();
        to.secret_groups().sync(APP, values).create_in(&azure).apply().await.unwrap()
    };
    let copied = copy().await;
    assert_eq!(copied.to_string(), "new group  + DB-PASSWORD  + TOKEN");
    assert_eq!(copied.group().unwrap().fqn(), "other-org:app");
    assert_eq!(other.value(APP, "DB-PASSWORD").as_deref(), Some("one"));
    assert_eq!(other.value(APP, "TOKEN").as_deref(), Some("two"));
    assert!(copy().await.is_unchanged());
    source.set_value(APP, "TOKEN", "three");
    assert_eq!(copy().await.to_string(), "~ TOKEN  = 1 unchanged");
    assert_eq!((writes(&source), writes(&other)), (0, 2));
}

#[tokio::test]
async fn losing_the_race_to_create_is_a_concurrent_edit_or_an_edit() {
    let (fake, client, store) = ready(&[]).await;
    let sync = || client.secret_groups().sync("new", [("A", "1"), ("B", "2")]).create_in(&store);
    let plan = sync().plan().await.unwrap();
    fake.set_value("new", "A", "theirs");
    let (added, .., applied) = concurrent(plan.apply().await);
    assert_eq!((added, applied), (vec!["A".to_owned()], false));

    fake.remove_group("new");
    fake.on_request(CREATE, |fake, _| fake.set_value("new", "A", "theirs"));
    let applied = sync().apply().await.unwrap();
    assert_eq!(applied.to_string(), "+ B  ~ A  = 0 unchanged");
    assert_eq!(fake.value("new", "A").as_deref(), Some("1"));
}

#[tokio::test]
async fn an_unclear_creation_is_found_out() {
    for fault in [Fault::drop_after(), Fault::drop_before(), Fault::status(503)] {
        let (fake, client, store) = ready(&[]).await;
        fake.inject(fault.clone().on(CREATE));
        let sync = client.secret_groups().sync("new", [("A", "1")]).create_in(&store);
        assert_eq!(sync.apply().await.unwrap().to_string(), "new group  + A", "{fault:?}");
        assert_eq!(fake.version("new", "A"), Some(1));
    }
}

#[tokio::test]
async fn a_group_that_is_deleted_under_the_edit_is_created() {
    let (fake, client, store) = ready(&["A"]).await;
    let mut gone = false;
    fake.on_request(GET, move |fake, _| {
        if !std::mem::replace(&mut gone, true) {
            fake.remove_group(APP);
        }
    });
    let sync = client.secret_groups().sync(APP, [("A", "1")]).create_in(&store);
    assert!(sync.apply().await.unwrap().creates_group());
    assert_eq!(fake.value(APP, "A").as_deref(), Some("1"));
}

#[tokio::test]
async fn a_value_that_stands_for_another_is_refused() {
    let (fake, client, store) = ready(&["A"]).await;
    let sync = |value: &str| -> Edit {
        client.secret_groups().sync(APP, [("A", value)]).create_in(&store)
    };
    for text in ["tfy-secret://t:g:k", "(set)", "hunt***"] {
        let error = sync(text).plan().await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "{text}: {error:?}");
    }
    assert_eq!(fake.request_count(), 0);
    sync("tfy-secret://t:g:k").allow_reference_text().apply().await.unwrap();
    sync("hunt***").allow_masked_text().apply().await.unwrap();
}

#[tokio::test]
async fn no_text_of_a_sync_holds_a_value() {
    let (fake, client, store) = ready(&["A", "B"]).await;
    let mine = "hunter2-of-the-sync";
    fake.set_value(APP, "A", "theirs-of-the-store");
    let sync = || client.secret_groups().sync(APP, [("A", mine), ("C", mine)]).create_in(&store);
    let plan = sync().plan().await.unwrap();
    let mut texts = format!("{:?} {plan:?} {plan}", sync());
    texts.push_str(&serde_json::to_string(&plan).unwrap());
    fake.set_value(APP, "A", "theirs-again");
    texts.push_str(&all_texts(&plan.apply().await.unwrap_err()));
    // The errors of reading values withhold the sent values, too.
    fake.inject(Fault::status(400).message(mine).on(LIST).times(2));
    texts.push_str(&all_texts(&sync().plan().await.unwrap_err()));
    for word in ["hunter2", "theirs", "old value", fake.api_key()] {
        assert!(!texts.contains(word), "{word}: {texts}");
    }
}
