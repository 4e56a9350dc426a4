//! The errors that a server's echo alone does not cause, with secrets as close to them as possible.

use serde_json::json;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{
    Client, Error, NewSecretGroup, RetryPolicy, SecretMap, SecretRef, SecretStoreKind,
    SecretUpdate, SecretValue, find_refs, rewrite_refs,
};

use crate::SETTLE;
use crate::secrets::VALUES;
use crate::walk::Walk;

async fn start(walk: &mut Walk) -> (FakeTrueFoundry, Client) {
    let fake = FakeTrueFoundry::start().await.with_store(SecretStoreKind::AzureVault);
    let fake = fake.with_group("app", VALUES.iter().enumerate().map(|(n, v)| (key(n), *v)));
    walk.uses_key(fake.api_key());
    let client = fake
        .client_builder()
        .retry(RetryPolicy::none())
        .unconfirmed_write_timeout(SETTLE)
        .build()
        .unwrap();
    (fake, client)
}

fn key(n: usize) -> String {
    format!("KEY-{n}")
}

/// Settings that cannot be used, with a secret in them.
pub(crate) async fn settings(walk: &mut Walk) {
    for value in VALUES {
        let url = "https://host.example";
        for (what, builder) in [
            ("key", Client::builder().base_url(url).api_key(format!("{value}\n"))),
            ("no URL", Client::builder().base_url(value).api_key(value)),
            (
                "URL",
                Client::builder().base_url(format!("https://{value}/\u{1f}?{value}")).api_key("k"),
            ),
            (
                "password in the URL",
                Client::builder().base_url(format!("https://u:{value}@host.example")).api_key("k"),
            ),
            ("tenant", Client::builder().base_url(url).api_key("k").tenant(":")),
            (
                "header",
                Client::builder().base_url(url).api_key("k").header("x-a", format!("{value}\n")),
            ),
            (
                "reserved header",
                Client::builder().base_url(url).api_key("k").header("Authorization", value),
            ),
            (
                "agent",
                Client::builder().base_url(url).api_key("k").user_agent(format!("{value}\n")),
            ),
        ] {
            walk.debug(&builder);
            match builder.build() {
                Err(error) => walk.error(&format!("setting: {what}"), error),
                Ok(client) => panic!("{what}: {client:?}"),
            }
        }
    }
}

/// Values that do not fit a program's own type, and files that cannot be read.
pub(crate) async fn typed_settings(walk: &mut Walk) {
    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)]
    struct Settings {
        number: u32,
        mode: Result<u8, bool>,
        list: Vec<u8>,
        missing: String,
    }
    for value in VALUES {
        let map: SecretMap =
            ["NUMBER", "MODE", "LIST"].into_iter().map(|key| (key, value)).collect();
        walk.debug(&map);
        walk.error("typed settings", map.deserialize::<Settings>().unwrap_err());
        walk.error("parsed", SecretValue::from(value).parse::<u32>().unwrap_err());
        for text in [format!("A=1\n{value}"), format!("A=\"{value}"), format!("A='x' {value}")] {
            if let Err(error) = SecretMap::from_dotenv(&text) {
                walk.error("dotenv", error);
            }
        }
    }
}

/// Arguments that are refused before anything is sent.
pub(crate) async fn inputs(walk: &mut Walk) {
    let client = Client::builder().base_url("http://127.0.0.1:9").api_key("k").build().unwrap();
    let groups = client.secret_groups();
    for value in VALUES {
        let new = || NewSecretGroup::in_integration("new", "store").secret("K", value);
        for (what, new) in [
            ("twice", new().secret("K", value)),
            ("no key", new().secret("", value)),
            ("masked", new().secret("L", "(set)")),
            ("no name", NewSecretGroup::in_integration("", "store").secret("K", value)),
        ] {
            walk.debug(&new);
            walk.error(what, groups.create(new).await.unwrap_err());
        }
        let twice = [SecretUpdate::set("K", value), SecretUpdate::set("K", value)];
        walk.debug(&twice[0]);
        walk.error("twice", groups.replace_secrets("g", &twice).await.unwrap_err());
        let edit = groups.edit("g").set("K", value).remove("K");
        walk.debug(&edit);
        walk.error("set and removed", edit.plan().await.unwrap_err());
        let masked = value.chars().take(4).collect::<String>() + "***";
        if masked.chars().count() == 7 && value.len() >= 8 {
            walk.error(
                "a preview that is written back",
                groups.edit("g").set("K", masked).apply().await.unwrap_err(),
            );
        }
        let long = SecretValue::from(value.repeat(25 * 1024));
        let problem = SecretStoreKind::AzureVault.check_value(&long).unwrap_err();
        walk.debug(&problem);
        walk.display(&problem);
        // An invalid variable name must not be looked up; it is the caller's own text.
        walk.error("environment", SecretValue::from_env("TFY_SURELY_NOT_SET").unwrap_err());
    }
}

/// A user wrote the secret itself in place of a reference.
pub(crate) async fn texts_that_are_no_references(walk: &mut Walk) {
    for value in VALUES {
        for text in [value.to_owned(), format!("tfy-secret://{value}"), format!("{value}:")] {
            if let Err(problem) = text.parse::<SecretRef>() {
                walk.debug(&problem);
                walk.display(&problem);
            }
            let manifest = format!("password: {value}\nref: {text}\n");
            let found = find_refs(&manifest);
            walk.debug(&found);
            for problem in found.filter_map(Result::err) {
                walk.debug(&problem);
                walk.display(&problem);
            }
            let parsed = serde_json::from_value::<SecretRef>(json!([text])).unwrap_err();
            walk.display(&parsed);
            let new = SecretRef::new("t", "g", "a key").unwrap();
            let manifest = format!("{value} tfy-secret://t:g:k {value}");
            if let Err(unwritable) = rewrite_refs(&manifest, |_| Some(new.clone())) {
                walk.debug(&unwritable);
                walk.display(&unwritable);
            }
        }
    }
}

/// One failure of each kind that has its own variant, with the value in its text if it fits.
pub(crate) async fn classified(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    let kinds: [(u16, &str); 14] = [
        (409, "Secret '{}' is already in a deleted state"),
        (409, "Secret '{}' is currently being deleted"),
        (409, "Secret '{}' is currently being recovered"),
        (400, "Secret '{}' was marked for deletion"),
        (422, "Key '{}_X' does not support underscores (_)"),
        (422, "Azure: key '{}' does not support underscores (_)"),
        (422, "Cannot update secret group with zero secrets: {}"),
        (400, "No secret store configured for this workspace. {}"),
        (422, "Ensure all secrets have both \"key\" and \"value\" fields: {}"),
        (409, "Secret group with this name already exists. {}"),
        (409, "{} is locked"),
        (424, "the vault refused {}"),
        (429, "{} came too often"),
        (403, "{} is forbidden"),
    ];
    for value in VALUES {
        for (status, words) in kinds {
            fake.inject(Fault::status(status).message(&words.replace("{}", value)));
            let all = [SecretUpdate::keep("OLD"), SecretUpdate::set("K", value)];
            let error = client.secret_groups().replace_secrets("g-1", &all).await.unwrap_err();
            walk.error(words, error);
        }
    }
}

/// Responses with a value in the wrong place, or of the wrong type.
pub(crate) async fn decoded(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    for value in VALUES {
        for data in [
            json!({"id": "s-1", "value": [value]}),
            json!({"id": "s-1", "value": {"text": value}}),
            json!({"id": value, "value": 7}),
            json!({"value": value}),
            json!({"id": "s-1", "value": value, "secretVersions": value}),
            json!({"id": "s-1", "value": value, "activeDeploymentsCount": value}),
            json!([{"id": "s-1", "value": value}]),
            json!(value),
        ] {
            let fault = || Fault::status(200).json(json!({ "data": data }));
            fake.inject(fault());
            match client.secrets().get("s-1").await {
                Err(error) => walk.error("a secret of the wrong type", error),
                Ok(secret) => walk.debug(&secret),
            }
            fake.inject(fault());
            match client.secrets().versions("s-1").await {
                Err(error) => walk.error("versions of the wrong type", error),
                Ok(versions) => walk.debug(&versions[0]),
            }
            fake.inject(fault());
            let error = client.secret_groups().get("g-1").await.unwrap_err();
            walk.error("a group of the wrong type", error);
        }
        for cut in ["{\"data\":{\"id\":\"s-1\",\"value\":\"", "{\"data\":[{\"value\":\""] {
            let body = format!("{cut}{}", crate::secrets::json(value));
            fake.inject(Fault::status(200).body("application/json", body));
            let error = client.secrets().get("s-1").await.unwrap_err();
            walk.error("a response that was cut off", error);
        }
    }
}

pub(crate) async fn edits(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    let id = fake.group_id("app").unwrap();
    let groups = client.secret_groups();
    let value = VALUES[5];

    let plan = groups.edit(&id).set("NEW", value).plan().await.unwrap();
    fake.set_value("app", "BY-OTHERS", VALUES[3]);
    walk.error("changed meanwhile", plan.apply().await.unwrap_err());

    let bad_key = groups.edit(&id).set("NEW_KEY", value).plan().await.unwrap_err();
    assert!(matches!(bad_key, Error::KeyNotSupported { .. }), "{bad_key:?}");
    walk.error("a key that the store refuses", bad_key);
    let too_long = groups.edit(&id).set("NEW", value.repeat(1024)).plan().await.unwrap_err();
    walk.error("a value that is too long for the store", too_long);
    walk.error("no such key", groups.edit(&id).remove("NONE").plan().await.unwrap_err());

    let all =
        fake.keys("app").into_iter().fold(groups.edit(&id), truefoundry_secrets::Edit::remove);
    walk.error("nothing left", all.plan().await.unwrap_err());

    let second = fake.secret_id("app", "KEY-1").unwrap();
    let denied = Fault::status(403).message(fake.api_key());
    fake.inject(denied.on(&format!("DELETE /secrets/{second}")));
    let removed = groups.edit(&id).remove("KEY-0").remove("KEY-1").apply().await.unwrap_err();
    assert!(matches!(removed, Error::PartiallyApplied { .. }), "{removed:?}");
    walk.error("removed by half", removed);
}

pub(crate) async fn resolving(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    let none = SecretRef::new("my-tenant", "app", "NONE").unwrap();
    let there = SecretRef::new("my-tenant", "app", "KEY-5").unwrap();
    walk.error("unresolved", client.resolve_all([&none, &there]).await.unwrap_err());
    walk.error("not found", client.resolve(&none).await.unwrap_err());
    // A NUL would end a variable early.
    let all = client.resolve_group("app").await.unwrap();
    walk.debug(&all);
    walk.error("environment", all.clone().into_env().unwrap_err());
    walk.error("environment", all.into_env_as(truefoundry_secrets::env_name).unwrap_err());

    let hidden = fake.clone().with_values_hidden();
    walk.error("hidden", client.resolve(&there).await.unwrap_err());
    let secret = client.secrets().get(hidden.secret_id("app", "KEY-5").unwrap()).await.unwrap();
    walk.error("hidden", secret.into_value().unwrap_err());

    let nothing = fake.clone().without_stores();
    let kind = SecretStoreKind::AzureVault;
    walk.error("no store", client.secret_stores().find(kind).await.unwrap_err());
    drop(nothing);
}
