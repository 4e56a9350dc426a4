//! The types that hold a value or the key, and those that are made of responses with values in them.

use std::time::Duration;

use serde_json::{Value, json};
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{
    Attribute, Client, Collaborator, EnvValue, ListSecretGroups, ListSecretStores, ListSecrets,
    NewSecretGroup, Role, SecretGroupManifest, SecretRef, SecretStoreKind, SecretUpdate,
    SecretValue, env_name,
};

use crate::secrets::VALUES;
use crate::walk::Walk;

fn pairs() -> impl Iterator<Item = (String, &'static str)> {
    VALUES.iter().enumerate().map(|(n, value)| (format!("KEY-{n}"), *value))
}

async fn start(walk: &mut Walk) -> (FakeTrueFoundry, Client) {
    let fake = FakeTrueFoundry::start()
        .await
        .with_store(SecretStoreKind::TrueFoundryDb)
        .with_group("app", pairs());
    walk.uses_key(fake.api_key());
    let client = fake.client();
    (fake, client)
}

pub(crate) async fn handles(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    for value in VALUES {
        let builder = fake
            .client_builder()
            .header("x-gateway-key", value)
            .base_url(format!("https://user:{value}@host.example"))
            .http(truefoundry_secrets::reqwest::Client::builder());
        walk.debug(&builder);
    }
    walk.debug(&client);
    walk.debug(&client.secret_groups());
    walk.debug(&client.secrets());
    walk.debug(&client.secret_stores());
}

pub(crate) async fn values(walk: &mut Walk) {
    for text in VALUES {
        let value = SecretValue::from(text);
        walk.debug(&value);
        walk.display(&value);
        // It shows this on purpose: four characters of sixteen or more.
        let shown = value.preview();
        if text.chars().count() < 16 {
            assert_eq!(shown, "(set)");
        } else {
            let four: String = text.chars().take(4).collect();
            assert_eq!(shown, format!("{}***", four.escape_debug()));
        }
        walk.debug(&EnvValue::from(value));
    }
}

pub(crate) async fn inputs(walk: &mut Walk) {
    let new = NewSecretGroup::in_integration("new", "store");
    let new = pairs().fold(new, |new, (key, value)| new.secret(key, value));
    walk.debug(&new);
    for (key, value) in pairs() {
        walk.debug(&SecretUpdate::set(key, value));
    }
    let manifest = SecretGroupManifest::new("app", "my-tenant:store")
        .collaborator(Collaborator::new("user:ada@example.com", Role::Editor));
    walk.serialize(&manifest);
    walk.serialize(&manifest.collaborators().unwrap()[0]);
    walk.serialize(manifest.collaborators().unwrap()[0].role());
    walk.debug(&manifest);
    walk.debug(&manifest.collaborators().unwrap()[0]);
    walk.serialize(&SecretRef::new("t", "g", "k").unwrap());
}

/// They are texts of the server's or of the caller's, and shown.
pub(crate) async fn identifiers_and_queries(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    let id = fake.group_id("app").unwrap();
    walk.debug(&ListSecrets::in_group(&id).with_values());
    walk.debug(&ListSecretStores::new());
    let group = client.secret_groups().get(&id).await.unwrap();
    walk.debug(group.id());
    walk.display(group.id());
    walk.debug(group.integration_id().unwrap());
    walk.display(group.integration_id().unwrap());
    let secret = client.secrets().get(fake.secret_id("app", "KEY-1").unwrap()).await.unwrap();
    walk.debug(secret.id());
    walk.display(secret.id());
    let versions = client.secrets().versions(secret.id()).await.unwrap();
    walk.debug(versions[0].id());
    walk.display(versions[0].id());
}

pub(crate) async fn outputs(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    let id = fake.group_id("app").unwrap();
    let params = ListSecrets::in_group(&id).with_values();
    let page = client.secrets().list(&params).await.unwrap();
    assert!(page.iter().zip(VALUES).all(|(one, v)| one.value().unwrap().expose_secret() == v));
    walk.debug(&page);
    walk.debug(&page.items()[0]);
    walk.serialize(page.items()[0].id());

    let mut items = client.secrets().stream(params.limit(2));
    walk.debug(&items);
    items.next().await.unwrap().unwrap();
    walk.debug(&items);
    walk.debug(&items.try_collect().await.unwrap());

    for (key, value) in pairs() {
        let secret = client.secrets().get(fake.secret_id("app", &key).unwrap()).await.unwrap();
        assert_eq!(secret.value().unwrap().expose_secret(), value);
        walk.debug(&secret);
        let versions = client.secrets().versions(secret.id()).await.unwrap();
        assert_eq!(versions[0].value().unwrap().expose_secret(), value);
        walk.debug(&versions[0]);
        walk.serialize(versions[0].id());
        walk.debug(&secret.into_value());
    }
}

pub(crate) async fn edits(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    let groups = client.secret_groups();
    let id = fake.group_id("app").unwrap();
    let edit = || pairs().fold(groups.edit(&id), |edit, (key, value)| edit.set(key, value));
    walk.debug(&edit());
    walk.debug(&groups.edit_by_name("app").set("K", VALUES[3]));
    let synced = || pairs().map(|(key, value)| (key, format!("{value} ")));
    let sync = || groups.sync("app", synced()).remove_unlisted();
    walk.debug(&sync());
    for edit in [edit().set("MORE", VALUES[5]), sync(), sync()] {
        let plan = edit.plan().await.unwrap();
        walk.debug(&plan);
        walk.display(&plan);
        walk.serialize(&plan);
        let applied = plan.apply().await.unwrap();
        walk.debug(&applied);
        walk.display(&applied);
        walk.serialize(&applied);
    }
    for name in ["app", "ensured", "ensured"] {
        let store = groups.get(&id).await.unwrap().integration_id().unwrap().clone();
        let new = NewSecretGroup::in_integration(name, store).secret("ADDED", VALUES[4]);
        walk.debug(&groups.ensure(new).await.unwrap());
    }
}

pub(crate) async fn resolved(walk: &mut Walk) {
    let (_fake, client) = start(walk).await;
    let whole = client.resolve_group("app").await.unwrap();
    assert!(VALUES.iter().all(|v| whole.iter().any(|(_, one)| one.expose_secret() == *v)));
    walk.debug(&whole);
    let reference = |key| SecretRef::new("my-tenant", "app", key).unwrap();
    let references: Vec<_> = whole.keys().map(reference).collect();
    walk.debug(&client.check_refs(&references).await.unwrap());
    // Of those with a NUL there can be no variables.
    let some = client.resolve_all(references.iter().take(6)).await.unwrap();
    walk.debug(&some);
    walk.debug(&some.into_map().unwrap().into_env_as(env_name).unwrap());
}

pub(crate) async fn watched(walk: &mut Walk) {
    // A second read begins a second after the first.
    tokio::time::pause();
    let (fake, client) = start(walk).await;
    let group = client.watch_group("app").max_stale(Duration::ZERO);
    walk.debug(&group);
    let watch = group.start().await.unwrap();
    walk.debug(&watch);
    let mut changes = watch.changes();
    walk.debug(&changes);
    let key = fake.keys("app").remove(0);
    fake.set_value("app", &key, VALUES[2]);
    walk.debug(&watch.refresh().await.unwrap());
    walk.debug(&changes.next().await.unwrap());
    fake.inject(Fault::status(403).message(fake.api_key()).forever());
    walk.error("stale", watch.refresh().await.unwrap_err());
    walk.error("stale", watch.fresh().unwrap_err());
    walk.debug(&watch);
}

/// The crate's own fake server gets secrets, too.
pub(crate) async fn server(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    let id = fake.group_id("app").unwrap();
    client.secret_groups().edit(&id).set("MORE", VALUES[0]).apply().await.unwrap();
    walk.debug(&fake);
    for value in VALUES {
        let fault = Fault::status(400)
            .message(value)
            .code(value)
            .header("x-echo", value)
            .body("text/plain", value)
            .on("secret_groups.create");
        walk.debug(&fault);
    }
    let gate = fake.hold("secrets.get");
    walk.debug(&gate);
    drop(gate);
    let requests = fake.requests();
    assert!(
        requests.iter().any(|one| one.raw_body().windows(4).any(|w| w == VALUES[0].as_bytes()))
    );
    for request in &requests {
        walk.debug(request);
    }
}

/// A server that sends values, and other texts with values in them, in places where the API has
/// none.
pub(crate) async fn values_where_none_belong(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    let secrets: Vec<Value> = pairs()
        .map(|(key, value)| {
            let versions = json!([{"id": "v-1", "value": value, "extra": value}]);
            json!({"id": key, "name": key, "value": value, "note": value, "secretVersions": versions})
        })
        .collect();
    let subject = json!({"subjectId": "u", "subjectType": "user", "password": VALUES[3]});
    let group = json!({
        "id": "g-1", "fqn": "my-tenant:app", "associatedSecrets": secrets,
        "note": VALUES[3], "integrationId": "i-1", "createdBySubject": subject,
        "manifest": {"name": "app", "integration_fqn": "a:b", "collaborators": [], "x": VALUES[5]},
    });
    let one = || Fault::status(200).json(json!({"data": group, "echo": VALUES}));
    let many = || Fault::status(200).json(json!({"data": [group, group], "echo": VALUES}));
    let groups = client.secret_groups();

    fake.inject(one());
    let group = groups.get("g-1").await.unwrap();
    assert_eq!(group.secrets().unwrap().len(), VALUES.len());
    walk.debug(&group);
    walk.serialize(&group);
    walk.serialize(group.id());
    walk.serialize(group.integration_id().unwrap());
    walk.serialize(group.created_by().unwrap());
    walk.debug(group.created_by().unwrap());

    fake.inject(many());
    let page = groups.list(&ListSecretGroups::new()).await.unwrap();
    walk.debug(&page);
    walk.serialize(&page.items()[1]);
    fake.inject(many());
    let page = groups.list_partial(&ListSecretGroups::new(), &[Attribute::Id]).await.unwrap();
    walk.debug(&page.items()[0]);
    fake.inject(one());
    let manifest = SecretGroupManifest::new("app", "a:b");
    let dry = groups.create_or_update_dry_run(&manifest).await.unwrap();
    walk.debug(&dry);
    fake.inject(one());
    let written = groups.create_or_update(&manifest).await.unwrap();
    walk.serialize(&written);
}

/// A store's own credentials are in the response, and are not kept.
pub(crate) async fn stores(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    for credential in fake.store_credentials() {
        // The text before its last hyphen is an ordinary word.
        walk.uses_key(credential.rsplit('-').next().unwrap());
    }
    let accounts = client.secret_stores().list_by_provider_account().await.unwrap();
    let store = json!({
        "id": "i-1", "name": "store", "fqn": "a:b", "type": "secret-store", "password": VALUES[3],
        "authData": {"secretKey": VALUES[4]}, "auth_data": VALUES[5],
        "manifest": {
            "type": "integration/secret-store/azure/vault",
            "auth_data": {"client_secret": VALUES[1], "text": VALUES[6]},
        },
    });
    let page = client.secret_stores().list(&ListSecretStores::new()).await.unwrap();
    fake.inject(Fault::status(200).json(json!({ "data": [store] })));
    let canned = client.secret_stores().list(&ListSecretStores::new()).await.unwrap();
    for store in page.iter().chain(&canned).chain(&accounts) {
        walk.debug(store);
        walk.serialize(store);
        walk.serialize(store.kind().unwrap());
    }
}
