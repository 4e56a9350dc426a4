//! Which tenant's group a name means: other tenants' groups and stores must not change that.

use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{Ensured, Error, NewSecretGroup, SecretRef, SecretStoreKind};

use super::{count, operations};

const BY_NAME: &str = "secret_groups.list";
const TENANT_ID: &str = "tenant_id.get";
const SESSION: &str = "session.get";

/// A group `prod` of the client's own tenant, and one that the platform shares.
async fn two_of_a_name() -> FakeTrueFoundry {
    FakeTrueFoundry::start()
        .await
        .with_platform_store(SecretStoreKind::Generic)
        .with_store(SecretStoreKind::AwsSecretsManager)
        .with_shared_group("internal", "prod", [("KEY", "the platform's")])
        .with_group("prod", [("KEY", "ours")])
}

/// An older control plane, which does not report the tenant's name.
async fn silent() -> FakeTrueFoundry {
    FakeTrueFoundry::start().await.without_tenant_id().without_session()
}

#[tokio::test]
async fn a_store_of_the_platform_does_not_lead_an_edit_to_its_tenant() {
    let fake = two_of_a_name().await;
    let client = fake.client();
    let stores = client.secret_stores().all().await.unwrap();
    assert_eq!(stores[0].tenant_name(), Some("internal"));
    client.secret_groups().edit_by_name("prod").set("NEW", "value").apply().await.unwrap();
    assert_eq!(fake.keys("prod"), ["KEY", "NEW"]);
    assert_eq!(fake.keys("internal:prod"), ["KEY"]);
}

#[tokio::test]
async fn another_tenants_reference_does_not_change_what_a_name_stands_for() {
    let fake = two_of_a_name().await;
    let client = fake.client();
    let theirs = SecretRef::new("internal", "prod", "KEY").unwrap();
    let value = client.resolve(&theirs).await.unwrap();
    assert_eq!(value.expose_secret(), "the platform's");
    for _ in 0..2 {
        let group = client.secret_groups().get_by_name("prod").await.unwrap();
        assert_eq!(group.fqn(), "my-tenant:prod");
    }
    let values = client.resolve_group("prod").await.unwrap();
    assert_eq!(values.get("KEY").unwrap().expose_secret(), "ours");
    assert_eq!(count(&fake, TENANT_ID), 1);
}

#[tokio::test]
async fn a_new_installation_has_no_group_of_any_name() {
    let fake = FakeTrueFoundry::start().await;
    let error = fake.client().secret_groups().get_by_name("prod").await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert_eq!(operations(&fake), [TENANT_ID, BY_NAME]);

    let fake = silent().await;
    let error = fake.client().secret_groups().get_by_name("prod").await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert_eq!(operations(&fake), [TENANT_ID, SESSION, BY_NAME]);
}

#[tokio::test]
async fn where_nothing_tells_the_tenant_the_only_group_of_the_name_is_it() {
    let fake = silent().await.with_group("prod", [("KEY", "ours")]);
    let fake = fake.with_group("prod-2", [("KEY", "x")]).with_group("other", [("PROD", "x")]);
    let client = fake.client();
    client.secret_groups().edit_by_name("prod").set("NEW", "value").apply().await.unwrap();
    assert_eq!(fake.keys("prod"), ["KEY", "NEW"]);
    let values = client.resolve_group("prod").await.unwrap();
    assert_eq!(values.get("NEW").unwrap().expose_secret(), "value");
    // The group's tenant is not cached.
    assert_eq!((count(&fake, TENANT_ID), count(&fake, SESSION)), (2, 2));
    let shared = fake.clone().with_shared_group("internal", "shared", [("KEY", "theirs")]);
    let values = client.resolve_group("shared").await.unwrap();
    assert_eq!(values.get("KEY").unwrap().expose_secret(), "theirs");
    let group = client.secret_groups().get_by_name("prod").await.unwrap();
    assert_eq!(group.fqn(), "my-tenant:prod");
    drop(shared);
}

#[tokio::test]
async fn where_nothing_tells_the_tenant_two_of_them_have_to_be_told_apart() {
    let fake = two_of_a_name().await.without_tenant_id().without_session();
    let client = fake.client();
    let groups = client.secret_groups();
    let store = client.secret_stores().find(SecretStoreKind::AwsSecretsManager).await.unwrap();
    let wanted = NewSecretGroup::new("prod", &store).secret("NEW", "value");
    for error in [
        groups.get_by_name("prod").await.map(drop).unwrap_err(),
        groups.edit_by_name("prod").set("NEW", "value").apply().await.map(drop).unwrap_err(),
        groups.edit_by_name("prod").set("NEW", "value").plan().await.map(drop).unwrap_err(),
        groups.ensure(wanted).await.map(drop).unwrap_err(),
        client.resolve_group("prod").await.map(drop).unwrap_err(),
    ] {
        assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("internal") && text.contains("my-tenant"), "{text}");
    }
    assert_eq!((fake.keys("prod").len(), fake.keys("internal:prod").len()), (1, 1));
    let given = fake.client_builder().tenant("my-tenant").build().unwrap();
    let group = given.secret_groups().get_by_name("prod").await.unwrap();
    assert_eq!(group.fqn(), "my-tenant:prod");
}

#[tokio::test]
async fn ensure_creates_and_extends_where_nothing_tells_the_tenant() {
    let fake = silent().await;
    let client = fake.client();
    let wanted = |keys: &[&str]| {
        let store = fake.store_id(&SecretStoreKind::AwsSecretsManager).unwrap();
        let new = NewSecretGroup::in_integration("prod", store);
        keys.iter().fold(new, |new, key| new.secret(*key, "value"))
    };
    let groups = client.secret_groups();
    let ensured = groups.ensure(wanted(&["A"])).await.unwrap();
    assert!(matches!(ensured, Ensured::Created(_)), "{ensured:?}");
    let ensured = groups.ensure(wanted(&["A", "B"])).await.unwrap();
    assert!(matches!(ensured, Ensured::Extended { .. }), "{ensured:?}");
    // A creation whose response is lost is looked for in the same way.
    assert!(fake.remove_group("prod"));
    fake.inject(Fault::drop_after().on("secret_groups.create"));
    let ensured = groups.ensure(wanted(&["A"])).await.unwrap();
    assert!(matches!(ensured, Ensured::Created(_)), "{ensured:?}");
}

#[tokio::test]
async fn a_caller_that_is_no_longer_polled_stops_no_other() {
    for operation in [TENANT_ID, SESSION, BY_NAME] {
        let fake = FakeTrueFoundry::start().await.with_group("prod", [("KEY", "ours")]);
        let fake = if operation == SESSION { fake.without_tenant_id() } else { fake };
        let client = fake.client();
        let gate = fake.hold(operation);
        let first = client.clone();
        let mut first = Box::pin(async move { first.resolve_group("prod").await });
        tokio::select! {
            biased;
            _ = &mut first => panic!("it is held"),
            () = gate.reached() => {}
        }
        client.resolve_group("prod").await.unwrap();
        client.secret_groups().edit_by_name("prod").set("NEW", "v").apply().await.unwrap();
        drop((first, gate));
    }
}
