use serde_json::json;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{Error, SecretRef, env_name};

use super::{fake_with, key, operations, reference, references, value};

#[tokio::test]
async fn a_group_by_name_takes_two_requests_and_by_id_one() {
    let fake = fake_with(50).await;
    let client = fake.client_builder().tenant("my-tenant").build().unwrap();
    let resolved = client.resolve_group("app").await.unwrap();
    assert_eq!(operations(&fake), ["secret_groups.list", "secrets.list"]);
    assert_eq!(resolved.len(), 50);
    assert_eq!(resolved.get("K-049").unwrap().expose_secret(), value(49));
    assert!(resolved.get("K-050").is_none());

    fake.clear_requests();
    let id = fake.group_id("app").unwrap();
    let by_id = fake.client().resolve_group_by_id(&id).await.unwrap();
    assert_eq!(operations(&fake), ["secrets.list"]);
    assert_eq!(by_id.len(), 50);
    assert_eq!(by_id.get(&key(7)).unwrap().expose_secret(), value(7));
}

#[tokio::test]
async fn a_group_of_250_keys_is_read_page_by_page() {
    let fake = fake_with(250).await;
    let id = fake.group_id("app").unwrap();
    let resolved = fake.client().resolve_group_by_id(&id).await.unwrap();
    assert_eq!(resolved.len(), 250);
    assert_eq!(fake.request_count(), 3);
}

#[tokio::test]
async fn a_group_that_is_not_there_is_not_found() {
    let fake = fake_with(1).await;
    let error = fake.client().resolve_group("nothing").await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
}

#[tokio::test]
async fn the_map_prints_masked() {
    let fake = fake_with(2).await;
    let resolved = fake.client().resolve_group("app").await.unwrap();
    assert_eq!(format!("{resolved:?}"), format!("{{{:?}: (set), {:?}: (set)}}", key(0), key(1)));
    let env = resolved.into_env_as(env_name).unwrap();
    assert!(!format!("{env:?}").contains("value of"), "{env:?}");
}

#[tokio::test]
async fn an_environment_reaches_the_child_process() {
    let fake = fake_with(2).await;
    let env = fake.client().resolve_group("app").await.unwrap();
    let env = env.into_env_as(env_name).unwrap();
    let output = std::process::Command::new("env").env_clear().envs(env).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, [0, 1].map(|n| format!("{}={}", env_name(&key(n)), value(n))));
}

#[tokio::test]
async fn an_environment_that_would_lose_something_is_refused() {
    let fake = FakeTrueFoundry::start()
        .await
        .with_store(truefoundry_secrets::SecretStoreKind::HashicorpVault)
        .with_group("one", [("SAME", "first")])
        .with_group("two", [("SAME", "second")])
        .with_group("equals", [("A=B", "x")])
        .with_group("nul", [("KEY", "before\0after")]);
    let client = fake.client();
    let same: Vec<_> =
        ["one", "two"].map(|group| SecretRef::new("my-tenant", group, "SAME").unwrap()).to_vec();
    let resolved = client.resolve_all(&same).await.unwrap();
    assert_eq!(resolved.get(&same[1]).unwrap().expose_secret(), "second");
    let error = resolved.into_map().unwrap_err();
    assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
    for group in ["equals", "nul"] {
        let error = client.resolve_group(group).await.unwrap().into_env().unwrap_err();
        assert!(!error.to_string().contains("before"), "{error}");
    }
}

#[tokio::test]
async fn keys_with_colons_resolve() {
    let fake = FakeTrueFoundry::start()
        .await
        .with_store(truefoundry_secrets::SecretStoreKind::HashicorpVault)
        .with_group("app", [("a:b:c", "colons")]);
    let reference: SecretRef = "tfy-secret://my-tenant:app:a:b:c".parse().unwrap();
    let value = fake.client().resolve(&reference).await.unwrap();
    assert_eq!(value.expose_secret(), "colons");
}

#[tokio::test]
async fn futures_can_be_spawned() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let fake = fake_with(1).await;
    let client = fake.client();
    is_send(client.resolve_all(references(0..1))).await.unwrap();
    is_send(client.check_refs(&references(0..1))).await.unwrap();
    is_send(client.resolve_group("app")).await.unwrap();
}

#[tokio::test]
async fn a_part_of_a_group_is_never_passed_off_as_the_whole() {
    let fake = fake_with(3).await;
    let client = fake.client_builder().tenant("my-tenant").build().unwrap();
    let id = fake.group_id("app").unwrap();
    let one = json!({"id": "s-1", "fqn": "my-tenant:app:K-000", "name": "K-000", "value": "v"});
    for data in [json!([]), json!([one])] {
        let short = json!({ "data": data, "pagination": { "total": 3 } });
        fake.inject(Fault::status(200).json(short).on("secrets.list").forever());
        let error = client.resolve_group_by_id(&id).await.unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{error:?}");
        let error = client.resolve_group("app").await.unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{error:?}");
        fake.clear_faults();
    }
    // The total agrees, but the group is known to have more keys.
    let short = json!({ "data": [one], "pagination": { "total": 1 } });
    fake.inject(Fault::status(200).json(short).on("secrets.list"));
    let error = client.resolve_group("app").await.unwrap_err();
    let Error::Unresolved { missing, hidden, .. } = error else { panic!("{error:?}") };
    assert_eq!((&*missing, &*hidden), (&[reference(1), reference(2)][..], &[][..]));
}

#[tokio::test]
async fn a_group_that_changes_while_its_pages_are_read_is_read_again() {
    let fake = fake_with(250).await;
    let id = fake.group_id("app").unwrap();
    let mut lists = 0;
    fake.on_request("secrets.list", move |fake, _| {
        lists += 1;
        if lists == 2 {
            fake.remove_key("app", &key(0));
        }
    });
    let resolved = fake.client().resolve_group_by_id(&id).await.unwrap();
    assert_eq!((resolved.len(), resolved.get(&key(0)).is_none()), (249, true));
    assert!(resolved.get(&key(100)).is_some());
    assert_eq!(fake.request_count(), 6);
}

#[tokio::test]
async fn a_full_name_is_needed_only_to_say_what_is_hidden() {
    let fake = fake_with(2).await;
    let id = fake.group_id("app").unwrap();
    let response = |list: &serde_json::Value, fqn: &str| {
        let group = json!({"data": {"id": "g-1", "fqn": fqn}});
        fake.clear_requests();
        fake.clear_faults();
        fake.inject(Fault::status(200).json(list.clone()).on("secrets.list"));
        // The second page of a server that gives no total.
        fake.inject(Fault::status(200).json(json!({"data": []})).on("secrets.list"));
        fake.inject(Fault::status(404).on("secrets.get"));
        fake.inject(Fault::status(200).json(group).on("secret_groups.get"));
    };
    let sparse = json!({"data": [{"id": "s-1", "name": "K-000", "value": "v"}]});
    response(&sparse, "my-tenant:app");
    let resolved = fake.client().resolve_group_by_id(&id).await.unwrap();
    assert_eq!(resolved.get(&key(0)).unwrap().expose_secret(), "v");
    assert_eq!(operations(&fake), ["secrets.list", "secrets.list"]);

    let gone = json!({"data": [{"id": "s-1", "name": "K-000"}]});
    response(&gone, "my-tenant:app");
    let error = fake.client().resolve_group_by_id(&id).await.unwrap_err();
    let Error::Unresolved { missing, .. } = error else { panic!("{error:?}") };
    assert_eq!(&*missing, &[reference(0)][..]);
    assert_eq!(
        operations(&fake),
        ["secrets.list", "secrets.list", "secrets.get", "secret_groups.get"]
    );
    // If the group does not have it either, the response does not follow the API.
    response(&gone, "odd");
    let error = fake.client().resolve_group_by_id(&id).await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
}
