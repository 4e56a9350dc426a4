//! What is refused before anything is sent, and what is not.

use std::time::Duration;

use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{Client, Error, NewSecretGroup, SecretStoreKind, SecretUpdate};

use crate::common::*;

const SETTLE: Duration = Duration::from_secs(60);

async fn with_store(kind: SecretStoreKind) -> (FakeTrueFoundry, String, Client) {
    let fake = FakeTrueFoundry::start()
        .await
        .with_store(kind)
        .with_group(APP, [("A", "1"), ("OLD_ONE", "2")]);
    let id = fake.group_id(APP).unwrap();
    let client = client(&fake, SETTLE);
    (fake, id, client)
}

/// A store, a key that it refuses, and what it suggests.
fn bad_keys() -> Vec<(SecretStoreKind, String, Option<&'static str>)> {
    vec![
        (SecretStoreKind::AzureVault, "DB_PASSWORD".into(), Some("DB-PASSWORD")),
        (SecretStoreKind::AzureVault, "K".repeat(128), None),
        (SecretStoreKind::AwsSecretsManager, "DB PASSWORD".into(), Some("DB_PASSWORD")),
        (SecretStoreKind::AwsParameterStore, "aws-key".into(), None),
        (SecretStoreKind::AwsParameterStore, "A@B".into(), Some("A_B")),
        (SecretStoreKind::GcpSecretManager, "a.b".into(), Some("a_b")),
    ]
}

fn bad_values() -> Vec<(SecretStoreKind, usize)> {
    vec![
        (SecretStoreKind::AzureVault, 25 * 1024),
        (SecretStoreKind::AwsSecretsManager, 65_536),
        (SecretStoreKind::AwsParameterStore, 8 * 1024),
        (SecretStoreKind::GcpSecretManager, 64 * 1024),
    ]
}

#[tokio::test]
async fn a_key_that_the_store_does_not_take_is_refused_with_a_name_that_it_takes() {
    for (kind, key, suggested) in bad_keys() {
        let (fake, id, client) = with_store(kind.clone()).await;
        let store = client.secret_stores().find(kind.clone()).await.unwrap();
        fake.clear_requests();
        let new = NewSecretGroup::new("new", &store).secret(&key, "value");
        let by_create = client.secret_groups().create(new.clone()).await.unwrap_err();
        let by_ensure = client.secret_groups().ensure(new.clone()).await.unwrap_err();
        assert_eq!(fake.request_count(), 0, "{key}");
        let by_plan = client.secret_groups().edit(&id).set(&key, "v").plan().await.unwrap_err();
        let by_apply = client.secret_groups().edit(&id).set(&key, "v").apply().await.unwrap_err();
        assert_eq!(count(&fake, PUT) + count(&fake, CREATE), 0, "{key}");
        for error in [by_create, by_ensure, by_plan, by_apply] {
            assert!(error.to_string().contains(&key), "{error}");
            assert!(error.to_string().contains(" accept"), "the rule: {error}");
            if let Some(name) = suggested {
                assert!(error.hint().contains(name), "{}", error.hint());
            }
            let Error::KeyNotSupported { key: named, store, suggestion, context, .. } = error
            else {
                panic!("{error:?}")
            };
            assert_eq!(*named, *key);
            assert_eq!(store.as_deref(), Some(&kind));
            assert_eq!(suggestion.as_deref(), suggested);
            assert!(context.is_none());
        }
        // With the rules switched off, the server decides.
        let error = client.secret_groups().create(new.skip_store_rules()).await.unwrap_err();
        assert_eq!(error.status(), Some(422), "{error:?}");
        let edit = client.secret_groups().edit(&id).set(&key, "v").skip_store_rules();
        assert_eq!(edit.apply().await.unwrap_err().status(), Some(422));
        assert_eq!((count(&fake, CREATE), count(&fake, PUT)), (1, 1));
    }
}

#[tokio::test]
async fn a_value_that_is_too_long_is_refused_with_its_length_and_the_limit() {
    for (kind, limit) in bad_values() {
        let (fake, id, client) = with_store(kind.clone()).await;
        let store = client.secret_stores().find(kind).await.unwrap();
        fake.clear_requests();
        let (fits, too_long) = ("x".repeat(limit), "x".repeat(limit + 1));
        let new = NewSecretGroup::new("new", &store).secret("K", too_long.as_str());
        let by_create = client.secret_groups().create(new).await.unwrap_err();
        assert_eq!(fake.request_count(), 0);
        let by_edit = client.secret_groups().edit(&id).set("A", too_long.as_str()).apply().await;
        assert_eq!(count(&fake, PUT), 0);
        for error in [by_create, by_edit.unwrap_err()] {
            assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
            let text = error.to_string();
            assert!(text.contains(&limit.to_string()) && !text.contains("xx"), "{text}");
        }
        client.secret_groups().edit(&id).set("A", fits).apply().await.unwrap();
    }
}

#[tokio::test]
async fn a_key_that_is_there_may_be_rotated_kept_and_removed_whatever_its_name() {
    let (fake, id, client) = with_store(SecretStoreKind::AzureVault).await;
    client.secret_groups().edit(&id).set("OLD_ONE", "new").apply().await.unwrap();
    assert_eq!(fake.value(APP, "OLD_ONE").as_deref(), Some("new"));
    client.secret_groups().edit(&id).set("B", "new").apply().await.unwrap();
    client.secret_groups().edit(&id).remove("OLD_ONE").apply().await.unwrap();
    assert_eq!(fake.keys(APP), ["A", "B"]);
}

#[tokio::test]
async fn what_is_wrong_in_itself_is_refused_without_a_request() {
    let (fake, id, client) = with_store(SecretStoreKind::Generic).await;
    let groups = client.secret_groups();
    let edits = || {
        vec![
            (groups.edit(&id).set("", "v"), "empty"),
            (groups.edit(&id).set("TWICE", "v").set("TWICE", "w"), "\"TWICE\" is given twice"),
            (groups.edit(&id).remove(""), "empty"),
            (groups.edit(&id).remove("TWICE").remove("TWICE"), "\"TWICE\" is removed twice"),
            (groups.edit(&id).set("BOTH", "v").remove("BOTH"), "\"BOTH\" is both set and removed"),
            (groups.edit(&id).set("K", "(set)"), "\"K\""),
            (groups.edit(&id).set("K", "corr***"), "\"K\""),
            (groups.edit_by_name(APP).set("K", "(empty)"), "\"K\""),
            (groups.edit_by_name("").set("K", "v"), "group name"),
        ]
    };
    let planned = edits();
    for ((apply, text), (plan, _)) in edits().into_iter().zip(planned) {
        for error in [apply.apply().await.unwrap_err(), plan.plan().await.unwrap_err()] {
            assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }
    let new = || NewSecretGroup::in_integration("new", "store");
    let news = [
        new().secret("", "v"),
        new().secret("TWICE", "v").secret("TWICE", "w"),
        new().secret("K", "(set)"),
        NewSecretGroup::in_integration("", "store").secret("K", "v"),
    ];
    for new in news {
        let error = groups.create(new.clone()).await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
        let error = groups.ensure(new).await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
    }
    let error = groups.replace_secrets(&id, &[]).await.unwrap_err();
    assert!(matches!(error, Error::EmptyGroup { .. }), "{error:?}");
    for list in [
        vec![SecretUpdate::keep("")],
        vec![SecretUpdate::keep("A"), SecretUpdate::set("A", "v")],
        vec![SecretUpdate::set("A", "(set)")],
    ] {
        let error = groups.replace_secrets(&id, &list).await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
    }
    assert_eq!(fake.request_count(), 0);
}

#[tokio::test]
async fn masked_text_is_sent_where_that_is_said() {
    let (fake, id, client) = with_store(SecretStoreKind::Generic).await;
    client.secret_groups().edit(&id).set("A", "corr***").allow_masked_text().apply().await.unwrap();
    assert_eq!(fake.value(APP, "A").as_deref(), Some("corr***"));
    let store = client.secret_stores().find(SecretStoreKind::Generic).await.unwrap();
    let new = NewSecretGroup::new("new", &store).secret("K", "(set)").allow_masked_text();
    client.secret_groups().ensure(new).await.unwrap();
    assert_eq!(fake.value("new", "K").as_deref(), Some("(set)"));
}

#[tokio::test]
async fn a_failed_look_up_of_the_store_fails_no_edit() {
    for fault in [
        Fault::status(403).forever(),
        Fault::status(500).forever(),
        Fault::drop_before().forever(),
        Fault::status(200).body("text/html", "<html>").forever(),
        Fault::status(200).json(serde_json::json!({ "data": [] })).forever(),
    ] {
        let (fake, id, client) = with_store(SecretStoreKind::AzureVault).await;
        fake.inject(fault.clone().on(STORE));
        client.secret_groups().edit(&id).set("B", "v").apply().await.unwrap();
        let plan = client.secret_groups().edit(&id).set("C", "v").plan().await.unwrap();
        plan.apply().await.unwrap();
        assert_eq!(fake.keys(APP).len(), 4, "{fault:?}");
        // The server knows the rule, of course.
        let error = client.secret_groups().edit(&id).set("D_D", "v").apply().await.unwrap_err();
        assert_eq!(error.status(), Some(422), "{error:?}");
    }
}

#[tokio::test]
async fn a_key_that_may_not_see_stores_asks_once() {
    let (fake, id, client) = with_store(SecretStoreKind::AzureVault).await;
    fake.inject(Fault::status(403).forever().on(STORE));
    for value in ["1", "2", "3"] {
        client.secret_groups().edit(&id).set("B", value).apply().await.unwrap();
    }
    assert_eq!(count(&fake, STORE), 1);
}

#[tokio::test]
async fn an_older_control_plane_knows_its_stores_by_provider_account() {
    let (fake, id, client) = with_store(SecretStoreKind::AzureVault).await;
    fake.inject(Fault::status(404).forever().on(STORE));
    for _ in 0..2 {
        let error = client.secret_groups().edit(&id).set("D_D", "v").apply().await.unwrap_err();
        assert!(matches!(error, Error::KeyNotSupported { .. }), "{error:?}");
    }
    assert_eq!((count(&fake, STORE), count(&fake, "provider_accounts.list")), (1, 1));
}

#[tokio::test]
async fn a_look_up_that_failed_for_the_moment_is_made_again() {
    let (fake, id, client) = with_store(SecretStoreKind::AzureVault).await;
    fake.inject(Fault::status(500).times(4).on(STORE));
    client.secret_groups().edit(&id).set("B", "v").apply().await.unwrap();
    let error = client.secret_groups().edit(&id).set("D_D", "v").apply().await.unwrap_err();
    assert!(matches!(error, Error::KeyNotSupported { context: None, .. }), "{error:?}");
}

/// On a paused clock: the edit continues without the response.
#[tokio::test]
async fn a_store_that_is_not_told_in_time_holds_no_edit_up() {
    let (fake, id) = app(&["A"]).await;
    let client = client(&fake, SETTLE);
    let gate = fake.hold(STORE);
    let edit = client.secret_groups().edit(&id).set("B", "2");
    let applying = tokio::spawn(edit.apply());
    gate.reached().await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(6)).await;
    tokio::time::resume();
    applying.await.unwrap().unwrap();
    assert_eq!(fake.keys(APP), ["A", "B"]);
}

/// A reference, unchanged, with what shells and files leave around it, and mistyped.
const REFERENCES: [&str; 9] = [
    "tfy-secret://my-org:other:TOKEN",
    " tfy-secret://my-org:other:TOKEN\n",
    "\"tfy-secret://my-org:other:TOKEN\"",
    "'tfy-secret://my-org:other:TOKEN'",
    "\\\"tfy-secret://my-org:other:TOKEN\\\"\r\n",
    "\u{feff}\u{201c}tfy-secret://my-org:other:TOKEN\u{201d}",
    "<tfy-secret://my-org:other:TOKEN>",
    "TFY-Secret://my-org:other:TOKEN",
    "tfy-secret://my-org/TOKEN",
];

#[tokio::test]
async fn a_reference_is_no_value() {
    let (fake, id, client) = with_store(SecretStoreKind::Generic).await;
    let groups = client.secret_groups();
    for text in REFERENCES {
        let new = || NewSecretGroup::in_integration("new", "store").secret("TOKEN", text);
        let list = [SecretUpdate::keep("A"), SecretUpdate::set("TOKEN", text).allow_masked_text()];
        let errors = [
            groups.create(new()).await.unwrap_err(),
            groups.ensure(new().allow_masked_text()).await.unwrap_err(),
            new().check().unwrap_err(),
            groups.edit(&id).set("TOKEN", text).apply().await.unwrap_err(),
            groups.edit_by_name(APP).set("TOKEN", text).plan().await.unwrap_err(),
            groups.replace_secrets(&id, &list).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::InvalidInput { .. }), "{text:?}: {error:?}");
            let shown = format!("{error} {error:?} {error:#?} {}", error.hint());
            assert!(shown.contains("\"TOKEN\"") && !shown.contains("my-org"), "{shown}");
        }
    }
    assert_eq!(fake.request_count(), 0);
}

#[tokio::test]
async fn a_reference_is_sent_where_that_is_said() {
    let (fake, id, client) = with_store(SecretStoreKind::Generic).await;
    let (groups, text) = (client.secret_groups(), REFERENCES[0]);
    groups.edit(&id).set("A", text).allow_reference_text().apply().await.unwrap();
    let list = [SecretUpdate::keep("A"), SecretUpdate::set("B", text).allow_reference_text()];
    groups.replace_secrets(&id, &list).await.unwrap();
    let store = client.secret_stores().find(SecretStoreKind::Generic).await.unwrap();
    let new = || NewSecretGroup::new("new", &store).allow_reference_text();
    groups.create(new().secret("K", text)).await.unwrap();
    groups.ensure(new().secret("L", text)).await.unwrap();
    for (group, key) in [(APP, "A"), (APP, "B"), ("new", "K"), ("new", "L")] {
        assert_eq!(fake.value(group, key).as_deref(), Some(text), "{key}");
    }
}

#[tokio::test]
async fn a_text_with_references_in_it_is_a_value() {
    let (fake, id, client) = with_store(SecretStoreKind::Generic).await;
    for text in [
        "postgres://u:tfy-secret://my-org:db:PASSWORD@db/app",
        "tfy-secret",
        "tfy-secret:opaque",
        "tfy-secret://my-org:a:A\ntfy-secret://my-org:b:B",
    ] {
        client.secret_groups().edit(&id).set("A", text).apply().await.unwrap();
        assert_eq!(fake.value(APP, "A").as_deref(), Some(text));
    }
}
