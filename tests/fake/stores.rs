use serde_json::{Value, json};
use truefoundry_secrets::SecretStoreKind::{self, *};
use truefoundry_secrets::SoftDeleteState;
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::raw::{Reply, call, get};

async fn create(
    fake: &FakeTrueFoundry,
    kind: &SecretStoreKind,
    name: &str,
    key: &str,
    value: &str,
) -> Reply {
    let body = json!({
        "name": name, "integrationId": fake.store_id(kind),
        "secrets": [{ "key": key, "value": value }],
    });
    call(fake, "POST /secret-groups", body).await
}

#[tokio::test]
async fn stores_are_listed_by_account_and_flat() {
    let fake = FakeTrueFoundry::start().await;
    let fake =
        fake.with_store(AwsSecretsManager).with_store(AzureVault).with_store(AwsParameterStore);
    let accounts = get(&fake, "/provider-accounts?type=secret-store").await.data();
    assert_eq!(accounts.as_array().unwrap().len(), 2);
    assert_eq!(accounts[0]["provider"], "aws");
    assert_eq!(accounts[0]["integrations"].as_array().unwrap().len(), 2);
    assert_eq!(get(&fake, "/provider-accounts?type=model").await.data(), json!([]));

    let page = get(&fake, "/provider-integrations?type=secret-store&limit=1&offset=1").await.json();
    assert_eq!(page["pagination"]["total"], 3);
    let azure = &page["data"][0];
    assert_eq!(json!(fake.store_id(&AzureVault)), azure["id"]);
    assert_eq!(azure["manifest"]["type"], "integration/secret-store/azure/vault");
    assert_eq!(azure["providerAccountFqn"], "my-tenant:azure:azure-1");
    let password = &azure["manifest"]["auth_data"]["client_secret"];
    assert!(fake.store_credentials().iter().any(|credential| password == credential));

    for query in [
        format!("fqn={}", azure["fqn"].as_str().unwrap()),
        format!("id={}", azure["id"].as_str().unwrap()),
    ] {
        let found = get(&fake, &format!("/provider-integrations?{query}")).await.data();
        assert_eq!(found, json!([azure]), "{query}");
    }
}

#[tokio::test]
async fn each_store_has_its_rules() {
    let long = |length: usize| "k".repeat(length);
    for (kind, good, bad) in [
        (
            AzureVault,
            vec!["DB-PASSWORD".to_owned(), long(127)],
            vec!["DB_PASSWORD".to_owned(), "A.B".to_owned(), long(128)],
        ),
        (AwsSecretsManager, vec!["a/_+=.@-9".to_owned()], vec!["a b".to_owned(), long(513)]),
        (
            AwsParameterStore,
            vec!["a_.-/b".to_owned()],
            vec!["aws-key".to_owned(), "SSM".to_owned(), "a@b".to_owned()],
        ),
        (GcpSecretManager, vec!["a_-9".to_owned(), long(255)], vec!["a.b".to_owned(), long(256)]),
        (HashicorpVault, vec!["any thing: at all".to_owned()], vec![]),
        (Generic, vec!["_".to_owned()], vec![]),
    ] {
        let fake = FakeTrueFoundry::start().await.with_store(kind.clone());
        for (index, key) in good.iter().enumerate() {
            assert_eq!(
                create(&fake, &kind, &format!("g{index}"), key, "v").await.status,
                200,
                "{kind} {key}"
            );
        }
        for key in &bad {
            assert_eq!(create(&fake, &kind, "bad", key, "v").await.status, 422, "{kind} {key}");
        }
    }
}

#[tokio::test]
async fn azure_names_its_underscore_rule() {
    let fake = FakeTrueFoundry::start().await.with_store(AzureVault);
    let refusal = create(&fake, &AzureVault, "app", "DB_PASSWORD", "v").await.refusal();
    assert_eq!(refusal.1, "Key name does not support underscores (_)");
}

#[tokio::test]
async fn values_have_a_size_limit_in_bytes() {
    for (kind, limit) in [
        (AzureVault, 25 * 1024),
        (AwsSecretsManager, 65_536),
        (AwsParameterStore, 8 * 1024),
        (GcpSecretManager, 65_536),
    ] {
        let fake = FakeTrueFoundry::start().await.with_store(kind.clone());
        assert_eq!(create(&fake, &kind, "fits", "k", &"v".repeat(limit)).await.status, 200);
        assert_eq!(create(&fake, &kind, "bad", "k", &"v".repeat(limit + 1)).await.status, 422);
        assert_eq!(create(&fake, &kind, "bad", "k", &"é".repeat(limit / 2 + 1)).await.status, 422);
    }
}

#[tokio::test]
async fn azure_holds_deleted_names_until_they_are_purged() {
    let fake = FakeTrueFoundry::start().await.with_store(AzureVault);
    let group = create(&fake, &AzureVault, "app", "DB", "v").await.data();
    let path = format!("/secret-groups/{}", group["id"].as_str().unwrap());
    call(&fake, &format!("DELETE {path}"), None).await.data();
    assert_eq!(fake.soft_deleted(), ["app-DB"]);

    for (state, code) in [
        (SoftDeleteState::Deleted, "ObjectIsDeletedButRecoverable"),
        (SoftDeleteState::BeingDeleted, "ObjectIsBeingDeleted"),
        (SoftDeleteState::BeingRecovered, "ObjectIsBeingRecovered"),
    ] {
        fake.set_soft_delete_state(state);
        let refusal = create(&fake, &AzureVault, "app", "DB", "v").await.refusal();
        assert_eq!((refusal.0, refusal.2.as_str()), (409, code));
    }
    assert_eq!(create(&fake, &AzureVault, "app2", "DB", "v").await.status, 200);
    assert_eq!(fake.purge_soft_deleted(), 1);
    assert_eq!(create(&fake, &AzureVault, "app", "DB", "v").await.status, 200);
}

#[tokio::test]
async fn a_key_that_an_update_left_out_is_held_too() {
    let fake = FakeTrueFoundry::start().await.with_store(AzureVault);
    let fake = fake.with_group("app", [("A", "1"), ("B", "2")]);
    let put = format!("PUT /secret-groups/{}", fake.group_id("app").unwrap());
    call(&fake, &put, json!({ "secrets": [{ "key": "A" }] })).await.data();
    let back = json!({ "secrets": [{ "key": "A", "value": "9" }, { "key": "B", "value": "2" }] });
    let refusal = call(&fake, &put, back).await.refusal();
    assert!(refusal.1.contains("app-B is currently in a deleted but recoverable state"));
    assert_eq!(fake.value("app", "A").as_deref(), Some("1"), "nothing of it was done");
}

#[tokio::test]
async fn aws_holds_names_only_where_it_schedules_deletion() {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("A", "1")]);
    assert!(fake.remove_group("app"));
    assert_eq!(create(&fake, &AwsSecretsManager, "app", "A", "1").await.status, 200);
    let fake = fake.with_scheduled_deletion();
    assert!(fake.remove_group("app"));
    let refusal = create(&fake, &AwsSecretsManager, "app", "A", "1").await.refusal();
    assert_eq!(refusal.0, 400);
    assert!(refusal.1.contains("a secret with this name is already scheduled for deletion"));
}

#[tokio::test]
async fn a_failing_store_is_424_unless_forced() {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("A", "1"), ("B", "2")]);
    fake.set_store_failing(true);
    let path = format!("/secret-groups/{}", fake.group_id("app").unwrap());
    let put: Value = json!({ "secrets": [{ "key": "A", "value": "3" }] });
    assert_eq!(call(&fake, &format!("PUT {path}"), put).await.status, 424);
    assert_eq!(create(&fake, &AwsSecretsManager, "new", "A", "1").await.status, 424);
    let secret = format!("DELETE /secrets/{}", fake.secret_id("app", "A").unwrap());
    assert_eq!(call(&fake, &secret, None).await.status, 424);
    assert_eq!(call(&fake, &format!("{secret}?forceDelete=maybe"), None).await.status, 400);
    assert_eq!(call(&fake, &format!("{secret}?forceDelete=true"), None).await.status, 200);
    assert_eq!(call(&fake, &format!("DELETE {path}?forceDelete=false"), None).await.status, 424);
    assert_eq!(call(&fake, &format!("DELETE {path}?forceDelete=true"), None).await.status, 200);
    fake.set_store_failing(false);
    assert_eq!(create(&fake, &AwsSecretsManager, "new", "A", "1").await.status, 200);
}

#[tokio::test]
async fn the_first_store_replaces_the_default_one() {
    let fake =
        FakeTrueFoundry::start().await.with_group("app", [("A", "1")]).with_store(GcpSecretManager);
    assert_eq!(fake.store_id(&AwsSecretsManager), None);
    let id = fake.group_id("app").unwrap();
    let group = get(&fake, &format!("/secret-groups/{id}")).await.data();
    assert_eq!(group["integrationId"], json!(fake.store_id(&GcpSecretManager)));
    let unknown = SecretStoreKind::from_api_type("integration/secret-store/acme/vault");
    let fake = fake.with_store(unknown.clone());
    assert_eq!(create(&fake, &unknown, "new", "any_key", "v").await.status, 200);
}
