use truefoundry_secrets::{Error, ListSecretStores, NewSecretGroup, SecretStoreKind};

use super::sent;
use crate::support::raw::{Act, RawServer, ok, status};
use crate::support::{assert_well_formed, client, variant};

const INTEGRATIONS: &str = "/api/svc/v1/provider-integrations";
const ACCOUNTS: &str = "/api/svc/v1/provider-accounts";
const CREDENTIAL: &str = "AKIA-credential-of-the-store";

fn store(id: &str, kind: &str) -> String {
    format!(
        r#"{{"id":"{id}","name":"n-{id}","fqn":"t:{id}","type":"secret-store","tenantName":"t",
            "providerAccountFqn":"t:aws:a","manifest":{{"type":"integration/secret-store/{kind}",
            "auth_data":{{"type":"key","secret_key":"{CREDENTIAL}"}},"name":"n-{id}"}}}}"#
    )
}

fn stores(list: &[(&str, &str)]) -> String {
    let all: Vec<_> = list.iter().map(|(id, kind)| store(id, kind)).collect();
    format!(r#"{{"data":[{}],"pagination":{{"total":{}}}}}"#, all.join(","), all.len())
}

#[tokio::test]
async fn list_asks_for_secret_stores_with_limit_and_offset() {
    for (params, query) in [
        (ListSecretStores::new(), "limit=100&offset=0&type=secret-store"),
        (
            ListSecretStores::new().limit(3).offset(6).fqn("t:a b").id("i&1"),
            "limit=3&offset=6&type=secret-store&fqn=t:a%20b&id=i%261",
        ),
    ] {
        let (line, body) = sent(stores(&[("i-1", "azure/vault")]), async |client| {
            let page = client.secret_stores().list(&params).await.unwrap();
            assert_eq!(page.total(), Some(1));
            assert_eq!(page.items()[0].kind(), Some(&SecretStoreKind::AzureVault));
        })
        .await;
        assert_eq!((line, body), (format!("GET {INTEGRATIONS}?{query}"), String::new()));
    }
}

#[tokio::test]
async fn provider_accounts_are_read_through_to_their_secret_stores() {
    let other = r#"{"id":"i-9","type":"blob-storage","manifest":{"type":"integration/blob-storage/aws/s3"}}"#;
    let body = format!(
        r#"{{"data":[{{"id":"a-1","integrations":[{},{other}]}},{{"id":"a-2"}},
            {{"integrations":null}},{{"integrations":[{}]}}]}}"#,
        store("i-1", "aws/secrets-manager"),
        store("i-2", "gcp/gsm"),
    );
    let (line, sent) = sent(body, async |client| {
        let found = client.secret_stores().list_by_provider_account().await.unwrap();
        let ids: Vec<_> = found.iter().map(|store| store.id().as_str()).collect();
        assert_eq!(ids, ["i-1", "i-2"]);
    })
    .await;
    assert_eq!((line, sent), (format!("GET {ACCOUNTS}?type=secret-store"), String::new()));
}

#[tokio::test]
async fn an_older_control_plane_is_asked_for_its_provider_accounts() {
    let server = RawServer::start(|_, seen| {
        Act::Send(if seen.path() == ACCOUNTS {
            ok(format!(r#"{{"data":[{{"integrations":[{}]}}]}}"#, store("i-1", "azure/vault")))
        } else {
            status(404, "Cannot GET /api/svc/v1/provider-integrations")
        })
    });
    let client = client(server.url());
    assert_eq!(client.secret_stores().all().await.unwrap().len(), 1);
    let found = client.secret_stores().find(SecretStoreKind::AzureVault).await.unwrap();
    assert_eq!(found.id(), "i-1");
    assert_eq!(server.count(), 4);
}

/// The integrations of one tenant as an older control plane has them, the long form in `type` itself, and as a
/// newer one has them; models among them.
fn recorded(older: bool) -> Vec<String> {
    let stores =
        ["aws/secrets-manager", "azure/vault", "gcp/gsm", "hashicorp/vault", "aws/parameter-store"];
    let models = ["openai", "azure/foundry"];
    let one = |id: usize, of: &str, kind: &str| {
        let long = format!("integration/{of}/{kind}");
        let (own, manifest) = match (older, id % 2) {
            // Only the fifth has a manifest's type, too.
            (true, _) if id != 4 => (long, format!(r#"{{"auth_data":{{"key":"{CREDENTIAL}"}}}}"#)),
            (true, _) => (of.to_owned(), format!(r#"{{"type":"{long}"}}"#)),
            (false, 0) => (of.to_owned(), format!(r#"{{"type":"{long}","name":"n"}}"#)),
            (false, _) => (long.clone(), format!(r#"{{"type":"{of}"}}"#)),
        };
        format!(
            r#"{{"id":"i-{id}","name":"n","fqn":"t:a:i-{id}","type":"{own}","manifest":{manifest}}}"#
        )
    };
    let stores = stores.iter().enumerate().map(|(id, kind)| one(id, "secret-store", kind));
    let models = models.iter().enumerate().map(|(id, kind)| one(id + 5, "model", kind));
    let mut all: Vec<_> = models.chain(stores).collect();
    // Nothing says what it is.
    all.push(r#"{"id":"i-7","manifest":{}}"#.to_owned());
    all
}

#[tokio::test]
async fn stores_are_told_from_models_by_either_type() {
    use SecretStoreKind::{
        AwsParameterStore, AwsSecretsManager, AzureVault, GcpSecretManager, HashicorpVault,
    };

    for older in [true, false] {
        for by_account in [true, false] {
            let server = RawServer::start(move |_, seen| {
                let list = recorded(older);
                Act::Send(match (by_account, seen.path()) {
                    (true, ACCOUNTS) => {
                        let (one, other) = list.split_at(3);
                        let (one, other) = (one.join(","), other.join(","));
                        ok(format!(
                            r#"{{"data":[{{"integrations":[{one}]}},{{"integrations":[{other}]}}]}}"#
                        ))
                    }
                    (false, INTEGRATIONS) => {
                        let total = list.len();
                        ok(format!(
                            r#"{{"data":[{}],"pagination":{{"total":{total}}}}}"#,
                            list.join(",")
                        ))
                    }
                    _ => status(404, "Cannot GET it"),
                })
            });
            let client = client(server.url());
            let stores = client.secret_stores();
            let all = stores.all().await.unwrap();
            let found: Vec<_> =
                all.iter().map(|store| (store.id().as_str(), store.kind().cloned())).collect();
            let expected = [
                ("i-0", Some(AwsSecretsManager)),
                ("i-1", Some(AzureVault)),
                ("i-2", Some(GcpSecretManager)),
                ("i-3", Some(HashicorpVault)),
                ("i-4", Some(AwsParameterStore)),
                ("i-7", None),
            ];
            assert_eq!(found, expected, "older: {older}, by account: {by_account}");
            for (id, kind) in expected.into_iter().filter_map(|(id, kind)| Some((id, kind?))) {
                assert_eq!(stores.find(kind).await.unwrap().id(), id);
            }
            if !by_account {
                let page = stores.list(&ListSecretStores::new()).await.unwrap();
                assert_eq!((page.items().len(), page.total()), (6, Some(8)));
            }
        }
    }
}

/// Entries that are left out of a page still count for the start of the next one.
#[tokio::test]
async fn pages_are_counted_with_what_is_no_store() {
    let server = RawServer::start(|n, _| {
        let list = recorded(true);
        let page = list.get(2 * n..2 * n + 2).unwrap_or_default();
        Act::Send(ok(format!(r#"{{"data":[{}]}}"#, page.join(","))))
    });
    let params = ListSecretStores::new().limit(2);
    let all = client(server.url()).secret_stores().stream(params).try_collect().await.unwrap();
    let queries: Vec<_> =
        server.requests().iter().map(|seen| seen.query().unwrap().to_owned()).collect();
    let expected = [0, 2, 4, 6, 8].map(|n| format!("limit=2&offset={n}&type=secret-store"));
    assert_eq!((all.len(), queries), (6, expected.to_vec()));
}

#[tokio::test]
async fn another_failure_is_no_reason_to_ask_elsewhere() {
    let server = RawServer::always(status(403, "Forbidden"));
    let error = client(server.url()).secret_stores().all().await.unwrap_err();
    assert_eq!((variant(&error), server.count()), ("PermissionDenied".into(), 1));
}

#[tokio::test]
async fn find_wants_exactly_one() {
    let body =
        stores(&[("i-1", "aws/secrets-manager"), ("i-2", "azure/vault"), ("i-3", "azure/vault")]);
    let server = RawServer::always(ok(body));
    let client = client(server.url());
    let stores = client.secret_stores();
    let one = stores.find(SecretStoreKind::AwsSecretsManager).await.unwrap();
    assert_eq!(one.id(), "i-1");

    let none = stores.find(SecretStoreKind::HashicorpVault).await.unwrap_err();
    assert!(matches!(none, Error::NoSecretStore { .. }), "{none:?}");
    assert!(none.to_string().contains("HashiCorp Vault"), "{none}");
    assert_well_formed(&none);

    let several = stores.find(SecretStoreKind::AzureVault).await.unwrap_err();
    assert_eq!(variant(&several), "InvalidInput");
    let text = several.to_string();
    assert!(text.contains("i-2 (t:i-2), i-3 (t:i-3)"), "{text}");
    assert!(!text.contains("i-1"), "{text}");
    assert_well_formed(&several);
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn the_stores_own_credentials_are_not_kept() {
    let both = [
        stores(&[("i-1", "aws/parameter-store")]),
        format!(r#"{{"data":[{{"integrations":[{}]}}]}}"#, store("i-1", "aws/parameter-store")),
    ];
    for (endpoint, body) in both.into_iter().enumerate() {
        assert!(body.contains(CREDENTIAL));
        let server = RawServer::always(ok(body));
        let client = client(server.url());
        let found = match endpoint {
            0 => client.secret_stores().all().await.unwrap(),
            _ => client.secret_stores().list_by_provider_account().await.unwrap(),
        };
        let shown = format!("{found:?}{found:#?}{}", serde_json::to_string(&found).unwrap());
        assert!(shown.contains("aws/parameter-store"), "{shown}");
        assert!(!shown.contains(CREDENTIAL) && !shown.contains("auth_data"), "{shown}");
    }
}

#[tokio::test]
async fn a_found_stores_rules_are_checked_before_a_group_is_created() {
    let server = RawServer::always(ok(stores(&[("i-2", "azure/vault")])));
    let client = client(server.url());
    let store = client.secret_stores().find(SecretStoreKind::AzureVault).await.unwrap();
    let new = || NewSecretGroup::new("app", &store).secret("DB_PASSWORD", "v");
    let error = client.secret_groups().create(new()).await.unwrap_err();
    let Error::KeyNotSupported { suggestion, context: None, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(suggestion.as_deref(), Some("DB-PASSWORD"));
    assert_eq!(server.count(), 1);
    // The store may have changed its rules, so the request is sent; the response here is not a
    // group.
    let error = client.secret_groups().create(new().skip_store_rules()).await.unwrap_err();
    assert_eq!((variant(&error), server.count()), ("Decode".into(), 2));
}
