use serde_json::json;
use truefoundry_secrets::SecretStoreKind::{AwsSecretsManager, AzureVault};
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault, RecordedRequest};

use crate::raw::{call, get, request, send};

#[tokio::test]
async fn tenant_id_needs_a_host_and_no_key_and_the_session_needs_one() {
    let fake = FakeTrueFoundry::start().await.with_tenant("ours");
    let without_key = |path: &str| {
        request(&fake, &format!("GET {path}"), "").replace("Authorization", "X-Authorization")
    };
    let told = send(&fake, &without_key("/tenant-id?hostName=127.0.0.1:1")).await;
    assert_eq!(told.status, 200);
    assert_eq!(told.json()["tenantName"], "ours");
    assert!(told.json()["auth_server_url"].is_string());
    assert_eq!(send(&fake, &without_key("/tenant-id")).await.status, 400);
    assert_eq!(send(&fake, &without_key("/session")).await.status, 401);
    let session = get(&fake, "/session").await.json();
    assert_eq!(session["user"]["tenantName"], "ours");
    assert_eq!(session["tenantInfo"], json!({ "tenantName": "ours" }));
    assert_eq!(call(&fake, "POST /session", json!({})).await.status, 405);
    let seen: Vec<_> = fake.requests().iter().map(RecordedRequest::operation).collect();
    assert_eq!(seen[..2], [Some("tenant_id.get"); 2]);
    assert_eq!(seen[2..4], [Some("session.get"); 2]);
}

#[tokio::test]
async fn older_servers_have_neither() {
    let fake = FakeTrueFoundry::start().await.without_tenant_id();
    assert_eq!(get(&fake, "/tenant-id?hostName=a").await.refusal().0, 404);
    assert_eq!(get(&fake, "/session").await.status, 200);
    let fake = fake.without_session();
    assert_eq!(get(&fake, "/session").await.refusal().0, 404);
    let fake = FakeTrueFoundry::start().await;
    fake.inject(Fault::status(501).forever().on("tenant_id.get"));
    assert_eq!(get(&fake, "/tenant-id?hostName=a").await.status, 501);
}

#[tokio::test]
async fn stores_of_the_platform_keep_their_tenant() {
    let fake = FakeTrueFoundry::start().await.with_tenant("ours");
    let fake = fake.with_platform_store(AwsSecretsManager).with_store(AzureVault);
    let stores = get(&fake, "/provider-integrations").await.data();
    assert_eq!(
        (&stores[0]["tenantName"], &stores[1]["tenantName"]),
        (&json!("internal"), &json!("ours"))
    );
    assert_eq!(stores[0]["fqn"], "internal:aws:aws-1:secret-store:store-1");
    assert_eq!(json!(fake.store_fqn(&AwsSecretsManager)), stores[0]["fqn"]);
    let accounts = get(&fake, "/provider-accounts").await.data();
    assert_eq!(accounts[0]["fqn"], "internal:aws:aws-1");
    assert_eq!(accounts[0]["integrations"], json!([stores[0]]));
    assert_eq!(accounts[1]["integrations"], json!([stores[1]]));
}

#[tokio::test]
async fn a_shared_group_is_visible_and_keeps_its_tenant() {
    let fake = FakeTrueFoundry::start()
        .await
        .with_shared_group("internal", "app", [("A", "theirs")])
        .with_shared_group("internal", "app", [("B", "theirs")]);
    let store = fake.store_id(&AwsSecretsManager).unwrap();
    let new = json!({ "name": "app", "integrationId": store, "secrets": [{ "key": "A", "value": "ours" }] });
    call(&fake, "POST /secret-groups", new.clone()).await.data();
    assert_eq!(call(&fake, "POST /secret-groups", new).await.status, 409);
    let groups = get(&fake, "/secret-groups?search=app").await.data();
    let fqns: Vec<_> = groups.as_array().unwrap().iter().map(|group| &group["fqn"]).collect();
    assert_eq!(fqns, ["internal:app", "my-tenant:app"]);
    assert_eq!(groups[0]["tenantName"], "internal");
    assert_eq!(groups[0]["associatedSecrets"][1]["fqn"], "internal:app:B");
    assert_eq!(get(&fake, "/secret-groups?fqn=internal:app").await.data()[0], groups[0]);
    assert_eq!(fake.value("app", "A").as_deref(), Some("ours"));
    assert_eq!(fake.value("internal:app", "A").as_deref(), Some("theirs"));
    fake.set_value("internal:app", "A", "new");
    assert_eq!(fake.value("internal:app", "A").as_deref(), Some("new"));
    assert!(fake.remove_group("internal:app") && !fake.remove_group("internal:app"));
    assert_eq!(fake.groups(), ["app"]);
}
