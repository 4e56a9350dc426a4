//! "What goes wrong", row by row: the variant, what it names, and the next step that it gives.

use truefoundry_secrets::testing::error_from_response;
use truefoundry_secrets::{
    Error, ListSecretGroups, ListSecrets, NewSecretGroup, Operation, Resource, SecretGroupManifest,
    SecretRef, SecretStoreKind, SecretUpdate,
};

use crate::support::endpoints::{Endpoint, SENT};
use crate::support::raw::{Act, RawServer, ok, response, status};
use crate::support::{assert_nowhere, assert_well_formed, tenant_client, variant};

/// A row of the reference: the server's response, the request, and the resulting error.
struct Row {
    status: u16,
    words: &'static str,
    endpoint: Endpoint,
    variant: &'static str,
    /// The parts of the troubleshooting text that the hint must contain.
    advice: &'static [&'static str],
}

const ROWS: [Row; 20] = [
    Row {
        status: 404,
        words: "Secret group ID not found",
        endpoint: Endpoint::GetGroup,
        variant: "NotFound",
        advice: &["List the secret groups", "identifier"],
    },
    Row {
        status: 404,
        words: "Secret not found",
        endpoint: Endpoint::DeleteSecret,
        variant: "NotFound",
        advice: &["List the secrets of the group"],
    },
    Row {
        status: 404,
        words: "Integration not found",
        endpoint: Endpoint::CreateGroup,
        variant: "NotFound",
        advice: &["List the secret stores", "administrator"],
    },
    Row {
        status: 404,
        words: "File not found",
        endpoint: Endpoint::ListGroups,
        variant: "UnexpectedStatus",
        advice: &["base URL"],
    },
    Row {
        status: 403,
        words: "Cannot access secrets",
        endpoint: Endpoint::GetGroup,
        variant: "PermissionDenied",
        advice: &["API key's permissions"],
    },
    Row {
        status: 401,
        words: "Unauthorized",
        endpoint: Endpoint::GetGroup,
        variant: "Unauthorized",
        advice: &["TFY_API_KEY", "expired"],
    },
    Row {
        status: 409,
        words: "Secret group with this name already exists",
        endpoint: Endpoint::CreateGroup,
        variant: "AlreadyExists",
        advice: &["different name"],
    },
    Row {
        status: 400,
        words: "Secret group with this name already exists",
        endpoint: Endpoint::CreateOrUpdate,
        variant: "AlreadyExists",
        advice: &["different name"],
    },
    Row {
        status: 409,
        words: "Secret group with this name already exists",
        endpoint: Endpoint::UpdateGroup,
        variant: "Conflict",
        advice: &["current state"],
    },
    Row {
        status: 422,
        words: "Cannot update secret group with zero secrets",
        endpoint: Endpoint::UpdateGroup,
        variant: "EmptyGroup",
        advice: &["at least one secret"],
    },
    Row {
        status: 400,
        words: "No secret store configured for this workspace",
        endpoint: Endpoint::CreateGroup,
        variant: "NoSecretStore",
        advice: &["administrator", "connect a secret store"],
    },
    Row {
        status: 409,
        words: "Secret K is already in a deleted state",
        endpoint: Endpoint::CreateGroup,
        variant: "SoftDeleted",
        advice: &[
            "Use another group name",
            "Azure portal",
            "Manage deleted secrets",
            "az keyvault secret purge --vault-name <vault> --name K",
            "90 days",
            "purge protection",
        ],
    },
    Row {
        status: 409,
        words: "is currently being deleted",
        endpoint: Endpoint::CreateGroup,
        variant: "SoftDeleted",
        advice: &["Retry the call in a moment", "another group name"],
    },
    Row {
        status: 400,
        words: "a secret with this name is already scheduled for deletion",
        endpoint: Endpoint::CreateGroup,
        variant: "SoftDeleted",
        advice: &["another group name", "aws secretsmanager delete-secret", "30 days"],
    },
    Row {
        status: 422,
        words: "Unprocessable entity. Ensure all secrets have both \"key\" and \"value\" fields.",
        endpoint: Endpoint::CreateGroup,
        variant: "MissingFields",
        advice: &["both a key and a value"],
    },
    Row {
        status: 422,
        words: "Unprocessable entity. Ensure all secrets have both \"key\" and \"value\" fields.",
        endpoint: Endpoint::UpdateGroup,
        variant: "MissingFields",
        advice: &["every new secret a value", "already has"],
    },
    Row {
        status: 424,
        words: "vault is down",
        endpoint: Endpoint::DeleteGroup,
        variant: "StoreFailed",
        advice: &["connection and credentials", "forced"],
    },
    Row {
        status: 424,
        words: "vault is down",
        endpoint: Endpoint::CreateGroup,
        variant: "StoreFailed",
        advice: &["may exist", "look it up by name"],
    },
    Row {
        status: 429,
        words: "slow down",
        endpoint: Endpoint::CreateGroup,
        variant: "RateLimited",
        advice: &["Wait"],
    },
    Row {
        status: 400,
        words: "something else",
        endpoint: Endpoint::UpdateGroup,
        variant: "InvalidRequest",
        advice: &["what the server names"],
    },
];

#[tokio::test]
async fn every_row_has_its_variant_and_the_advice_for_it() {
    for row in &ROWS {
        let server = RawServer::always(status(row.status, row.words));
        let error = row.endpoint.call(&tenant_client(server.url())).await.unwrap_err();
        assert_eq!(variant(&error), row.variant, "{}: {error}", row.words);
        assert_eq!(error.status(), Some(row.status));
        assert!(error.to_string().contains(row.words), "{error}");
        for part in row.advice {
            assert!(error.hint().contains(part), "{part} not in {}", error.hint());
        }
        assert_well_formed(&error);
    }
}

#[tokio::test]
async fn underscores_that_azure_refuses_get_a_name_that_it_takes() {
    let server = RawServer::always(status(422, "Key name does not support underscores (_)"));
    let client = tenant_client(server.url());
    let new = NewSecretGroup::in_integration("app", "i-1").secret("OK", SENT);
    let error = client.secret_groups().create(new.clone().secret("DB_PASSWORD", SENT)).await;
    let error = error.unwrap_err();
    let Error::KeyNotSupported { key, suggestion, .. } = &error else { panic!("{error:?}") };
    assert_eq!((&**key, suggestion.as_deref()), ("DB_PASSWORD", Some("DB-PASSWORD")));
    let told = error.to_string();
    assert!(told.starts_with(r#"key "DB_PASSWORD" is not accepted: Azure Key Vault"#), "{told}");
    let hint = error.hint();
    assert!(hint.contains(r#"Use the name "DB-PASSWORD""#), "{hint}");
    assert!(hint.contains("AWS Secrets Manager"), "{hint}");

    // If no key that was sent has an underscore, the advice is the rule itself.
    let error = client.secret_groups().create(new).await.unwrap_err();
    let told = error.to_string();
    assert!(told.starts_with("a key is not accepted: Azure Key Vault refused it: "), "{told}");
    let hint = error.hint();
    assert!(hint.starts_with("Use `-` in place of `_` in the key, or choose a store"), "{hint}");
    assert!(hint.contains("AWS Secrets Manager"), "{hint}");
}

#[tokio::test]
async fn missing_fields_name_the_keys_that_were_sent_without_a_value() {
    let words = "Ensure all secrets have both 'key' and 'value' fields.";
    let server = RawServer::always(status(422, words));
    let list = [SecretUpdate::keep("KEPT"), SecretUpdate::set("K", SENT)];
    let client = tenant_client(server.url());
    let error = client.secret_groups().replace_secrets("g-1", &list).await.unwrap_err();
    let Error::MissingFields { keys, .. } = &error else { panic!("{error:?}") };
    assert_eq!(**keys, ["KEPT"]);
}

#[tokio::test]
async fn what_was_looked_for_stands_in_not_found_and_already_exists() {
    let server = RawServer::always(status(404, "nope"));
    let client = tenant_client(server.url());
    let (groups, secrets) = (client.secret_groups(), client.secrets());
    let manifest = SecretGroupManifest::new("my-app", "my-tenant:store");
    let new = NewSecretGroup::in_integration("my-app", "i-1");
    let one = ListSecrets::by_fqns(["t:g:K"]);
    let several = ListSecrets::by_fqns(["t:g:K", "t:g:L"]);
    let by_fqn = ListSecretGroups::new().fqn("t:g");
    for (error, expected) in [
        (secrets.get("s\u{202e}1").await.unwrap_err(), r#"secret "s\u{202e}1" not found"#),
        (groups.get_by_name("my-app").await.unwrap_err(), r#"secret group "my-app" not found"#),
        (groups.list(&by_fqn).await.unwrap_err(), r#"secret group "t:g" not found"#),
        (groups.create(new).await.unwrap_err(), r#"secret store "i-1" not found"#),
        (
            groups.create_or_update(&manifest).await.unwrap_err(),
            r#"secret store "my-tenant:store" not found"#,
        ),
        (secrets.list(&one).await.unwrap_err(), r#"secret "t:g:K" not found"#),
        (secrets.list(&several).await.unwrap_err(), "secret not found"),
    ] {
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(error.is_not_found());
    }

    let server = RawServer::always(status(409, "Secret group with this name already exists"));
    let new = NewSecretGroup::in_integration("my-app", "i-1");
    let taken = tenant_client(server.url()).secret_groups().create(new).await.unwrap_err();
    let Error::AlreadyExists { name, .. } = &taken else { panic!("{taken:?}") };
    assert_eq!(&**name, "my-app");
    let missing = Endpoint::GetGroup.call(&client).await.unwrap_err();
    assert!(matches!(missing, Error::NotFound { resource: Resource::SecretGroup, .. }));
}

#[tokio::test]
async fn check_tells_what_is_wrong_with_the_control_plane_or_the_key() {
    let page = "content-type: text/html\r\n";
    for (bytes, expected) in [
        (status(401, "Unauthorized"), "Unauthorized"),
        (status(403, "Forbidden"), "PermissionDenied"),
        (status(404, "File not found"), "UnexpectedStatus"),
        (response(200, page, "<html>Welcome</html>"), "Decode"),
        (status(503, "busy"), "Service"),
        (response(302, "location: https://elsewhere.example/login\r\n", ""), "UnexpectedRedirect"),
    ] {
        let server = RawServer::always(bytes);
        let error = tenant_client(server.url()).check().await.unwrap_err();
        assert_eq!(variant(&error), expected, "{error}");
    }
    let server = RawServer::always(response(200, "", r#"{"data":[]}"#));
    tenant_client(server.url()).check().await.unwrap();
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_manifest_that_names_no_group_or_no_store_is_refused_before_it_is_sent() {
    let server = RawServer::always(status(500, ""));
    let client = tenant_client(server.url());
    for manifest in [
        SecretGroupManifest::new("", "my-tenant:store"),
        SecretGroupManifest::new("a\nb", "my-tenant:store"),
        SecretGroupManifest::new("a:b", "my-tenant:store"),
        SecretGroupManifest::new("app", ""),
    ] {
        for result in [
            client.secret_groups().create_or_update(&manifest).await.map(drop),
            client.secret_groups().create_or_update_dry_run(&manifest).await.map(drop),
        ] {
            assert!(matches!(result, Err(Error::InvalidInput { .. })), "{result:?}");
        }
    }
    assert_eq!(server.count(), 0);
}

/// A value that quotes its own key, as people's passwords do.
#[tokio::test]
async fn a_value_that_holds_its_key_hides_neither_the_key_nor_the_purge_command() {
    let value = "dev-db-password-2024";
    let create = async |status_code, words: &str, key: &str| {
        let server = RawServer::always(status(status_code, words));
        let new = NewSecretGroup::in_integration("dev", "i-1").secret("OTHER", SENT);
        let client = tenant_client(server.url());
        let error = client.secret_groups().create(new.secret(key, value)).await.unwrap_err();
        assert_eq!(server.count(), 1);
        assert_nowhere(&error, &[value]);
        error
    };

    let words = "Secret DB-PASSWORD is already in a deleted state";
    let error = create(409, words, "DB-PASSWORD").await;
    let Error::SoftDeleted { details, .. } = &error else { panic!("{error:?}") };
    assert_eq!(details.name(), Some("DB-PASSWORD"));
    let command = "az keyvault secret purge --vault-name <vault> --name DB-PASSWORD";
    assert!(error.hint().contains(command), "{}", error.hint());

    let words = "Key name DB_PASSWORD does not support underscores (_)";
    let error = create(422, words, "DB_PASSWORD").await;
    let Error::KeyNotSupported { key, suggestion, .. } = &error else { panic!("{error:?}") };
    assert_eq!((&**key, suggestion.as_deref()), ("DB_PASSWORD", Some("DB-PASSWORD")));
}

#[tokio::test]
async fn every_not_found_names_the_resource_that_is_missing_and_how_to_find_it() {
    let is = |error: Error, expected: Resource, name: &str| {
        let Error::NotFound { resource, id, .. } = &error else { panic!("{error}") };
        assert_eq!((*resource, &**id), (expected, name), "{error}");
        let start = format!("{expected} \"{name}\" not found");
        assert!(error.to_string().starts_with(&start), "{error}");
        let hint = match expected {
            Resource::SecretGroup => "List the secret groups",
            Resource::Secret => "List the secrets of the group",
            _ => "List the secret stores",
        };
        assert!(error.hint().contains(hint), "{}", error.hint());
    };
    let reference = SecretRef::new("my-tenant", "app", "NONE").unwrap();

    let server = RawServer::always(response(200, "", r#"{"data":[]}"#));
    let empty = tenant_client(server.url());
    is(empty.resolve(&reference).await.unwrap_err(), Resource::Secret, reference.as_str());
    is(empty.resolve_group("app").await.unwrap_err(), Resource::SecretGroup, "app");
    let by_name = empty.secret_groups().get_by_name("app").await;
    is(by_name.unwrap_err(), Resource::SecretGroup, "app");

    let server = RawServer::always(status(404, "gone"));
    let absent = tenant_client(server.url());
    let (groups, secrets) = (absent.secret_groups(), absent.secrets());
    is(absent.resolve(&reference).await.unwrap_err(), Resource::Secret, reference.as_str());
    is(groups.get("g-1").await.unwrap_err(), Resource::SecretGroup, "g-1");
    is(groups.delete("g-1").await.unwrap_err(), Resource::SecretGroup, "g-1");
    is(secrets.get("s-1").await.unwrap_err(), Resource::Secret, "s-1");
    is(secrets.versions("s-1").await.unwrap_err(), Resource::Secret, "s-1");
    is(secrets.delete("s-1").await.unwrap_err(), Resource::Secret, "s-1");
    let new = NewSecretGroup::in_integration("app", "i-1").secret("K", SENT);
    is(groups.create(new).await.unwrap_err(), Resource::SecretStore, "i-1");

    let server = RawServer::start(|_, seen| {
        Act::Send(ok(match seen.method() {
            "GET" => r#"{"data":{"id":"g-1","fqn":"my-tenant:app","associatedSecrets":[]}}"#,
            _ => r#"{"data":[],"pagination":{"total":0}}"#,
        }))
    });
    let client = tenant_client(server.url());
    let plan = client.secret_groups().edit("g-1").remove("NONE").plan().await;
    is(plan.unwrap_err(), Resource::Secret, "NONE");
}

#[test]
fn debug_is_one_line_with_the_hint_and_the_structure_shows_no_details() {
    let body = r#"{"statusCode":409,"message":"Busy\nnow","details":{"held":"by-someone"}}"#;
    let error = error_from_response(Operation::UpdateSecretGroup, 409, body);
    let line = format!("{error:?}");
    assert_eq!(line, format!("{error} (hint: {})", error.hint()));
    assert!(!line.contains('\n'), "{line}");
    let structure = format!("{error:#?}");
    assert!(structure.starts_with("Conflict {\n"), "{structure}");
    assert!(structure.contains("Busy"), "{structure}");
    let context = error.context().unwrap();
    for text in [line, structure, format!("{context:?}"), format!("{context}")] {
        assert!(!text.contains("by-someone"), "{text}");
    }
    assert!(context.server_details().unwrap().contains("by-someone"));
}

#[tokio::test]
async fn texts_name_the_thing_first_leave_empty_lists_out_and_read_durations_well() {
    let moved = "location: https://elsewhere.example/login?x=1\r\n";
    for (bytes, expected, hint) in [
        (
            response(429, "retry-after: 90\r\n", ""),
            "cannot create secret group: rate limited; retry after 90 s [",
            "Wait 90 s before",
        ),
        (
            response(302, moved, ""),
            "cannot create secret group: redirected to https://elsewhere.example/login; redirects are not followed [",
            "base URL",
        ),
        (
            status(401, "Unauthorized"),
            "cannot create secret group: the control plane rejected the API key: Unauthorized [",
            "TFY_API_KEY",
        ),
        (
            status(422, "No secret store configured for this workspace"),
            "no secret store is connected: No secret store configured",
            "administrator",
        ),
    ] {
        let server = RawServer::always(bytes);
        let error = Endpoint::CreateGroup.call(&tenant_client(server.url())).await.unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(error.hint().contains(hint), "{}", error.hint());
    }

    let server = RawServer::always(ok(r#"{"data":[]}"#));
    let client = tenant_client(server.url());
    let of = |key| SecretRef::new("my-tenant", "app", key).unwrap();
    let one = client.resolve_all([of("A")]).await.unwrap_err();
    let text = "cannot resolve 1 reference: tfy-secret://my-tenant:app:A does not exist";
    assert_eq!(one.to_string(), text);
    let two = client.resolve_all([of("A"), of("B")]).await.unwrap_err().to_string();
    assert!(two.starts_with("cannot resolve 2 references: ") && two.ends_with(":B do not exist"));
    let none = client.secret_stores().find(SecretStoreKind::HashicorpVault).await.unwrap_err();
    assert_eq!(none.to_string(), "no HashiCorp Vault store is connected");
}
