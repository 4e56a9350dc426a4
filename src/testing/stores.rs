//! `/provider-accounts` and `/provider-integrations`: which stores are connected.

use serde_json::{Value, json};

use super::clock::render;
use super::entities::Store;
use super::parsed_request::Call;
use super::render;
use super::response::Response;
use super::state::State;
use crate::stores::SecretStoreKind;

const TYPE: &str = "secret-store";

type Reply = Result<Response, Response>;

pub(super) fn accounts(state: &State, call: &Call) -> Reply {
    let window = call.window()?;
    let mut accounts: Vec<String> = Vec::new();
    if call.param("type").is_none_or(|kind| kind == TYPE) {
        for fqn in state.stores.iter().map(|store| account_fqn(state, store)) {
            if !accounts.contains(&fqn) {
                accounts.push(fqn);
            }
        }
    }
    Ok(render::page(state, &accounts, &window, |fqn| account(state, fqn)))
}

pub(super) fn integrations(state: &State, call: &Call) -> Reply {
    let window = call.window()?;
    let matches = |name: &str, actual: &str| call.param(name).is_none_or(|wanted| wanted == actual);
    let found: Vec<&Store> = state
        .stores
        .iter()
        .filter(|store| {
            matches("type", TYPE) && matches("id", &store.id) && matches("fqn", &fqn(state, store))
        })
        .collect();
    Ok(render::page(state, &found, &window, |store| integration(state, store)))
}

pub(super) fn fqn(state: &State, store: &Store) -> String {
    format!("{}:{TYPE}:{}", account_fqn(state, store), store.name)
}

fn account_fqn(state: &State, store: &Store) -> String {
    let provider = provider(&store.kind);
    format!("{}:{provider}:{provider}-1", state.tenant_of(store.tenant.as_ref()))
}

fn provider(kind: &SecretStoreKind) -> &'static str {
    match kind {
        SecretStoreKind::AwsSecretsManager | SecretStoreKind::AwsParameterStore => "aws",
        SecretStoreKind::AzureVault => "azure",
        SecretStoreKind::GcpSecretManager => "gcp",
        SecretStoreKind::HashicorpVault => "hashicorp",
        SecretStoreKind::TrueFoundryDb => "truefoundry",
        SecretStoreKind::Generic | SecretStoreKind::Other(_) => "custom",
    }
}

fn account(state: &State, fqn: &str) -> Value {
    let stores: Vec<&Store> =
        state.stores.iter().filter(|store| account_fqn(state, store) == fqn).collect();
    let integrations: Vec<Value> = stores.iter().map(|store| integration(state, store)).collect();
    let name = stores.first().map_or("", |store| provider(&store.kind));
    json!({
        "id": format!("pa-fake-{}", fqn.replace(':', "-")),
        "fqn": fqn,
        "provider": name,
        "manifest": { "type": format!("provider-account/{name}"), "name": format!("{name}-1") },
        "integrations": integrations,
        "createdBySubject": render::subject(),
        "accountId": render::ACCOUNT,
    })
}

fn integration(state: &State, store: &Store) -> Value {
    json!({
        "id": store.id,
        "name": store.name,
        "fqn": fqn(state, store),
        "type": TYPE,
        "manifest": manifest(store),
        "metadata": {},
        "providerAccountFqn": account_fqn(state, store),
        "tenantName": state.tenant_of(store.tenant.as_ref()),
        "createdBySubject": render::subject(),
        "createdAt": render(store.created),
        "updatedAt": render(store.created),
    })
}

/// The service also sends the store's own password. So does this server, with one that gives access
/// to nothing, so that tests can show that a client drops it.
fn manifest(store: &Store) -> Value {
    let secret = &store.credential;
    let mut manifest = match store.kind {
        SecretStoreKind::AwsSecretsManager | SecretStoreKind::AwsParameterStore => json!({
            "region": "eu-central-1",
            "auth_data": { "type": "access-key-based", "access_key_id": "AKIAFAKE", "secret_access_key": secret },
        }),
        SecretStoreKind::AzureVault => json!({
            "key_vault_name": "fake-vault",
            "auth_data": {
                "type": "oauth", "tenant_id": "fake", "client_id": "fake",
                "client_secret": secret, "subscription_id": "00000000-0000-4000-8000-000000000000",
            },
        }),
        SecretStoreKind::GcpSecretManager => json!({
            "project_id": "fake-project",
            "auth_data": { "type": "key-file", "key_file_content": { "private_key": secret } },
        }),
        SecretStoreKind::HashicorpVault => json!({
            "vault_url": "https://vault.example.com:8200",
            "kv_mount_path": "kv",
            "auth_data": { "type": "token", "token": secret },
        }),
        _ => json!({
            "base_url": "https://secrets.example.com",
            "auth_data": { "type": "header", "headers": { "x-api-key": secret } },
        }),
    };
    render::insert(&mut manifest, "type", store.kind.api_type().into());
    render::insert(&mut manifest, "name", store.name.as_str().into());
    manifest
}
