use serde_json::{Value, json};
use truefoundry_secrets::SecretStoreKind;
use truefoundry_secrets::testing::FakeTrueFoundry;

use crate::raw::{call, get};

async fn app() -> (FakeTrueFoundry, String) {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("A", "1"), ("B", "2")]);
    let path = format!("/secret-groups/{}", fake.group_id("app").unwrap());
    (fake, path)
}

#[tokio::test]
async fn a_group_has_every_field_and_no_value() {
    let (fake, path) = app().await;
    let group = get(&fake, &path).await.data();
    for field in
        ["id", "accountId", "createdAt", "updatedAt", "createdBy", "integrationId", "manifest"]
    {
        assert!(!group[field].is_null(), "{field}");
    }
    assert_eq!(group["fqn"], "my-tenant:app");
    assert_eq!(group["tenantName"], "my-tenant");
    assert_eq!(group["createdBySubject"]["subjectType"], "user");
    assert_eq!(group["manifest"]["name"], "app");
    assert_eq!(
        group["manifest"]["integration_fqn"],
        json!(fake.store_fqn(&SecretStoreKind::AwsSecretsManager))
    );
    let created = group["createdAt"].as_str().unwrap();
    assert!(created.len() == 24 && created.ends_with('Z') && &created[19..20] == ".", "{created}");
    let secret = &group["associatedSecrets"][0];
    assert_eq!(secret["name"], "A");
    assert_eq!(secret["fqn"], "my-tenant:app:A");
    assert_eq!(secret["secretGroupId"], group["id"]);
    assert_eq!(secret["secretVersions"][0]["version"], 1);
    assert!(secret.get("value").is_none());
}

#[tokio::test]
async fn lists_are_paged_searched_and_looked_up_by_fqn() {
    let fake = FakeTrueFoundry::start().await;
    let fake = fake.with_group("one", [("ALPHA", "1")]).with_group("two", [("BETA", "2")]);
    let names = |page: &Value| -> Vec<String> {
        let data = page["data"].as_array().unwrap();
        data.iter().map(|group| group["fqn"].as_str().unwrap().to_owned()).collect()
    };
    let page = get(&fake, "/secret-groups?limit=1&offset=1").await.json();
    assert_eq!(names(&page), ["my-tenant:two"]);
    assert_eq!(page["pagination"], json!({ "total": 2, "offset": 1, "limit": 1 }));
    let past = get(&fake, "/secret-groups?limit=1&offset=2").await.json();
    assert_eq!((names(&past).len(), &past["pagination"]["total"]), (0, &json!(2)));
    for (query, expected) in [
        ("", vec!["my-tenant:one", "my-tenant:two"]),
        ("?fqn=my-tenant:two", vec!["my-tenant:two"]),
        ("?fqn=my-tenant%3Atwo", vec!["my-tenant:two"]),
        ("?fqn=my-tenant:t", vec![]),
        ("?search=on", vec!["my-tenant:one"]),
        ("?search=beta", vec!["my-tenant:two"]),
        ("?search=none", vec![]),
    ] {
        let page = get(&fake, &format!("/secret-groups{query}")).await.json();
        assert_eq!(names(&page), expected, "{query}");
    }
    let sparse = get(&fake, "/secret-groups?attributes=fqn&attributes=tenantName").await.data();
    let id = fake.group_id("one").unwrap();
    assert_eq!(sparse[0], json!({ "id": id, "fqn": "my-tenant:one", "tenantName": "my-tenant" }));
    assert_eq!(get(&fake, "/secret-groups?limit=many").await.status, 400);
}

#[tokio::test]
async fn create_makes_every_secret_at_version_1() {
    let fake = FakeTrueFoundry::start().await;
    let store = fake.store_id(&SecretStoreKind::AwsSecretsManager).unwrap();
    let new = json!({
        "name": "new", "integrationId": store,
        "secrets": [{ "key": "A", "value": "1" }, { "key": "B", "value": "" }],
    });
    let group = call(&fake, "POST /secret-groups", new.clone()).await.data();
    assert_eq!(json!(fake.group_id("new")), group["id"]);
    assert_eq!(fake.keys("new"), ["A", "B"]);
    assert_eq!(
        (fake.value("new", "B").unwrap(), fake.version("new", "A").unwrap()),
        (String::new(), 1)
    );

    let taken = call(&fake, "POST /secret-groups", new).await.refusal();
    assert_eq!((taken.0, taken.1.as_str()), (409, "Secret group with this name already exists"));
}

#[tokio::test]
async fn create_refuses_what_is_incomplete_without_repeating_a_value() {
    let fake = FakeTrueFoundry::start().await;
    let store = fake.store_id(&SecretStoreKind::AwsSecretsManager).unwrap();
    for (secrets, status) in [
        (json!([{ "key": "A" }]), 422),
        (json!([{ "key": "A", "value": null }]), 422),
        (json!([{ "value": "sesame" }]), 422),
        (json!([{ "key": "", "value": "sesame" }]), 422),
        (json!([{ "key": "A", "value": ["sesame"] }]), 422),
        (json!([{ "key": "A", "value": "sesame" }, { "key": "A", "value": "sesame" }]), 422),
        (json!("sesame"), 422),
        (json!(null), 422),
    ] {
        let body = json!({ "name": "new", "integrationId": store, "secrets": secrets });
        let reply = call(&fake, "POST /secret-groups", body).await;
        assert_eq!(reply.status, status, "{secrets}");
        assert!(!String::from_utf8(reply.body).unwrap().contains("sesame"));
    }
    let body = json!({ "name": "new", "integrationId": "nowhere", "secrets": [] });
    assert_eq!(call(&fake, "POST /secret-groups", body.clone()).await.status, 404);
    let words = "No secret store configured for this workspace. Contact your platform admin.";
    let fake = fake.without_stores();
    let refusal = call(&fake, "POST /secret-groups", body).await.refusal();
    assert_eq!((refusal.0, refusal.1.as_str()), (400, words));
    assert!(fake.groups().is_empty());
}

#[tokio::test]
async fn update_is_the_full_list() {
    let (fake, path) = app().await;
    let put = format!("PUT {path}");
    let before = get(&fake, &path).await.data();
    let id_of_b = fake.secret_id("app", "B");

    let same = json!({ "secrets": [{ "key": "A", "value": "1" }, { "key": "B" }] });
    let after = call(&fake, &put, same).await.data();
    assert_eq!(fake.version("app", "A"), Some(1), "the same value makes no new version");
    assert!(before["updatedAt"].as_str() < after["updatedAt"].as_str());

    let change = json!({ "secrets": [{ "key": "B", "value": "3" }, { "key": "C", "value": "4" }] });
    let after = call(&fake, &put, change).await.data();
    assert_eq!(fake.keys("app"), ["B", "C"], "what was left out is gone");
    assert_eq!((fake.version("app", "B"), fake.version("app", "C")), (Some(2), Some(1)));
    assert_eq!(fake.secret_id("app", "B"), id_of_b);
    assert!(after["associatedSecrets"][0].get("value").is_none());

    let again = json!({ "secrets": [{ "key": "A", "value": "1" }, { "key": "B", "value": null }] });
    call(&fake, &put, again).await.data();
    assert_eq!(fake.version("app", "A"), Some(1), "a deleted key lost its versions");
    assert_eq!(fake.value("app", "B").as_deref(), Some("3"), "null keeps");
}

#[tokio::test]
async fn a_refused_update_changes_nothing() {
    let (fake, path) = app().await;
    let before = get(&fake, &path).await.data();
    let put = format!("PUT {path}");
    let empty = call(&fake, &put, json!({ "secrets": [] })).await.refusal();
    assert_eq!(empty.0, 422);
    assert!(empty.1.starts_with("Cannot update secret group with zero secrets"));
    for body in [
        json!({ "secrets": [{ "key": "A", "value": "9" }, { "key": "NEW" }] }),
        json!({ "secrets": [{ "key": "A", "value": "9" }, { "key": "A" }] }),
        json!({ "secrets": [{ "key": "A", "value": "9" }, { "key": "B", "value": 3 }] }),
        json!({ "secret": [] }),
    ] {
        assert_eq!(call(&fake, &put, body.clone()).await.status, 422, "{body}");
    }
    assert_eq!(get(&fake, &path).await.data(), before);
    let unknown =
        call(&fake, "PUT /secret-groups/no", json!({ "secrets": [{ "key": "A" }] })).await;
    assert_eq!(unknown.refusal().1, "Secret group ID not found");
}

#[tokio::test]
async fn a_manifest_is_matched_by_name() {
    let (fake, path) = app().await;
    let store = fake.store_fqn(&SecretStoreKind::AwsSecretsManager).unwrap();
    let manifest = |name: &str, dry_run: bool| {
        let people = json!([{ "subject": "team:ops", "role_id": "secret-group-viewer" }]);
        json!({ "dryRun": dry_run, "manifest": {
            "type": "secret-group", "name": name, "integration_fqn": store,
            "collaborators": people, "ownedBy": { "account": "ops" },
        }})
    };
    let before = get(&fake, &path).await.data();
    let preview = call(&fake, "PUT /secret-groups", manifest("app", true)).await.data();
    assert_eq!(preview["manifest"]["ownedBy"]["account"], "ops");
    assert_eq!(get(&fake, &path).await.data(), before, "a dry run changes nothing");

    let after = call(&fake, "PUT /secret-groups", manifest("app", false)).await.data();
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["manifest"]["collaborators"][0]["subject"], "team:ops");
    assert_eq!(fake.keys("app"), ["A", "B"], "a manifest leaves the secrets alone");

    let preview = call(&fake, "PUT /secret-groups", manifest("new", true)).await.data();
    assert!(preview.get("id").is_none());
    assert_eq!(fake.groups(), ["app"]);
    call(&fake, "PUT /secret-groups", manifest("new", false)).await.data();
    assert_eq!(fake.groups(), ["app", "new"]);

    let mut other = manifest("new", false);
    other["manifest"]["integration_fqn"] = json!("a:b:c");
    assert_eq!(call(&fake, "PUT /secret-groups", other).await.status, 404);
    for broken in [json!({}), json!({ "manifest": { "type": "service" } })] {
        assert_eq!(call(&fake, "PUT /secret-groups", broken).await.status, 422);
    }
}

#[tokio::test]
async fn a_delete_returns_an_empty_object_and_then_404() {
    let (fake, path) = app().await;
    let secret = format!("/secrets/{}", fake.secret_id("app", "A").unwrap());
    let reply = call(&fake, &format!("DELETE {path}"), None).await;
    assert_eq!((reply.status, reply.json()), (200, json!({})));
    assert_eq!(call(&fake, &format!("DELETE {path}"), None).await.status, 404);
    assert_eq!(get(&fake, &path).await.status, 404);
    assert_eq!(get(&fake, &secret).await.status, 404);
}
