use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{
    Attribute, Collaborator, DeleteOptions, Ensured, Error, IntegrationId, ListSecretGroups,
    NewSecretGroup, Role, SecretGroup, SecretGroupId, SecretGroupManifest, SecretStoreKind,
    SecretUpdate, SecretValue,
};

use super::sent;
use crate::support::endpoints::{GROUP, GROUPS};
use crate::support::raw::{RawServer, ok};
use crate::support::{client, tenant_client, variant};

const ROOT: &str = "/api/svc/v1/secret-groups";

#[tokio::test]
async fn list_sends_limit_and_offset_always_and_filters_when_set() {
    for (params, query) in [
        (ListSecretGroups::new(), "limit=100&offset=0"),
        (ListSecretGroups::new().limit(7).offset(21), "limit=7&offset=21"),
        (ListSecretGroups::new().search("prod"), "limit=100&offset=0&search=prod"),
        (ListSecretGroups::new().fqn("t:app"), "limit=100&offset=0&fqn=t:app"),
        (
            ListSecretGroups::new().search("x").fqn("t:app").limit(1),
            "limit=1&offset=0&fqn=t:app&search=x",
        ),
    ] {
        let (line, body) = sent(GROUPS, async |client| {
            let page = client.secret_groups().list(&params).await.unwrap();
            assert_eq!(page.items()[0].id(), "g-1");
        })
        .await;
        assert_eq!(line, format!("GET {ROOT}?{query}"));
        assert_eq!(body, "");
    }
}

#[tokio::test]
async fn attributes_are_repeated_and_no_attributes_are_refused() {
    let (line, _) = sent(r#"{"data":[{"id":"g-1"}]}"#, async |client| {
        let params = ListSecretGroups::new().search("s");
        let attributes = [
            Attribute::Id,
            Attribute::Fqn,
            Attribute::TenantName,
            Attribute::Name,
            Attribute::CreatedBy,
            Attribute::Secrets,
            Attribute::IntegrationId,
            Attribute::Manifest,
            Attribute::AccountId,
            Attribute::CreatedAt,
            Attribute::UpdatedAt,
            Attribute::from("a&b=c"),
        ];
        for attribute in &attributes {
            assert_eq!(&Attribute::from(attribute.as_str()), attribute, "made from its own name");
        }
        let page = client.secret_groups().list_partial(&params, &attributes).await.unwrap();
        assert_eq!(page.items()[0].fqn(), None);
    })
    .await;
    let expected = "limit=100&offset=0&search=s&attributes=id&attributes=fqn\
        &attributes=tenantName&attributes=name&attributes=createdBySubject\
        &attributes=associatedSecrets&attributes=integrationId&attributes=manifest\
        &attributes=accountId&attributes=createdAt&attributes=updatedAt&attributes=a%26b%3Dc";
    assert_eq!(line, format!("GET {ROOT}?{expected}"));

    let server = RawServer::always(ok(GROUPS));
    let client = client(server.url());
    let refused = client.secret_groups().list_partial(&ListSecretGroups::new(), &[]).await;
    assert!(matches!(refused, Err(Error::InvalidInput { .. })));
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn get_names_the_group_in_the_path() {
    let (line, body) = sent(GROUP, async |client| {
        let group = client.secret_groups().get(SecretGroupId::from("g-1")).await.unwrap();
        assert_eq!(group.fqn(), "my-tenant:app");
    })
    .await;
    assert_eq!((line, body), (format!("GET {ROOT}/g-1"), String::new()));
}

#[tokio::test]
async fn create_sends_every_secret_with_its_value_in_order() {
    let (line, body) = sent(GROUP, async |client| {
        let new = NewSecretGroup::in_integration("app", IntegrationId::from("i-1"))
            .secret("Z", "a\"b\\c\nd")
            .secret("A", SecretValue::from(String::new()))
            .secret("é\u{2028}", "\u{1}😀");
        client.secret_groups().create(new).await.unwrap();
    })
    .await;
    assert_eq!(line, format!("POST {ROOT}"));
    let expected = "{\"name\":\"app\",\"integrationId\":\"i-1\",\"secrets\":[\
        {\"key\":\"Z\",\"value\":\"a\\\"b\\\\c\\nd\"},{\"key\":\"A\",\"value\":\"\"},\
        {\"key\":\"é\u{2028}\",\"value\":\"\\u0001😀\"}]}";
    assert_eq!(body, expected);

    let (_, body) = sent(GROUP, async |client| {
        client.secret_groups().create(NewSecretGroup::in_integration("app", "i-1")).await.unwrap();
    })
    .await;
    assert_eq!(body, r#"{"name":"app","integrationId":"i-1","secrets":[]}"#);
}

#[tokio::test]
async fn update_sends_the_full_list_and_no_value_for_what_is_kept() {
    let (line, body) = sent(GROUP, async |client| {
        let list =
            [SecretUpdate::keep("K"), SecretUpdate::set("N", "new"), SecretUpdate::set("E", "")];
        client.secret_groups().replace_secrets("g-1", &list).await.unwrap();
    })
    .await;
    assert_eq!(line, format!("PUT {ROOT}/g-1"));
    assert_eq!(
        body,
        r#"{"secrets":[{"key":"K"},{"key":"N","value":"new"},{"key":"E","value":""}]}"#
    );
}

#[tokio::test]
async fn what_would_be_refused_is_refused_before_anything_is_sent() {
    let server = RawServer::always(ok(GROUP));
    let client = client(server.url());
    let groups = client.secret_groups();
    let new = || NewSecretGroup::in_integration("app", "i-1");
    let refused = [
        groups.replace_secrets("g-1", &[]).await,
        groups.replace_secrets("g-1", &[SecretUpdate::keep("")]).await,
        groups
            .replace_secrets("g-1", &[SecretUpdate::keep("K"), SecretUpdate::set("K", "v")])
            .await,
        groups.replace_secrets("g-1", &[SecretUpdate::set("K", "(set)")]).await,
        groups.replace_secrets("g-1", &[SecretUpdate::set("K", "tfy-secret://t:g:K")]).await,
        groups.replace_secrets("", &[SecretUpdate::keep("K")]).await,
        groups.create(NewSecretGroup::in_integration("", "i-1")).await,
        groups.create(NewSecretGroup::in_integration("a\nb", "i-1")).await,
        groups.create(new().secret("", "v")).await,
        groups.create(new().secret("K", "v").secret("K", "v")).await,
        groups.create(new().secret("K", "corr***")).await,
        groups.create(new().secret("K", "tfy-secret://t:g:K")).await,
        groups.get_by_name("").await,
        // A reference would name the key "b:K" of the group "a".
        groups.create(NewSecretGroup::in_integration("a:b", "i-1").secret("K", "v")).await,
        groups.ensure(NewSecretGroup::in_integration("a:b", "i-1")).await.map(Ensured::into_group),
        groups.create_or_update(&SecretGroupManifest::new("a:b", "t:s")).await,
        groups.edit_by_name("a:b").set("K", "v").apply().await.map(|_| unreachable!()),
        groups.edit_by_name("a:b").set("K", "v").plan().await.map(|_| unreachable!()),
        client.resolve_group("a:b").await.map(|_| unreachable!()),
    ];
    for (index, result) in refused.into_iter().enumerate() {
        let expected = if index == 0 { "EmptyGroup" } else { "InvalidInput" };
        assert_eq!(variant(&result.unwrap_err()), expected, "{index}");
    }
    assert_eq!(server.count(), 0);
    groups.create(new().secret("K", "corr***").allow_masked_text()).await.unwrap();
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_manifest_is_snake_case_inside_and_says_whether_it_is_a_dry_run() {
    let whole = SecretGroupManifest::new("app", "t:aws:a:secret-store:s")
        .collaborator(Collaborator::new("user:ada@example.com", Role::Admin))
        .collaborator(Collaborator::new("team:x", Role::Editor))
        .collaborator(Collaborator::new("serviceaccount:ci", Role::Viewer))
        .collaborator(Collaborator::new("role:new", Role::from("secret-group-x")))
        .owned_by_account("acc");
    let written = concat!(
        r#"{"manifest":{"type":"secret-group","name":"app","#,
        r#""integration_fqn":"t:aws:a:secret-store:s","collaborators":["#,
        r#"{"subject":"user:ada@example.com","role_id":"secret-group-admin"},"#,
        r#"{"subject":"team:x","role_id":"secret-group-editor"},"#,
        r#"{"subject":"serviceaccount:ci","role_id":"secret-group-viewer"},"#,
        r#"{"subject":"role:new","role_id":"secret-group-x"}],"#,
        r#""ownedBy":{"account":"acc"}},"dryRun":"#,
    );
    let (line, body) = sent(GROUP, async |client| {
        client.secret_groups().create_or_update(&whole).await.unwrap();
    })
    .await;
    assert_eq!((line, body), (format!("PUT {ROOT}"), format!("{written}false}}")));
    let (line, body) = sent(GROUP, async |client| {
        client.secret_groups().create_or_update_dry_run(&whole).await.unwrap();
    })
    .await;
    assert_eq!((line, body), (format!("PUT {ROOT}"), format!("{written}true}}")));

    let (_, body) = sent(GROUP, async |client| {
        let least = SecretGroupManifest::new("app", "t:s");
        client.secret_groups().create_or_update(&least).await.unwrap();
    })
    .await;
    let least = r#"{"manifest":{"type":"secret-group","name":"app","integration_fqn":"t:s"},"dryRun":false}"#;
    assert_eq!(body, least);
    let (_, body) = sent(GROUP, async |client| {
        let alone = SecretGroupManifest::new("app", "t:s").no_collaborators();
        client.secret_groups().create_or_update(&alone).await.unwrap();
    })
    .await;
    assert_eq!(body, least.replace(r#""t:s""#, r#""t:s","collaborators":[]"#));
}

#[tokio::test]
async fn a_manifest_that_says_nothing_of_collaborators_leaves_them_their_roles() {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("K", "v")]);
    let store = fake.store_fqn(&SecretStoreKind::AwsSecretsManager).unwrap();
    let client = fake.client();
    let manifest = SecretGroupManifest::new("app", store);
    let subjects = |group: &SecretGroup| -> Vec<String> {
        let collaborators = group.manifest().unwrap().collaborators().unwrap();
        collaborators.iter().map(|one| one.subject().to_owned()).collect()
    };
    let group = client.secret_groups().create_or_update(&manifest).await.unwrap();
    assert_eq!(subjects(&group), ["user:ada@example.com"]);
    let without = manifest.no_collaborators();
    let group = client.secret_groups().create_or_update(&without).await.unwrap();
    assert_eq!(subjects(&group), [""; 0]);
}

#[tokio::test]
async fn a_received_manifest_can_be_sent_back_as_it_was() {
    let manifest = r#"{"type":"secret-group","name":"n","integration_fqn":"f","collaborators":[{"subject":"user:a","role_id":"secret-group-viewer"}],"ownedBy":{"account":"acc"}}"#;
    let group = format!(r#"{{"data":{{"id":"g-1","fqn":"t:n","manifest":{manifest}}}}}"#);
    let server = RawServer::always(ok(group));
    let client = tenant_client(server.url());
    let group = client.secret_groups().get("g-1").await.unwrap();
    client.secret_groups().create_or_update(group.manifest().unwrap()).await.unwrap();
    let expected = format!(r#"{{"manifest":{manifest},"dryRun":false}}"#);
    assert_eq!(server.requests()[1].text(), expected);
}

#[tokio::test]
async fn delete_is_forced_only_when_asked() {
    let (line, body) = sent("{}", async |client| {
        client.secret_groups().delete("g-1").await.unwrap();
    })
    .await;
    assert_eq!((line, body), (format!("DELETE {ROOT}/g-1"), String::new()));
    for (options, query) in
        [(DeleteOptions::new(), ""), (DeleteOptions::new().force(), "?forceDelete=true")]
    {
        let (line, _) = sent("{}", async |client| {
            client.secret_groups().delete_with("g-1", &options).await.unwrap();
        })
        .await;
        assert_eq!(line, format!("DELETE {ROOT}/g-1{query}"));
    }
}

#[tokio::test]
async fn check_asks_for_one_group() {
    let (line, _) = sent(r#"{"data":[]}"#, async |client| client.check().await.unwrap()).await;
    assert_eq!(line, format!("GET {ROOT}?limit=1&offset=0"));
}
