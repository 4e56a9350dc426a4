//! How responses are read: full ones, sparse ones, odd ones.

use jiff::Timestamp;
use serde_json::json;
use truefoundry_secrets::{
    Client, Error, ListSecretGroups, ListSecrets, PartialSecretGroup, Role, Secret, SecretGroup,
    SecretStoreKind, SecretVersion,
};

use crate::support::raw::{RawServer, ok};
use crate::support::{client, variant};

const VALUE: &str = "correct horse battery staple";

const FULL_GROUP: &str = r#"{
    "id": "g-1", "fqn": "my-tenant:app", "tenantName": "my-tenant", "name": "app",
    "createdBySubject": {"subjectId": "u-1", "subjectType": "user", "subjectSlug": "ada@example.com",
        "subjectDisplayName": "Ada", "subjectPatName": null, "tenantName": "my-tenant"},
    "associatedSecrets": [{"id": "s-1", "fqn": "my-tenant:app:DB", "name": "DB",
        "secretGroupId": "g-1", "createdAt": "2026-01-02T03:04:05.678Z",
        "updatedAt": "2026-01-02T03:04:06Z", "createdBy": "ada"}],
    "integrationId": "i-1",
    "manifest": {"type": "secret-group", "name": "app", "integration_fqn": "t:aws:a:secret-store:s",
        "collaborators": [{"subject": "team:x", "role_id": "secret-group-admin"},
            {"subject": "agent:y", "role_id": "secret-group-auditor"}],
        "ownedBy": {"account": "acc", "extra": 1}, "new_field": {}},
    "accountId": "acc", "createdAt": "2026-01-02T03:04:05.678Z",
    "updatedAt": "2026-01-03T03:04:05.678Z", "createdBy": "ada", "futureField": [[{"x": null}]]
}"#;

const FULL_SECRET: &str = r#"{
    "id": "s-1", "fqn": "my-tenant:app:DB", "name": "DB", "secretGroupId": "g-1",
    "value": "correct horse battery staple",
    "createdBySubject": {"subjectId": "a-1", "subjectType": "agent-identity"},
    "createdAt": "2026-01-02T03:04:05.678Z", "updatedAt": "2026-01-02T03:04:06Z",
    "secretVersions": [{"id": "v-1", "fqn": "my-tenant:app:DB:1", "version": 3.0, "value": "old",
        "secretId": "s-1", "createdAt": "2026-01-02T03:04:05Z", "updatedAt": "2026-01-02T03:04:06Z"}],
    "activeDeploymentsCount": 4, "createdBy": "ada"
}"#;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn serving(data: &str) -> Client {
    client(RawServer::always(ok(format!(r#"{{"data":{data}}}"#))).url())
}

async fn group(data: &str) -> SecretGroup {
    serving(data).secret_groups().get("g-1").await.unwrap()
}

async fn secret(data: &str) -> Secret {
    serving(data).secrets().get("s-1").await.unwrap()
}

#[tokio::test]
async fn a_full_group_is_read_field_by_field() {
    let group = group(FULL_GROUP).await;
    assert_eq!(group.id(), "g-1");
    assert_eq!((group.fqn(), group.name()), ("my-tenant:app", Some("app")));
    assert_eq!((group.tenant_name(), group.account_id()), (Some("my-tenant"), Some("acc")));
    assert_eq!(group.integration_id().unwrap(), "i-1");
    assert_eq!(group.created_at(), Some(time("2026-01-02T03:04:05.678Z")));
    assert_eq!(group.updated_at(), Some(time("2026-01-03T03:04:05.678Z")));
    let ada = group.created_by().unwrap();
    assert_eq!((ada.id(), ada.kind()), (Some("u-1"), Some("user")));
    assert_eq!((ada.slug(), ada.display_name()), (Some("ada@example.com"), Some("Ada")));
    let [secret] = group.secrets().unwrap() else { panic!("one secret") };
    assert_eq!((secret.id().as_str(), secret.key()), ("s-1", Some("DB")));
    assert_eq!(secret.secret_group_id().unwrap(), "g-1");
    assert!(secret.value().is_none());
    let manifest = group.manifest().unwrap();
    assert_eq!((manifest.name(), manifest.owned_by()), ("app", Some("acc")));
    assert_eq!(manifest.integration_fqn(), "t:aws:a:secret-store:s");
    let roles: Vec<_> =
        manifest.collaborators().unwrap().iter().map(|it| it.role().clone()).collect();
    assert_eq!(roles, [Role::Admin, Role::from("secret-group-auditor")]);
    let reference = group.reference("DB").unwrap();
    assert_eq!(reference.to_string(), "tfy-secret://my-tenant:app:DB");
}

#[tokio::test]
async fn a_reference_has_the_groups_own_fqn_whatever_else_it_says() {
    let named = r#"{"id":"g","fqn":"ours:app","name":"other","tenantName":"internal",
        "manifest":{"name":"third"}}"#;
    let reference = group(named).await.reference("DB").unwrap();
    assert_eq!(reference.to_string(), "tfy-secret://ours:app:DB");
}

#[tokio::test]
async fn no_reference_to_a_group_with_a_colon_in_its_name_names_another_group() {
    for fqn in ["ours:a:b", "ours:a:b:c", ":a", "ours:", "ours", ""] {
        let group =
            group(&format!(r#"{{"id":"g","fqn":"{fqn}","tenantName":"t","name":"a"}}"#)).await;
        let error = group.reference("K").unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "{fqn}: {error}");
    }
    // The secret's FQN is the whole reference, which says "b:K" of "a".
    let error =
        secret(r#"{"id":"s","fqn":"ours:a:b:K","name":"K"}"#).await.reference().unwrap_err();
    assert!(matches!(error, Error::InvalidInput { .. }), "{error}");
    // A colon in the key divides nothing.
    let key = secret(r#"{"id":"s","fqn":"ours:a:b:K","name":"b:K"}"#).await;
    let group = group(r#"{"id":"g","fqn":"ours:a"}"#).await;
    assert_eq!(key.reference().unwrap(), group.reference("b:K").unwrap());
    assert_eq!(key.reference().unwrap().key(), "b:K");
}

#[tokio::test]
async fn a_full_secret_is_read_field_by_field() {
    let secret = secret(FULL_SECRET).await;
    assert_eq!((secret.id().as_str(), secret.key()), ("s-1", Some("DB")));
    assert_eq!(secret.value().unwrap().expose_secret(), VALUE);
    assert_eq!(secret.created_by().unwrap().kind(), Some("agent-identity"));
    assert_eq!(secret.created_at(), Some(time("2026-01-02T03:04:05.678Z")));
    assert_eq!(secret.updated_at(), Some(time("2026-01-02T03:04:06Z")));
    assert_eq!(secret.active_deployments(), Some(4));
    assert_eq!(secret.reference().unwrap().to_string(), "tfy-secret://my-tenant:app:DB");
    let [version] = secret.versions().unwrap() else { panic!("one version") };
    assert_eq!((version.id().as_str(), version.version()), ("v-1", Some(3)));
    assert_eq!(version.secret_id().unwrap(), "s-1");
    assert_eq!(version.fqn(), Some("my-tenant:app:DB:1"));
    assert_eq!(version.value().unwrap().expose_secret(), "old");
    assert_eq!(version.created_at(), Some(time("2026-01-02T03:04:05Z")));
    assert_eq!(version.updated_at(), Some(time("2026-01-02T03:04:06Z")));
    let shown = format!("{secret:?} {secret:#?}");
    assert!(shown.contains("(set)") && !shown.contains("correct") && !shown.contains("old"));
}

#[tokio::test]
async fn a_sparse_list_without_pagination_is_enough() {
    let body = r#"{"data":[{"id":"g-1","fqn":"my-tenant:app","associatedSecrets":[{"id":"s-1","name":"DB"}]}]}"#;
    let client = client(RawServer::always(ok(body)).url());
    let page = client.secret_groups().list(&ListSecretGroups::new()).await.unwrap();
    assert_eq!((page.total(), page.offset(), page.limit()), (None, None, None));
    let [group] = page.items() else { panic!("one group") };
    assert_eq!((group.name(), group.tenant_name()), (Some("app"), Some("my-tenant")));
    assert_eq!(group.secrets().unwrap()[0].key(), Some("DB"));
    assert!(group.manifest().is_none() && group.created_at().is_none());
}

#[tokio::test]
async fn absent_and_null_are_the_same_for_every_optional_field() {
    for null in [false, true] {
        let with = |names: &[&str]| -> String {
            let names = names.iter().filter(|_| null);
            names.flat_map(|name| [",\"", name, "\":null"]).collect()
        };
        let group_fields = with(&[
            "tenantName",
            "name",
            "createdBySubject",
            "associatedSecrets",
            "integrationId",
            "manifest",
            "accountId",
            "createdAt",
            "updatedAt",
        ]);
        let group = group(&format!(r#"{{"id":"g","fqn":"t:n"{group_fields}}}"#)).await;
        assert_eq!((group.name(), group.tenant_name()), (Some("n"), Some("t")));
        assert!(group.secrets().is_none(), "absence is not an empty list");
        assert!(group.created_by().is_none() && group.updated_at().is_none());
        let secret_fields = with(&[
            "fqn",
            "name",
            "secretGroupId",
            "value",
            "createdBySubject",
            "createdAt",
            "updatedAt",
            "secretVersions",
            "activeDeploymentsCount",
        ]);
        let secret = secret(&format!(r#"{{"id":"s"{secret_fields}}}"#)).await;
        assert!(secret.key().is_none() && secret.value().is_none() && secret.versions().is_none());
        let version_fields =
            with(&["fqn", "version", "value", "secretId", "createdAt", "updatedAt"]);
        let data = format!(r#"[{{"id":"v"{version_fields}}}]"#);
        let versions = serving(&data).secrets().versions("s").await.unwrap();
        assert!(versions[0].version().is_none() && versions[0].value().is_none());
    }
}

#[tokio::test]
async fn what_must_be_there_is_missed() {
    for data in [
        r#"{"fqn":"t:n"}"#,
        r#"{"id":"g"}"#,
        r#"{"id":null,"fqn":"t:n"}"#,
        r#"{"id":7,"fqn":"t:n"}"#,
        "null",
        "[]",
    ] {
        let error = serving(data).secret_groups().get("g").await.unwrap_err();
        assert_eq!(variant(&error), "Decode", "{data}");
    }
    // A missing list must not look like an empty one.
    for body in ["{}", r#"{"data":null}"#, r#"{"pagination":{"total":0}}"#, "[]"] {
        let client = client(RawServer::always(ok(body)).url());
        let error = client.secrets().list(&ListSecrets::new()).await.unwrap_err();
        assert_eq!(variant(&error), "Decode", "{body}");
    }
}

#[tokio::test]
async fn a_groups_name_is_its_own_or_its_manifests_or_its_fqns() {
    for (data, name) in [
        (r#"{"id":"g","fqn":"t:f","name":"n","manifest":{"name":"m"}}"#, "n"),
        (r#"{"id":"g","fqn":"t:f","manifest":{"name":"m"}}"#, "m"),
        (r#"{"id":"g","fqn":"t:f"}"#, "f"),
        (r#"{"id":"g","fqn":"t:f:x"}"#, "f:x"),
    ] {
        assert_eq!(group(data).await.name(), Some(name), "{data}");
    }
}

#[tokio::test]
async fn times_come_with_an_offset_or_are_utc() {
    let expected = time("2026-01-02T03:04:05Z");
    for (text, nanos) in [
        ("2026-01-02T03:04:05Z", 0),
        ("2026-01-02T03:04:05.000Z", 0),
        ("2026-01-02T03:04:05.123456789Z", 123_456_789),
        ("2026-01-02T05:04:05+02:00", 0),
        ("2026-01-01T21:34:05.5-05:30", 500_000_000),
        ("2026-01-02T03:04:05", 0),
        ("2026-01-02T03:04:05.250", 250_000_000),
        ("2026-01-02 03:04:05", 0),
    ] {
        let group = group(&format!(r#"{{"id":"g","fqn":"t:n","createdAt":"{text}"}}"#)).await;
        let time = group.created_at().unwrap();
        let parts = (time.as_second(), time.subsec_nanosecond());
        assert_eq!(parts, (expected.as_second(), nanos), "{text}");
    }
}

#[tokio::test]
async fn versions_are_whole_numbers_however_they_are_written() {
    for (written, read) in [
        ("3", Some(3)),
        ("3.0", Some(3)),
        ("3e0", Some(3)),
        ("30E-1", Some(3)),
        ("\"3\"", Some(3)),
        ("null", None),
        ("-1", None),
        ("3.5", None),
        ("1e300", None),
        ("\"v3\"", None),
        ("{\"number\":3}", None),
    ] {
        let data = format!(r#"[{{"id":"v","version":{written}}}]"#);
        let versions = serving(&data).secrets().versions("s").await.unwrap();
        assert_eq!(versions[0].version(), read, "{written}");
    }
}

/// They are informational; a change is noticed by comparing their text.
#[tokio::test]
async fn times_of_any_type_fail_no_response() {
    for (written, shown) in [
        ("1767323045", json!(1_767_323_045)),
        ("17.5", json!(17.5)),
        ("\"soon\"", json!("soon")),
        ("\"a\\u002db\"", json!("a-b")),
        ("true", json!(null)),
        ("null", json!(null)),
        ("{\"at\":[1]}", json!(null)),
    ] {
        let group = group(&format!(r#"{{"id":"g","fqn":"t:n","updatedAt":{written}}}"#)).await;
        assert_eq!(group.updated_at(), None, "{written}");
        assert_eq!(serde_json::to_value(&group).unwrap()["updatedAt"], shown, "{written}");
    }
    let escaped = r#"{"id":"g","fqn":"t:n","updatedAt":"2026-01-02T03:04:05\u005a"}"#;
    assert_eq!(group(escaped).await.updated_at(), Some("2026-01-02T03:04:05Z".parse().unwrap()));
}

#[tokio::test]
async fn kinds_of_stores_have_two_spellings_and_may_be_new() {
    for (written, kind) in [
        ("integration/secret-store/aws/secrets-manager", SecretStoreKind::AwsSecretsManager),
        ("integration/secret-store/aws/parameter-store", SecretStoreKind::AwsParameterStore),
        ("integration/secret-store/azure/vault", SecretStoreKind::AzureVault),
        ("integration/secret-store/gcp/gsm", SecretStoreKind::GcpSecretManager),
        ("integration/secret-store/gcp/secret-manager", SecretStoreKind::GcpSecretManager),
        ("integration/secret-store/hashicorp/vault", SecretStoreKind::HashicorpVault),
        ("integration/secret-store/custom/generic", SecretStoreKind::Generic),
        (
            "integration/secret-store/x/y",
            SecretStoreKind::from_api_type("integration/secret-store/x/y"),
        ),
    ] {
        let data = format!(r#"[{{"id":"i","manifest":{{"type":"{written}"}}}}]"#);
        let stores = serving(&data).secret_stores().all().await.unwrap();
        assert_eq!(stores[0].kind(), Some(&kind));
        let unknown = matches!(kind, SecretStoreKind::Other { .. }).then_some(written);
        assert!(unknown.is_none_or(|written| kind.api_type() == written));
    }
}

#[tokio::test]
async fn escapes_are_read_in_names_and_values() {
    let data = r#"{"id":"g\u002d1","fqn":"t:n\"\\\/","name":"n\"\\\/\u00e9\ud83d\ude00\n","associatedSecrets":[
        {"id":"s\u0031","name":"K\t\"1\""},{"id":"s2","name":"plain"},{"id":"s3","name":"\u004b"}]}"#;
    let group = group(data).await;
    assert_eq!((group.id().as_str(), group.fqn()), ("g-1", "t:n\"\\/"));
    assert_eq!(group.name(), Some("n\"\\/é😀\n"));
    let keys: Vec<_> = group.secrets().unwrap().iter().filter_map(Secret::key).collect();
    assert_eq!(keys, ["K\t\"1\"", "plain", "K"]);

    let pem = r#"{"\u0069d":"s","na\u006de":"K","value":"-----BEGIN KEY-----\nab\/c\u003d\n\ud83d\ude00\"\\\b\f\r\t"}"#;
    let secret = secret(pem).await;
    let expected = "-----BEGIN KEY-----\nab/c=\n😀\"\\\u{8}\u{c}\r\t";
    assert_eq!(secret.value().unwrap().expose_secret(), expected);
    assert_eq!(secret.key(), Some("K"));
}

#[tokio::test]
async fn a_value_that_is_not_a_string_is_refused_and_not_quoted() {
    for value in
        ["31337", "true", r#"["31337"]"#, r#"{"x":"31337"}"#, r#""31337\x""#, "\"31337\\ud800\""]
    {
        let data = format!(r#"{{"id":"s","value":{value}}}"#);
        let error = serving(&data).secrets().get("s").await.unwrap_err();
        assert_eq!(variant(&error), "Decode", "{value}");
        crate::support::assert_nowhere(&error, &["31337"]);
    }
}

#[tokio::test]
async fn a_value_where_none_was_asked_for_is_usable_masked_and_not_serialized() {
    let data = format!(
        r#"[{{"id":"g","fqn":"t:n","associatedSecrets":[{{"id":"s1","value":"{VALUE}","name":"A\n"}},
            {{"id":"s2","name":"B","value":""}}]}}]"#
    );
    let client = serving(&data);
    let page = client.secret_groups().list(&ListSecretGroups::new()).await.unwrap();
    let group = &page.items()[0];
    let secrets = group.secrets().unwrap();
    assert_eq!(secrets[0].value().unwrap().expose_secret(), VALUE);
    assert_eq!(secrets[1].value().unwrap().expose_secret(), "");
    assert_eq!((secrets[0].key(), secrets[1].key()), (Some("A\n"), Some("B")));
    let shown = format!("{page:?} {page:#?}");
    assert!(shown.contains("(set)") && shown.contains("(empty)"), "{shown}");
    assert!(!shown.contains("correct"), "{shown}");
    let json = serde_json::to_string(group).unwrap();
    assert!(!json.contains("value") && !json.contains("correct"), "{json}");
}

#[tokio::test]
async fn a_group_serializes_as_the_api_writes_it() {
    let group = group(FULL_GROUP).await;
    let json: serde_json::Value = serde_json::to_value(&group).unwrap();
    let original: serde_json::Value = serde_json::from_str(FULL_GROUP).unwrap();
    for field in ["id", "fqn", "tenantName", "name", "integrationId", "accountId", "createdAt"] {
        assert_eq!(json[field], original[field], "{field}");
    }
    assert_eq!(json["manifest"]["integration_fqn"], original["manifest"]["integration_fqn"]);
    assert_eq!(json["manifest"]["collaborators"], original["manifest"]["collaborators"]);
    assert_eq!(json["associatedSecrets"][0]["name"], "DB");
    assert_eq!(json["createdBySubject"]["subjectSlug"], "ada@example.com");
}

#[tokio::test]
async fn models_outlive_their_page_and_their_client() {
    let data = r#"[{"id":"g-1","fqn":"t:a"},{"id":"g-2","fqn":"t:b"}]"#;
    let kept = {
        let client = serving(data);
        let page = client.secret_groups().list(&ListSecretGroups::new()).await.unwrap();
        page.into_iter().nth(1).unwrap()
    };
    assert_eq!((kept.id().as_str(), kept.fqn()), ("g-2", "t:b"));
}

/// Does not compile if `$model` implements `$forbidden`: then two implementations of `check` fit.
macro_rules! assert_not_implemented {
    ($model:ty, $($forbidden:tt)+) => {
        const _: fn() = || {
            trait Ambiguous<A> {
                fn check() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct Implemented;
            impl<T: ?Sized + $($forbidden)+> Ambiguous<Implemented> for T {}
            let _ = <$model as Ambiguous<_>>::check;
        };
    };
}

assert_not_implemented!(Secret, serde::Serialize);
assert_not_implemented!(SecretVersion, serde::Serialize);
assert_not_implemented!(truefoundry_secrets::SecretValue, serde::Serialize);
assert_not_implemented!(truefoundry_secrets::SecretValue, PartialEq);
assert_not_implemented!(truefoundry_secrets::SecretValue, AsRef<str>);
assert_not_implemented!(truefoundry_secrets::NewSecretGroup, serde::Serialize);
assert_not_implemented!(truefoundry_secrets::SecretUpdate, serde::Serialize);
assert_not_implemented!(SecretGroup, serde::de::DeserializeOwned);
assert_not_implemented!(PartialSecretGroup, serde::Serialize);
